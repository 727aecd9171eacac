import type { AuditLog } from "../audit/audit_log.ts";
import type { AuditRecord } from "../model/event.ts";
import type { ExecutionStatus } from "../model/execution.ts";
import { type ShownEffect, verdictOf } from "../model/verdict.ts";

/**
 * The current executions, collected from the audit log as it grows.
 *
 * The log is the only source: a running execution has a durable start record and no end record yet.
 */
export interface LiveExecutions {
  /** Running executions and the newest ended ones, newest first. */
  list(): readonly ExecutionSummary[];
  close(): void;
}

/** One execution in a list. */
export interface ExecutionSummary {
  readonly id: string;
  readonly sub: string;
  readonly client: string;
  readonly space: string;
  /** `lost`: it started longer ago than an execution may take, and has no end. */
  readonly status: "running" | "lost" | ExecutionStatus;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** Duration, so far if running, by a clock that cannot be set; null if unknown. */
  readonly tookMs: number | null;
  /** Number of calls by effect; a call without an outcome yet counts as `allow`. */
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
  /** Milliseconds by a clock that cannot be set. */
  readonly steadyNow?: () => number;
}

/** Records read at the start, so that a new process can show past executions. */
const SEED_RECORDS = 2_000;
const ENDED_MAX = 100;
const RUNNING_MAX = 2_000;
/** Executions take at most ten minutes; one without an end after this has lost its process. */
const LOST_AFTER_MS = 15 * 60_000;

type Fold = { -readonly [name in keyof ExecutionSummary]: ExecutionSummary[name] } & {
  /** Calls with an intent but without an outcome yet. */
  readonly open: Set<string>;
  /** Start by the steady clock. */
  readonly beganAt: number;
  /** Number of the start, for sorting: the clock may have been set in between. */
  readonly order: number;
};

export async function openLiveExecutions(deps: LiveExecutionsDeps): Promise<LiveExecutions> {
  const folds = createFolds(deps.now, deps.steadyNow ?? (() => performance.now()));
  // New records wait while old ones are read, so that each record is taken once and in order.
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

/** Collects records into executions, one record at a time and in order. */
function createFolds(now: () => number, steadyNow: () => number) {
  const running = new Map<string, Fold>();
  const ended: Fold[] = [];
  let starts = 0;

  function start(id: string, record: AuditRecord): void {
    if (running.size >= RUNNING_MAX) dropLost();
    if (running.size >= RUNNING_MAX) return;
    // Treat a start in the future as now, because clocks of replicas differ.
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
 * Counts each call once: as `allow` at its intent, then by its outcome. A call that the gate
 * stopped has only an outcome.
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
