/** Tells whether a text fits a pattern. */
export type TextMatcher = (text: string) => boolean;

/**
 * Compiles a pattern in which `*` stands for any text, the empty one included.
 *
 * There is no other special character and no backtracking: the pieces between the stars are looked
 * for from left to right, so the work is linear in the text for each piece.
 */
export function compileGlob(pattern: string): TextMatcher {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  const pieces = rest.filter((piece) => piece !== "");
  return (text) => {
    if (text.length < first.length + last.length) return false;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const piece of pieces) {
      const found = text.indexOf(piece, at);
      if (found < 0 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}
