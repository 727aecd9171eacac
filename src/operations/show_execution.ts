import type { AuditLog } from "../audit/audit_log.ts";
import type { AuditPayloads } from "../audit/payloads/payload_box.ts";
import type { AuditRecord } from "../model/event.ts";
import type { Principal } from "../model/principal.ts";
import { recordKey } from "../model/record_key.ts";
import { recordAdmin, type RecordAdminDeps } from "./record_admin.ts";

export interface ShowExecutionDeps extends RecordAdminDeps {
  readonly audit: Pick<AuditLog, "append" | "query" | "payloads">;
}

/** The payloads of an execution to open. */
export interface PayloadWish {
  /** Id of one more call to open. */
  readonly call: string | null;
}

export interface ExecutionView {
  /** Oldest first. */
  readonly records: readonly AuditRecord[];
  /** By `recordKey`; null if not requested. A record without an entry has no kept payloads. */
  readonly payloads: ReadonlyMap<string, RecordPayloads> | null;
  /** Calls whose payloads stay closed although others were opened. */
  readonly unopened: ReadonlySet<string>;
  /** True if there are more records than this answer holds. */
  readonly truncated: boolean;
}

/** Texts stored beside a record. `logs`: a JSON array of `{level, text}`. */
export interface RecordPayloads extends AuditPayloads {
  readonly logs?: string;
}

/** Bound on the records of one execution; the page says when there are more. */
const RECORDS_MAX = 5_000;
/** Calls whose payloads are opened at once; opening takes time, and few pages need more. */
const CALLS_OPENED_MAX = 20;

/**
 * Everything about one execution.
 *
 * @param wish payloads to open, which is recorded; callers must require scope `auditor` first.
 * @returns null if the log does not know the execution.
 */
export async function showExecution(
  deps: ShowExecutionDeps,
  principal: Principal,
  id: string,
  wish: PayloadWish | null,
): Promise<ExecutionView | null> {
  const view = await readExecution(deps.audit, id, wish);
  if (view === null || wish === null) return view;
  const call = wish.call === null ? {} : { call: wish.call };
  await recordAdmin(deps, principal, "payloads.read", { execution: id, ...call });
  return view;
}

async function readExecution(
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
