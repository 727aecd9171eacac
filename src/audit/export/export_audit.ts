/** Exports records, oldest first, in formats that other programs read. */
import type { AuditRecord } from "../../model/event.ts";
import { canonicalJson } from "../../model/json/canonical_json.ts";
import { renderCef } from "./cef.ts";
import { renderCsvHeader, renderCsvLine } from "./csv.ts";
import { toOcsf } from "./ocsf.ts";
import { renderParquet } from "./parquet.ts";

export const EXPORT_FORMATS = ["jsonl", "ocsf", "cef", "csv", "parquet"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_MEDIA_TYPES: { readonly [format in ExportFormat]: string } = {
  jsonl: "application/x-ndjson",
  ocsf: "application/x-ndjson",
  cef: "text/plain; charset=utf-8",
  csv: "text/csv; charset=utf-8; header=present",
  parquet: "application/vnd.apache.parquet",
};

/** Characters of one piece of the export. */
const PIECE_CHARACTERS = 65_536;

/**
 * The bytes of an export, piece by piece.
 *
 * `jsonl` is the log's own format: a verifier can check its lines against the chain.
 */
export async function* exportAudit(
  records: AsyncIterable<AuditRecord>,
  format: ExportFormat,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (format === "parquet") {
    yield* renderParquet(records);
    return;
  }
  const encoder = new TextEncoder();
  let piece = format === "csv" ? renderCsvHeader() : "";
  for await (const record of records) {
    piece += renderLine(record, format);
    if (piece.length < PIECE_CHARACTERS) continue;
    yield encoder.encode(piece);
    piece = "";
  }
  if (piece !== "") yield encoder.encode(piece);
}

/** One record as a line, with the line break. */
export function renderLine(
  record: AuditRecord,
  format: Exclude<ExportFormat, "parquet">,
): string {
  switch (format) {
    case "jsonl":
      return `${canonicalJson(record)}\n`;
    case "ocsf":
      return `${JSON.stringify(toOcsf(record))}\n`;
    case "cef":
      return `${renderCef(record)}\n`;
    case "csv":
      return renderCsvLine(record);
  }
}
