/**
 * What a spreadsheet may run as a formula: also in full width or small form, which some take for the
 * ASCII character, and behind blanks, which some drop.
 */
const FORMULA =
  /^(?:[\t\r\n]|[\s\u200b\u2060\0]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])/;

/**
 * One text as a field of CSV. What a spreadsheet would run as a formula is written behind an apostrophe.
 *
 * @see RFC 4180, OWASP "CSV Injection"
 */
export function quoteCsv(text: string): string {
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
