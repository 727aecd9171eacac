/** A piece of text to redact. */
export interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly name: string;
  /** A quote for both sides of the mark: a number of a JSON text becomes a JSON string. */
  readonly quote?: string;
}

/**
 * Length of the rest of a JSON escape from `at` on: 1 for the `n` of `\n`; 0 outside of an escape.
 *
 * Any number of backslashes counts: they double when a JSON text is quoted again.
 */
export function escapeLength(text: string, at: number): number {
  if (text[at - 1] !== "\\") return 0;
  const unit = /^u[0-9A-Fa-f]{4}/.exec(text.slice(at, at + 5))?.[0].length;
  return unit ?? (/[bfnrt/]/.test(text[at] ?? "") ? 1 : 0);
}

/** Codes that may end in a letter or digit, but are not part of the word after them. */
const GLUE = /(?:\[[\d;]{0,16}m|%[0-9A-Fa-f]{2}|\\(?:[bfnrt]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}))$/;

/** Whether a word can begin at `at`, also directly after a colour code, an escape or `%3D`. */
export function isWordStart(text: string, at: number): boolean {
  return !/[\w-]/.test(text[at - 1] ?? " ") || GLUE.test(text.slice(Math.max(0, at - 20), at));
}
