/** Tells whether a text fits a pattern. */
export type TextMatcher = (text: string) => boolean;

/**
 * Which characters of a pattern stand for others: `*` for any text, the empty one included, and with
 * `*?` also `?` for exactly one character. Policies know only `*`, since names of tools may hold a `?`;
 * filters of the audit log know both.
 */
export type Wildcards = "*" | "*?";

/**
 * Compiles a pattern; every character that is not a wildcard stands for itself.
 *
 * There is no backtracking: the pieces between the stars are looked for from left to right, so the work
 * is linear in the text for each piece.
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

/** True if the pattern holds a wildcard, and so may fit more than one text. */
export function isGlob(pattern: string, wildcards: Wildcards = "*"): boolean {
  return pattern.includes("*") || (wildcards === "*?" && pattern.includes("?"));
}

/** What stands between two stars of a pattern. */
interface Piece {
  readonly length: number;
  readonly isAt: (text: string, index: number) => boolean;
  /** Where the piece stands first, from an index on; -1 if nowhere. */
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
