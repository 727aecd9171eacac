import type { Span } from "./span.ts";

export const PRIVATE_KEY_START = "-----BEGIN";
/**
 * Key files have a few kilobytes. A longer one is redacted up to here; the search continues there.
 */
const CHARACTERS_MAX = 65_536;
/** In a URL the blanks of a label are `+` or `%20`. */
const BEGIN =
  /-----BEGIN(?: |\+|%20)(?:[A-Z0-9]{1,16}(?: |\+|%20)){0,4}PRIVATE(?: |\+|%20)KEY(?:(?: |\+|%20)BLOCK)?-----/y;
const END = /-----END[A-Z0-9 +%]{1,64}-----/;

/** Finds a private key in PEM form that begins at `at`. A key whose end is cut off is still a key. */
export function findPrivateKey(text: string, at: number): Span | null {
  BEGIN.lastIndex = at;
  const begin = BEGIN.exec(text);
  if (begin === null) return null;
  const window = text.slice(at, at + CHARACTERS_MAX);
  const tail = END.exec(window);
  const end = tail === null ? endOfCutKey(window, begin[0].length) : tail.index + tail[0].length;
  return { start: at, end: at + end, name: "private-key" };
}

/** Stops at a quote that ends the text around the key, so that a JSON text stays valid. */
function endOfCutKey(window: string, from: number): number {
  const found = window.slice(from).search(/\\*["'<>{}]/);
  return found < 0 ? window.length : from + found;
}
