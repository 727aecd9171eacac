/**
 * @returns the index of the quote that ends the string that begins at `opener`; the length of the
 * text if the string does not end.
 */
export function endOfString(json: string, opener: number): number {
  for (let from = opener + 1;;) {
    const quote = json.indexOf('"', from);
    if (quote < 0) return json.length;
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return quote;
    from = quote + 1;
  }
}
