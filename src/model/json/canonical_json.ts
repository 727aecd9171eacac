/**
 * Writes JSON so that equal values give the same text: RFC 8785 (JCS).
 *
 * Keys in UTF-16 order, no white space, numbers and strings as ECMAScript writes them. Members that
 * are `undefined` are left out.
 *
 * @throws {TypeError} for values without a canonical form: NaN, infinities, lone surrogates,
 * functions, cycles.
 */
export function canonicalJson(value: unknown): string {
  if (isInOrder(value, 0)) {
    const text = JSON.stringify(value);
    // The platform escapes lone surrogates; render() below checks text with such an escape.
    if (!text.includes("\\ud")) return text;
  }
  return render(value, 0, true);
}

/**
 * Returns the same text for values with a canonical form, and writes others like `JSON.stringify`:
 * a lone surrogate as its escape, NaN as null. Made for upstream definitions, which are compared as
 * received.
 *
 * @throws {TypeError} for a BigInt and more levels than canonical JSON has.
 */
export function stableJson(value: unknown): string {
  return render(value, 0, false);
}

const PIECE_CHARACTERS = 65_536;

/**
 * Yields the canonical text in pieces, so that the caller can pause while it writes a large value.
 *
 * @throws {TypeError} as `canonicalJson`, perhaps after some pieces.
 */
export function* canonicalPieces(value: unknown): Generator<string> {
  const out = { text: "" };
  yield* renderPieces(value, 0, out);
  yield out.text;
}

function* renderPieces(value: unknown, depth: number, out: { text: string }): Generator<string> {
  if (typeof value !== "object" || value === null) {
    out.text += render(value, depth, true);
    return;
  }
  if (depth >= DEPTH_MAX) throw tooDeep();
  const isArray = Array.isArray(value);
  const keys = isArray ? null : Object.keys(value).sort();
  const length = keys?.length ?? (value as unknown[]).length;
  out.text += isArray ? "[" : "{";
  let isFirst = true;
  for (let index = 0; index < length; index++) {
    const key = keys?.[index];
    const member: unknown = key === undefined
      ? (value as unknown[])[index] ?? null
      : (value as { readonly [name: string]: unknown })[key];
    if (member === undefined) continue;
    if (!isFirst) out.text += ",";
    isFirst = false;
    if (key !== undefined) out.text += `${renderString(key, true)}:`;
    if (typeof member === "object" && member !== null) {
      yield* renderPieces(member, depth + 1, out);
    } else out.text += render(member, depth + 1, true);
    if (out.text.length < PIECE_CHARACTERS) continue;
    yield out.text;
    out.text = "";
  }
  out.text += isArray ? "]" : "}";
}

/** True if `JSON.stringify` writes the canonical text, as for values parsed from canonical JSON. */
function isInOrder(value: unknown, depth: number): boolean {
  if (typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (value === null) return true;
  if (typeof value !== "object" || depth >= DEPTH_MAX || "toJSON" in value) return false;
  if (Array.isArray(value)) return value.every((item) => isInOrder(item, depth + 1));
  let last = "";
  for (const key of Object.keys(value)) {
    const member: unknown = value[key as keyof typeof value];
    if (key < last || (member !== undefined && !isInOrder(member, depth + 1))) return false;
    last = key;
  }
  return true;
}

const DEPTH_MAX = 1_000;

function render(value: unknown, depth: number, isStrict: boolean): string {
  switch (typeof value) {
    case "string":
      return renderString(value, isStrict);
    case "number":
      if (isStrict && !Number.isFinite(value)) {
        throw new TypeError(`Cannot write ${value} as canonical JSON`);
      }
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      break;
    default:
      if (!isStrict && typeof value !== "bigint") return "null";
      throw new TypeError(`Cannot write a ${typeof value} as canonical JSON`);
  }
  if (value === null) return "null";
  if (depth >= DEPTH_MAX) throw tooDeep();
  if (Array.isArray(value)) {
    let text = "[";
    for (let index = 0; index < value.length; index++) {
      const item = value[index];
      if (index > 0) text += ",";
      text += item === undefined ? "null" : render(item, depth + 1, isStrict);
    }
    return `${text}]`;
  }
  const members = value as { [key: string]: unknown };
  let text = "{";
  // The default order of sort() is the order of UTF-16 units that the RFC asks for.
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member === undefined) continue;
    if (text.length > 1) text += ",";
    text += `${renderString(key, isStrict)}:${render(member, depth + 1, isStrict)}`;
  }
  return `${text}}`;
}

function tooDeep(): TypeError {
  return new TypeError(`Cannot write more than ${DEPTH_MAX} levels as canonical JSON`);
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function renderString(text: string, isStrict: boolean): string {
  if (text.length < 64 && PLAIN.test(text)) return `"${text}"`;
  if (isStrict && !text.isWellFormed()) {
    throw new TypeError("Cannot write a lone surrogate as canonical JSON");
  }
  return JSON.stringify(text);
}
