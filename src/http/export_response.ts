import type { AuditFilter } from "../audit/audit_query.ts";
import type { AuditLog } from "../audit/audit_log.ts";
import { EXPORT_FORMATS, EXPORT_MEDIA_TYPES, exportAudit } from "../audit/export_audit.ts";
import { GateError } from "../model/errors.ts";

/**
 * Records as a file, oldest first, made while the reader takes it.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` for a format that there is not.
 */
export function exportResponse(
  audit: Pick<AuditLog, "records">,
  filter: AuditFilter,
  wanted: string,
): Response {
  const format = EXPORT_FORMATS.find((known) => known === wanted);
  if (format === undefined) {
    throw new GateError("ERR_BAD_REQUEST", `Cannot export as "${wanted.slice(0, 40)}"`, {
      hint: `Formats: ${EXPORT_FORMATS.join(", ")}`,
    });
  }
  const { limit, after: _, ...rest } = filter;
  const records = audit.records(rest);
  const bytes = exportAudit(limit === undefined ? records : take(records, limit), format);
  return new Response(ReadableStream.from(bytes), {
    headers: { "content-type": EXPORT_MEDIA_TYPES[format] },
  });
}

async function* take<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  let left = count;
  if (left <= 0) return;
  for await (const item of items) {
    yield item;
    if (--left === 0) return;
  }
}
