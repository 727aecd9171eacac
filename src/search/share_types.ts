/**
 * Writes a result type only once if several signatures have it: most tools of one server answer
 * with the same few objects.
 */
export interface SharedTypes {
  /** `type Result1 = {…};`, one line each. */
  readonly types: readonly string[];
  /** The signatures, with names where the types were. */
  readonly signatures: readonly string[];
}

const SHARED_CHARS_MIN = 60;

export function shareTypes(signatures: readonly string[]): SharedTypes {
  const counts = new Map<string, number>();
  const results = signatures.map(resultOf);
  for (const type of results) if (type !== null) counts.set(type, (counts.get(type) ?? 0) + 1);
  const names = new Map<string, string>();
  for (const [type, count] of counts) {
    if (count > 1 && type.length >= SHARED_CHARS_MIN) names.set(type, `Result${names.size + 1}`);
  }
  return {
    types: [...names].map(([type, name]) => `type ${name} = ${type};`),
    signatures: signatures.map((signature, index) => {
      const type = results[index] ?? null;
      const name = type === null ? undefined : names.get(type);
      if (type === null || name === undefined) return signature;
      const at = signature.lastIndexOf(type);
      return signature.slice(0, at) + name + signature.slice(at + type.length);
    }),
  };
}

/** The object type inside of `Promise<{…}[]>`; null for a union or any other type. */
export function resultOf(signature: string): string | null {
  const at = signature.lastIndexOf("): Promise<");
  const match = /^\): Promise<(\{.*\})(?:\[\])?>;$/.exec(signature.slice(at));
  const type = match?.[1];
  return type !== undefined && isOneObject(type) ? type : null;
}

/** Whether the first brace closes at the last one; braces in strings do not count. */
function isOneObject(type: string): boolean {
  let depth = 0;
  for (const token of type.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token[0] === "{") depth++;
    if (token[0] === "}" && --depth === 0) return token.index === type.length - 1;
  }
  return false;
}
