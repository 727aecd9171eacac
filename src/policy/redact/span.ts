/** A piece of text to take out. */
export interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly name: string;
  /** What stands on both sides of the mark: a number of a JSON text becomes a JSON string. */
  readonly quote?: string;
}

/**
 * Length of the JSON escape that `at` stands in, from `at` on: 1 for the `n` of `\n`; 0 if it is none.
 *
 * Any number of backslashes counts: within a JSON text that is quoted again they double.
 */
export function escapeLength(text: string, at: number): number {
  if (text[at - 1] !== "\\") return 0;
  const unit = /^u[0-9A-Fa-f]{4}/.exec(text.slice(at, at + 5))?.[0].length;
  return unit ?? (/[bfnrt/]/.test(text[at] ?? "") ? 1 : 0);
}

/** What may end in a letter or digit and yet is not part of the word behind it. */
const GLUE = /(?:\[[\d;]{0,16}m|%[0-9A-Fa-f]{2}|\\(?:[bfnrt]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}))$/;

/** Whether a word can begin at `at`: behind a colour code, an escape and `%3D` as well. */
export function isWordStart(text: string, at: number): boolean {
  return !/[\w-]/.test(text[at - 1] ?? " ") || GLUE.test(text.slice(Math.max(0, at - 20), at));
}
