import { numbersToJson } from "../../model/json/exact_json.ts";
import { isNode } from "./document.ts";
import { essenceOf } from "./media_type.ts";
import { UnwritableError } from "./write_parameters.ts";

/**
 * Several JSON values, each ended by a newline; RFC 7464 also puts a separator before each.
 * @see RFC 7464
 */
export function writeJsonLines(value: unknown, contentType: string): string {
  const values = Array.isArray(value) ? value : [value];
  const before = essenceOf(contentType).endsWith("json-seq") ? "\x1e" : "";
  return values.map((each) => `${before}${numbersToJson(each)}\n`).join("");
}

/**
 * Rows as CSV: objects below a line with all their names, lists unchanged.
 *
 * @see RFC 4180
 */
export function writeTable(value: unknown, contentType: string): string {
  const isTabbed = essenceOf(contentType) === "text/tab-separated-values";
  const rows = Array.isArray(value) ? value : [value];
  const names = [...new Set(rows.flatMap((row) => isNode(row) ? Object.keys(row) : []))];
  const cells = rows.map((row) => {
    if (Array.isArray(row)) return row;
    return isNode(row) ? names.map((name) => Object.hasOwn(row, name) ? row[name] : "") : [row];
  });
  const table = names.length === 0 ? cells : [names, ...cells];
  return table.map((row) =>
    row.map((each) => isTabbed ? tabbed(cellText(each)) : quoted(cellText(each)))
      .join(isTabbed ? "\t" : ",") + "\r\n"
  ).join("");
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? numbersToJson(value) : String(value);
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function tabbed(text: string): string {
  if (!/[\t\r\n]/.test(text)) return text;
  throw new UnwritableError("a value has a tab or a line break, which this table cannot hold");
}
