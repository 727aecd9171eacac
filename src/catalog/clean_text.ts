/**
 * Cleans text that an upstream wrote, before a person or a model reads it.
 *
 * Names, titles and descriptions are the cheapest way to attack a reader: invisible characters hide
 * instructions, bidirectional marks reorder what is seen, control characters drive terminals.
 */

/** Zero-width, bidirectional, tag, filler and variation characters: all render as nothing. */
const INVISIBLE =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** C0 without tab and line feed, C1, and the two Unicode line separators. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * @param charsMax UTF-16 code units kept; a longer text ends with `…` at a word's end.
 * @returns well-formed text without invisible or control characters, trimmed.
 */
export function cleanText(text: string, charsMax: number): string {
  // Cut before the expensive part: a description of megabytes must not cost more than a long one.
  const head = text.length > charsMax * 4 ? text.slice(0, charsMax * 4) : text;
  const clean = head.toWellFormed().replace(INVISIBLE, "").replace(CONTROL, " ").trim();
  return cutText(clean, charsMax);
}

/** The same on one line: every run of white space is one space. */
export function cleanLine(text: string, charsMax: number): string {
  const head = text.length > charsMax * 4 ? text.slice(0, charsMax * 4) : text;
  return cutText(cleanText(head, charsMax * 4).replace(/\s+/g, " "), charsMax);
}

/** Shortens a text, at the end of a word if one is near. */
export function cutText(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const cut = text.slice(0, Math.max(0, charsMax - 1));
  const space = cut.lastIndexOf(" ");
  return `${(space > charsMax * 0.6 ? cut.slice(0, space) : cut).toWellFormed().trimEnd()}…`;
}

/** The first sentence of a text, on one line, without HTML tags. */
export function firstSentence(text: string, charsMax: number): string {
  const plain = withoutTags(text.slice(0, charsMax * 8)).replace(/^[\s#]+/, "").trim();
  // A short first line is a heading; a long one is a line of wrapped prose.
  const paragraph = plain.split(/\n\s*\n|\n(?=\s*[-*#])|(?<=^[^\n]{3,60})\n(?=\p{Lu})/u, 1)[0] ??
    "";
  const line = paragraph.replace(/\s+/g, " ").trim();
  const end = SENTENCE_END.exec(line);
  return cutText(end ? line.slice(0, end.index + 1) : line, charsMax);
}

/** A text without the HTML tags that API descriptions often have; other angle brackets stay. */
export function withoutTags(text: string): string {
  return text.includes("<") ? text.replace(INLINE_TAG, "").replace(BLOCK_TAG, " ") : text;
}

/** Does not match after an abbreviation. */
const SENTENCE_END =
  /(?<!\b(?:[Ee]\.g|[Ii]\.e|etc|vs|cf|incl|approx))[.!?](?=\s+[\p{Lu}\p{N}"'(\[])|[。！？]/u;

const INLINE_TAG = /<\/?(?:b|i|em|strong|code|a|span)(?:\s[^<>]{0,300})?>/gi;
const BLOCK_TAG =
  /<\/?(?:p|br|pre|ul|ol|li|div|h[1-6]|table|t[rdh]|hr)(?:\s[^<>]{0,300})?\s?\/?>/gi;
