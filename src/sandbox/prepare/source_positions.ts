const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * The mappings of a source map as `[line, column, originalLine, originalColumn]`, all 1-based, in order.
 *
 * @param map JSON text of a source map with one source.
 * @see ECMA-426, mappings structure
 */
export function decodePositions(map: string): number[][] {
  const { mappings } = JSON.parse(map) as { mappings: string };
  const positions: number[][] = [];
  let originalLine = 0;
  let originalColumn = 0;
  mappings.split(";").forEach((group, line) => {
    let column = 0;
    for (const segment of group.split(",")) {
      const numbers = decodeNumbers(segment);
      if (numbers.length < 4) continue;
      column += numbers[0]!;
      originalLine += numbers[2]!;
      originalColumn += numbers[3]!;
      positions.push([line + 1, column + 1, originalLine + 1, originalColumn + 1]);
    }
  });
  return positions;
}

/** Base 64 variable-length quantities. */
function decodeNumbers(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const char of segment) {
    const digit = DIGITS.indexOf(char);
    value += (digit & 31) << shift;
    if (digit & 32) shift += 5;
    else {
      numbers.push(value & 1 ? -(value >> 1) : value >> 1);
      value = 0;
      shift = 0;
    }
  }
  return numbers;
}
