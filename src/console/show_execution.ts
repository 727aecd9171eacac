import type { AuditLog } from "../audit/audit_log.ts";
import type { AuditRecord } from "../model/event.ts";
import { type ExecutionView, recordKey, type RecordPayloads } from "./console_deps.ts";

/** Records of one execution at most; the page says when there are more. */
const RECORDS_MAX = 5_000;
/** Payloads are opened for the records that a page shows, at both ends of the execution. */
const PAYLOADS_MAX = 700;

/** Everything about one execution; null if the log does not know it. */
export async function showExecution(
  audit: Pick<AuditLog, "query" | "payloads">,
  id: string,
  wantsPayloads: boolean,
): Promise<ExecutionView | null> {
  const page = await audit.query({ execution: id, limit: RECORDS_MAX });
  const records = page.records.toReversed();
  if (records.length === 0) return null;
  return {
    records,
    payloads: wantsPayloads ? await openPayloads(audit, records) : null,
    truncated: page.next !== undefined,
  };
}

async function openPayloads(
  audit: Pick<AuditLog, "payloads">,
  records: readonly AuditRecord[],
): Promise<ReadonlyMap<string, RecordPayloads>> {
  const shown = records.length <= PAYLOADS_MAX
    ? records
    : [...records.slice(0, PAYLOADS_MAX - 1), records[records.length - 1] as AuditRecord];
  const opened = new Map<string, RecordPayloads>();
  for (const record of shown) {
    if (record.args === undefined && record.result?.commit === undefined && !record.code) continue;
    const payloads = await audit.payloads(record);
    if (payloads !== null) opened.set(recordKey(record), payloads);
  }
  return opened;
}
