/** @returns the index of the quote that ends the string which begins at `opener`; behind the text if none does */
export function endOfString(json: string, opener: number): number {
  let index = opener + 1;
  while (index < json.length) {
    const code = json.charCodeAt(index);
    if (code === 0x22) return index;
    index += code === 0x5c ? 2 : 1;
  }
  return index;
}
