/**
 * One text as a field of CSV. What a spreadsheet would run as a formula is written behind an apostrophe.
 *
 * @see RFC 4180
 */
export function quoteCsv(text: string): string {
  const harmless = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
