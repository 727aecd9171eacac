/**
 * JSON numbers that a JavaScript number cannot hold.
 *
 * `1e400` is read as Infinity and written as `null`; `9007199254740993` is read as
 * `9007199254740992`. A tool would receive another value than the one that was checked and decided
 * on, so the gate refuses both and names the place. `-0` is written as `0`, and decimals are
 * rounded as everywhere.
 */

import { endOfString } from "./json_text.ts";

/** A part of a JSON value: an index or key in its parent. */
interface Place {
  readonly around: Place | null;
  readonly key: string | number;
}

const PLACE_CHARS_MAX = 200;
/** No number has more digits. */
const INTEGER_CHARS_MAX = 310;

/**
 * @param root name of the value: `args`.
 * @returns path of a number that is not finite, such as `args.lines[0].price`; null if there is
 * none.
 */
export function findNonFinite(value: unknown, root: string): string | null {
  const open: { readonly part: unknown; readonly place: Place | null }[] = [
    { part: value, place: null },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { part, place } = next;
    if (typeof part === "number" && !Number.isFinite(part)) return renderPlace(root, keysOf(place));
    if (typeof part !== "object" || part === null) continue;
    const container = part as { readonly [key: string | number]: unknown };
    const look = (key: string | number) => {
      const child = container[key];
      // Most members are texts and numbers: keep them off the stack.
      if (typeof child === "number" ? !Number.isFinite(child) : typeof child === "object") {
        open.push({ part: child, place: { around: place, key } });
      }
    };
    if (Array.isArray(part)) { for (let index = 0; index < part.length; index++) look(index); }
    else for (const key of Object.keys(part)) look(key);
  }
  return null;
}

/**
 * @param json valid JSON.
 * @returns an integer that a number cannot hold exactly, and its path; null if there is none.
 */
export function findInexactInteger(
  json: string,
  root: string,
): { readonly place: string; readonly text: string } | null {
  // A number holds every shorter integer; most long ones are part of texts.
  if (!/(?:^|[[:,\s])-?\d{16,}(?:[,\]}\s]|$)/.test(json)) return null;
  /** The current path: an index or key for each open container. */
  const keys: (string | number)[] = [];
  const last = () => keys.length - 1;
  for (let index = 0; index < json.length; index++) {
    switch (json[index]) {
      case "{":
        keys.push("");
        break;
      case "[":
        keys.push(0);
        break;
      case "}":
      case "]":
        keys.pop();
        break;
      case ",": {
        const key = keys[last()];
        if (typeof key === "number") keys[last()] = key + 1;
        break;
      }
      case '"': {
        const end = endOfString(json, index) + 1;
        if (isKey(json, end)) keys[last()] = JSON.parse(json.slice(index, end));
        index = end - 1;
        break;
      }
      default: {
        const end = endOfNumber(json, index);
        if (end - index >= 16) {
          const text = json.slice(index, end);
          const isExact = text.length <= INTEGER_CHARS_MAX && String(Number(text)) === text;
          if (/^-?\d+$/.test(text) && !isExact) {
            return { place: renderPlace(root, keys), text: text.slice(0, 40) };
          }
        }
        index = Math.max(index, end - 1);
      }
    }
  }
  return null;
}

/**
 * Puts quotes around numbers that would change when they are read: integers that a number cannot
 * hold exactly, and numbers that are not finite. An answer keeps their digits as text. Decimals are
 * rounded.
 *
 * @param json valid JSON; other text is returned unchanged.
 * @see RFC 8259, section 6
 */
export function quoteInexactNumbers(json: string): string {
  if (!/\d{16}|\d[eE]\+?\d{3}/.test(json)) return json;
  const parts: string[] = [];
  let copied = 0;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (code === 0x22) {
      index = endOfString(json, index);
      continue;
    }
    // A number begins with a digit or a minus.
    if (code !== 0x2d && (code < 0x30 || code > 0x39)) continue;
    const end = endOfNumber(json, index);
    if (end - index >= 5) {
      const text = json.slice(index, end);
      const value = Number(text);
      if (!Number.isFinite(value) || /^-?\d+$/.test(text) && !Number.isSafeInteger(value)) {
        parts.push(json.slice(copied, index), `"${text}"`);
        copied = end;
      }
    }
    index = end - 1;
  }
  return parts.length === 0 ? json : parts.join("") + json.slice(copied);
}

/** Whether a string that ends here is followed by a colon. */
function isKey(json: string, end: number): boolean {
  let index = end;
  while (json.charCodeAt(index) <= 0x20) index++;
  return json[index] === ":";
}

/** @returns `start` if there is no number */
function endOfNumber(json: string, start: number): number {
  let index = start;
  for (; index < json.length; index++) {
    const code = json.charCodeAt(index);
    // Digits, then + - . e E
    const isPart = code >= 0x30 && code <= 0x39 || code === 0x2b || code === 0x2d ||
      code === 0x2e || code === 0x65 || code === 0x45;
    if (!isPart) break;
  }
  return index;
}

function keysOf(place: Place | null): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let part = place; part !== null; part = part.around) keys.unshift(part.key);
  return keys;
}

function renderPlace(root: string, keys: readonly (string | number)[]): string {
  const text = keys.map((key) =>
    typeof key === "number"
      ? `[${key}]`
      : /^[A-Za-z_$][\w$]*$/.test(key)
      ? `.${key}`
      : `[${JSON.stringify(key)}]`
  ).join("");
  return `${root}${text}`.slice(0, PLACE_CHARS_MAX);
}
