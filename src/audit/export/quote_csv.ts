/**
 * Text that a spreadsheet may run as a formula. Some spreadsheets treat full-width and small forms
 * like the ASCII character, and some drop leading blanks.
 */
const FORMULA =
  /^(?:[\t\r\n]|[\s\u200b\u2060\0]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])/;

/**
 * Renders a text as a CSV field. Text that a spreadsheet may run as a formula gets an apostrophe in
 * front.
 *
 * @see RFC 4180, OWASP "CSV Injection"
 */
export function quoteCsv(text: string): string {
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
