import type { AuditLog } from "../audit/audit_log.ts";
import type { AuditRecord } from "../model/event.ts";
import {
  type ExecutionView,
  type PayloadWish,
  recordKey,
  type RecordPayloads,
} from "./console_deps.ts";

/** Records of one execution at most; the page says when there are more. */
const RECORDS_MAX = 5_000;
/** Calls whose payloads are opened at once; opening costs, and few pages need more. */
const CALLS_OPENED_MAX = 20;

/** Everything about one execution; null if the log does not know it. */
export async function showExecution(
  audit: Pick<AuditLog, "query" | "payloads">,
  id: string,
  wish: PayloadWish | null,
): Promise<ExecutionView | null> {
  const page = await audit.query({ execution: id, limit: RECORDS_MAX });
  const records = page.records.toReversed();
  if (records.length === 0) return null;
  const truncated = page.next !== undefined;
  if (wish === null) return { records, payloads: null, unopened: new Set(), truncated };
  const calls = new Set(records.flatMap((record) => record.call ?? []));
  const opened = new Set([...calls].slice(0, CALLS_OPENED_MAX));
  if (wish.call !== null) opened.add(wish.call);
  return {
    records,
    payloads: await openPayloads(
      audit,
      records.filter(({ call }) => call === undefined || opened.has(call)),
    ),
    unopened: calls.difference(opened),
    truncated,
  };
}

async function openPayloads(
  audit: Pick<AuditLog, "payloads">,
  records: readonly AuditRecord[],
): Promise<ReadonlyMap<string, RecordPayloads>> {
  const opened = new Map<string, RecordPayloads>();
  await Promise.all(records.map(async (record) => {
    if (record.args === undefined && record.result?.commit === undefined && !record.code) return;
    const payloads = await audit.payloads(record);
    if (payloads !== null) opened.set(recordKey(record), payloads);
  }));
  return opened;
}
