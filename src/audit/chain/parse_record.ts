import type { AuditRecord } from "../../model/event.ts";
import { canonicalJson } from "../../model/json/canonical_json.ts";
import { RECORD_BYTES_MAX } from "../audit_record.ts";

/** @returns the record, or why the line is not one, as the end of a sentence about the line. */
export function parseRecord(line: string, chain: string): AuditRecord | string {
  if (line.length > RECORD_BYTES_MAX * 2) return "is longer than a record can be";
  let record: AuditRecord;
  try {
    record = JSON.parse(line);
    if (canonicalJson(record) !== line) return "is not canonical JSON";
  } catch {
    return "is not JSON";
  }
  if (typeof record !== "object" || record === null || record.v !== 1) {
    return "is not a record of a known version";
  }
  if (record.chain !== chain) return "is of another chain";
  const numbered = Number.isSafeInteger(record.seq) && record.seq >= 0;
  const linked = typeof record.prev === "string" && /^[0-9a-f]{64}$/.test(record.prev);
  const dated = typeof record.ts === "string" && !Number.isNaN(Date.parse(record.ts));
  const named = typeof record.kind === "string";
  return numbered && linked && dated && named ? record : "lacks its place in the chain";
}
