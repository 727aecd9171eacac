import type { UsageReport, UsageRow } from "./kpi.ts";
import { quoteCsv } from "./quote_csv.ts";

/** A usage report for a spreadsheet: one line per row, then the total. RFC 4180. */
export function renderUsageCsv(report: UsageReport): string {
  const names = Object.keys(report.total) as (keyof UsageRow)[];
  const line = (row: UsageRow) => `${names.map((name) => renderField(row[name])).join(",")}\r\n`;
  return `${names.join(",")}\r\n${[...report.rows, report.total].map(line).join("")}`;
}

function renderField(value: string | number | null): string {
  if (value === null) return "";
  return typeof value === "number" ? String(value) : quoteCsv(value);
}
