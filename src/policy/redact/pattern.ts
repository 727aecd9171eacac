import type { Span } from "./span.ts";

/** The longest run that one `*` can match. */
const RUN_MAX = 256;
/** Characters that end a run: white space, quotes, brackets, comma and semicolon. */
const RUN_END = /[\s"'`,;<>(){}[\]]/;

/**
 * Compiles a redaction pattern of the operator: `*` stands for a run of up to 256 characters
 * without white space, quotes, brackets, commas or semicolons, `#` for one digit, other text for
 * itself.
 *
 * The search does not backtrack: it remembers the place of each piece while it moves on, so for
 * each piece the work is linear in the text.
 */
export function compileRedactionPattern(name: string, pattern: string): (text: string) => Span[] {
  const pieces = pattern.split("*");
  const isOpenStart = pieces[0] === "";
  const isOpenEnd = pieces.length > 1 && pieces.at(-1) === "";
  const solid = pieces.filter((piece) => piece !== "");
  const [first, ...rest] = solid;
  if (first === undefined) return () => [];
  return (text) => {
    const spans: Span[] = [];
    const finders = rest.map((piece) => createFinder(text, piece));
    const findFirst = createFinder(text, first);
    let limit = 0;
    for (let at = findFirst(0); at >= 0; at = findFirst(Math.max(at + 1, limit))) {
      const matched = endOf(text, at + first.length, rest, finders);
      if (matched < 0) continue;
      const start = isOpenStart ? runStart(text, at, limit) : at;
      const end = isOpenEnd ? runEnd(text, matched) : matched;
      spans.push({ start, end, name });
      limit = end;
    }
    return spans;
  };
}

/** End of the last piece; each must follow the previous one within a run. -1 if one is missing. */
function endOf(
  text: string,
  from: number,
  pieces: readonly string[],
  finders: readonly ((from: number) => number)[],
): number {
  let end = from;
  for (const [index, piece] of pieces.entries()) {
    const found = finders[index]?.(end) ?? -1;
    if (found < 0 || found - end > RUN_MAX || runEnd(text, end) < found) return -1;
    end = found + piece.length;
  }
  return end;
}

/** Finds a piece at or after an offset. Keeps its last answer: offsets rarely decrease. */
function createFinder(text: string, piece: string): (from: number) => number {
  let asked = -1;
  let answer = -2;
  return (from) => {
    if (answer !== -2 && from >= asked && (answer === -1 || from <= answer)) return answer;
    asked = from;
    answer = findPiece(text, piece, from);
    return answer;
  };
}

function findPiece(text: string, piece: string, from: number): number {
  const digit = piece.indexOf("#");
  if (digit < 0) return text.indexOf(piece, from);
  const literal = piece.slice(0, digit);
  for (let at = from; at + piece.length <= text.length; at++) {
    if (literal !== "") {
      at = text.indexOf(literal, at);
      if (at < 0) return -1;
    }
    if (fits(text, piece, at)) return at;
  }
  return -1;
}

function fits(text: string, piece: string, at: number): boolean {
  if (at + piece.length > text.length) return false;
  for (let index = 0; index < piece.length; index++) {
    const wanted = piece.charCodeAt(index);
    const code = text.charCodeAt(at + index);
    if (wanted === 35 ? code < 48 || code > 57 : code !== wanted) return false;
  }
  return true;
}

function runStart(text: string, from: number, limit: number): number {
  let start = from;
  while (start > limit && from - start < RUN_MAX && !RUN_END.test(text[start - 1] ?? "")) start--;
  return start;
}

function runEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && end - from < RUN_MAX && !RUN_END.test(text[end] ?? "")) end++;
  return end;
}
