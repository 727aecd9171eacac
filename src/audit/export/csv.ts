import type { AuditRecord } from "../../model/event.ts";
import { EXPORT_COLUMNS } from "./columns.ts";
import { quoteCsv } from "./quote_csv.ts";

/** The first line of a CSV export. */
export function renderCsvHeader(): string {
  return `${EXPORT_COLUMNS.map(({ name }) => name).join(",")}\r\n`;
}

/** One record as a line of CSV. RFC 4180. */
export function renderCsvLine(record: AuditRecord): string {
  const fields = EXPORT_COLUMNS.map(({ type, read }) => {
    const value = read(record);
    if (value === null) return "";
    if (type === "time") return new Date(value).toISOString();
    return type === "text" ? quoteCsv(String(value)) : String(value);
  });
  return `${fields.join(",")}\r\n`;
}
