/** Tells whether a text fits a pattern. */
export type TextMatcher = (text: string) => boolean;

/**
 * The wildcards of a pattern: `*` matches any text, also the empty one; with `*?`, `?` matches
 * exactly one character. Policies know only `*`, because a tool's name may contain `?`. Filters of
 * the audit log know both.
 */
export type Wildcards = "*" | "*?";

/**
 * Compiles a pattern; every character that is not a wildcard matches itself.
 *
 * The matcher never backtracks: it searches the pieces between the stars from left to right, so the
 * work is linear in the text for each piece.
 */
export function compileGlob(pattern: string, wildcards: Wildcards = "*"): TextMatcher {
  if (!isGlob(pattern, wildcards)) return (text) => text === pattern;
  const [first = pieceOf("", wildcards), ...rest] = pattern.split("*")
    .map((piece) => pieceOf(piece, wildcards));
  const last = rest.pop();
  if (last === undefined) return (text) => text.length === first.length && first.isAt(text, 0);
  const pieces = rest.filter(({ length }) => length > 0);
  return (text) => {
    const end = text.length - last.length;
    if (end < first.length || !first.isAt(text, 0) || !last.isAt(text, end)) return false;
    let at = first.length;
    for (const piece of pieces) {
      const found = piece.find(text, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

/** True if the pattern holds a wildcard and may match several texts. */
export function isGlob(pattern: string, wildcards: Wildcards = "*"): boolean {
  return pattern.includes("*") || (wildcards === "*?" && pattern.includes("?"));
}

/** The part of a pattern between two stars. */
interface Piece {
  readonly length: number;
  readonly isAt: (text: string, index: number) => boolean;
  /** First index of the piece at or after `from`; -1 if there is none. */
  readonly find: (text: string, from: number) => number;
}

function pieceOf(piece: string, wildcards: Wildcards): Piece {
  const { length } = piece;
  if (wildcards === "*" || !piece.includes("?")) {
    return {
      length,
      isAt: (text, index) => text.startsWith(piece, index),
      find: (text, from) => text.indexOf(piece, from),
    };
  }
  const isAt = (text: string, index: number) => {
    if (index + length > text.length) return false;
    for (let offset = 0; offset < length; offset++) {
      if (piece[offset] !== "?" && piece[offset] !== text[index + offset]) return false;
    }
    return true;
  };
  const find = (text: string, from: number) => {
    for (let index = from; index + length <= text.length; index++) {
      if (isAt(text, index)) return index;
    }
    return -1;
  };
  return { length, isAt, find };
}
