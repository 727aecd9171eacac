import type { AuditLog } from "../audit/audit_log.ts";
import type { AuditRecord } from "../model/event.ts";
import type { ExecutionStatus } from "../model/execution.ts";
import { type ShownEffect, verdictOf } from "../model/verdict.ts";

/**
 * The executions of this moment, folded from the audit log as it grows.
 *
 * The log is the only source: what is shown as running has a durable start and no end yet.
 */
export interface LiveExecutions {
  /** Running ones and the newest ended ones, newest first. */
  list(): readonly ExecutionSummary[];
  close(): void;
}

/** One execution in a list. */
export interface ExecutionSummary {
  readonly id: string;
  readonly sub: string;
  readonly client: string;
  readonly space: string;
  /** `lost`: it started and nothing was heard of it for longer than any execution may take. */
  readonly status: "running" | "lost" | ExecutionStatus;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** How long it took, or takes so far, by no clock that can be set; null: nobody knows. */
  readonly tookMs: number | null;
  /** By what became of them; one without an outcome yet counts as `allow`. */
  readonly calls: { readonly [effect in ShownEffect]?: number };
  /** `server.name` of the newest call. */
  readonly lastTool: string | null;
  /** US dollars so far. */
  readonly cost: number;
  /** Code of the error it ended with. */
  readonly errorCode: string | null;
}

export interface LiveExecutionsDeps {
  readonly queryAudit: AuditLog["query"];
  readonly followAudit: AuditLog["follow"];
  readonly now: () => number;
  /** Milliseconds by a clock that nobody sets. */
  readonly steadyNow?: () => number;
}

/** Records read at the start, so that a fresh process has something to show. */
const SEED_RECORDS = 2_000;
const ENDED_MAX = 100;
const RUNNING_MAX = 2_000;
/** No execution runs longer than ten minutes; a start without an end after this has lost its process. */
const LOST_AFTER_MS = 15 * 60_000;

type Fold = { -readonly [name in keyof ExecutionSummary]: ExecutionSummary[name] } & {
  /** Calls that have an intent and no outcome yet. */
  readonly open: Set<string>;
  /** When it began, by the steady clock. */
  readonly beganAt: number;
  /** Counts starts in the order in which they came: the clock may have been set in between. */
  readonly order: number;
};

export async function openLiveExecutions(deps: LiveExecutionsDeps): Promise<LiveExecutions> {
  const folds = createFolds(deps.now, deps.steadyNow ?? (() => performance.now()));
  // Records that arrive while the past is read wait, so that each is taken once and in order.
  const waiting: AuditRecord[] = [];
  let hear = (record: AuditRecord): void => void waiting.push(record);
  const stop = deps.followAudit((record) => hear(record));
  try {
    const { records } = await deps.queryAudit({ limit: SEED_RECORDS });
    const last = new Map<string, number>();
    for (const record of records.toReversed()) {
      last.set(record.chain, record.seq);
      folds.take(record);
    }
    for (const record of waiting) {
      if (record.seq > (last.get(record.chain) ?? -1)) folds.take(record);
    }
  } catch (error) {
    stop();
    throw error;
  }
  hear = folds.take;
  return { list: folds.list, close: stop };
}

/** Folds records into executions, one record at a time and in their order. */
function createFolds(now: () => number, steadyNow: () => number) {
  const running = new Map<string, Fold>();
  const ended: Fold[] = [];
  let starts = 0;

  function start(id: string, record: AuditRecord): void {
    if (running.size >= RUNNING_MAX) dropLost();
    if (running.size >= RUNNING_MAX) return;
    // A start that lies ahead of the clock has just begun, for all that anybody knows.
    const agoMs = Math.max(0, now() - Date.parse(record.ts));
    const beganAt = steadyNow() - agoMs;
    running.set(id, { ...startOf(id, record), open: new Set(), beganAt, order: starts++ });
  }

  function end(fold: Fold): void {
    running.delete(fold.id);
    ended.unshift(fold);
    if (ended.length > ENDED_MAX) ended.pop();
  }

  function dropLost(): void {
    for (const fold of running.values()) {
      if (steadyNow() - fold.beganAt <= LOST_AFTER_MS) continue;
      fold.status = "lost";
      end(fold);
    }
  }

  return {
    take(record: AuditRecord): void {
      const { execution } = record;
      if (execution === undefined) return;
      if (record.kind === "execution.start") return start(execution, record);
      const fold = running.get(execution);
      if (fold === undefined) return;
      if (record.kind !== "execution.end") return addCall(fold, record);
      addEnd(fold, record);
      end(fold);
    },
    list(): readonly ExecutionSummary[] {
      dropLost();
      return [...running.values(), ...ended]
        .toSorted((a, b) => b.order - a.order)
        .map(({ open: _open, beganAt, order: _order, ...fold }) => ({
          ...fold,
          calls: { ...fold.calls },
          tookMs: fold.status === "running" ? steadyNow() - beganAt : fold.tookMs,
        }));
    },
  };
}

function addEnd(fold: Fold, record: AuditRecord): void {
  fold.status = (record.result?.status ?? "error") as ExecutionStatus;
  fold.endedAtMs = Date.parse(record.ts);
  fold.tookMs = record.ms?.total ?? Math.max(0, fold.endedAtMs - fold.startedAtMs);
  fold.errorCode = record.err?.code ?? null;
}

function startOf(id: string, record: AuditRecord): ExecutionSummary {
  return {
    id,
    sub: record.actor?.sub ?? "",
    client: record.actor?.client ?? "",
    space: record.space ?? "",
    status: "running",
    startedAtMs: Date.parse(record.ts),
    endedAtMs: null,
    tookMs: null,
    calls: {},
    lastTool: null,
    cost: 0,
    errorCode: null,
  };
}

/**
 * A call counts once: as let through with its intent, then as what its outcome says. A call that was
 * stopped before has only an outcome.
 */
function addCall(fold: Fold, record: AuditRecord): void {
  if (record.kind !== "call.intent" && record.kind !== "call.outcome") return;
  fold.cost += record.cost ?? 0;
  if (record.tool !== undefined) fold.lastTool = `${record.tool.server}.${record.tool.name}`;
  const effect = verdictOf(record)?.effect ?? "unknown";
  const counts = { ...fold.calls };
  const add = (one: ShownEffect, by: number) => counts[one] = Math.max(0, (counts[one] ?? 0) + by);
  const { call = "" } = record;
  if (record.kind === "call.intent") fold.open.add(call);
  else if (fold.open.delete(call)) add("allow", -1);
  add(effect, 1);
  fold.calls = counts;
}
