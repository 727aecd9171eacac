import type { AuditLog } from "../audit/audit_log.ts";
import type { AuditFilter } from "../audit/audit_query.ts";
import {
  EXPORT_MEDIA_TYPES,
  exportAudit,
  type ExportFormat,
} from "../audit/export/export_audit.ts";
import type { AuditRecord } from "../model/event.ts";

export interface ExportRecordsDeps {
  readonly audit: Pick<AuditLog, "chain" | "records" | "ensureCheckpoint" | "health">;
}

/**
 * Streams records as a file, oldest first, as fast as the reader takes them.
 *
 * JSON lines of all records, or of all since a time, end with a checkpoint of their own. With the
 * public key a reader can verify that no record was changed or cut off.
 */
export async function exportRecords(
  { audit }: ExportRecordsDeps,
  filter: AuditFilter,
  format: ExportFormat,
): Promise<Response> {
  const { limit, after: _, ...wanted } = filter;
  const { since: _since, ...others } = wanted;
  const isWhole = limit === undefined &&
    Object.values(others).every((value) => value === undefined);
  const records = format === "jsonl" && isWhole && audit.health().ok
    ? upTo(audit.records(wanted), audit.chain, await audit.ensureCheckpoint())
    : audit.records(wanted);
  const bytes = exportAudit(limit === undefined ? records : take(records, limit), format);
  return new Response(ReadableStream.from(bytes), {
    headers: { "content-type": EXPORT_MEDIA_TYPES[format] },
  });
}

/** Leaves out records that this chain got after its checkpoint. */
async function* upTo(
  records: AsyncIterable<AuditRecord>,
  chain: string,
  size: number,
): AsyncGenerator<AuditRecord> {
  for await (const record of records) {
    if (record.chain !== chain || record.seq < size) yield record;
  }
}

async function* take<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  let left = count;
  if (left <= 0) return;
  for await (const item of items) {
    yield item;
    if (--left === 0) return;
  }
}
