/**
 * Tasks: what records belong to one piece of a client's work.
 *
 * A task is the client's task id, else its trace, else whatever one principal does with one client
 * until it is idle for five minutes.
 */
import type { AuditKind, AuditRecord } from "../model/event.ts";

export const IDLE_GAP_MS = 300_000;
/** Tasks held at once; what goes beyond is not counted, and the report says so. */
const TASKS_MAX = 500_000;

export type TaskSource = "task" | "trace" | "idle";

export interface TaskExecution {
  readonly id: string;
  /** null while it runs. */
  status: string | null;
  endMs: number;
  calls: number;
}

export interface Task {
  readonly source: TaskSource;
  readonly principal: string;
  readonly client: string;
  readonly space: string;
  readonly groups: readonly string[];
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  lastMs: number;
  readonly executions: TaskExecution[];
  readonly tools: Set<string>;
  /** Estimates: definitions, code and results that went over the gate to the model. */
  gatewayTokens: number;
  /** As reported; null when nobody did. */
  modelTokens: number | null;
  costUsd: number;
  waitHumanMs: number;
  /** As reported; null when nobody did. */
  success: boolean | null;
}

export interface TaskTable {
  /** The task a record belongs to; null if it belongs to none. */
  taskOf(record: AuditRecord): Task | null;
  all(): Iterable<Task>;
  isFull(): boolean;
}

export function createTaskTable(): TaskTable {
  const tasks: Task[] = [];
  const byKey = new Map<string, Task>();
  const byExecution = new Map<string, Task>();
  let full = false;

  function open(record: AuditRecord, key: string, source: TaskSource): Task | null {
    if (tasks.length >= TASKS_MAX) {
      full = true;
      return null;
    }
    const task = newTask(record, source);
    tasks.push(task);
    byKey.set(key, task);
    return task;
  }

  return {
    taskOf(record) {
      if (!isWork(record)) return null;
      const { execution } = record;
      const known = execution === undefined ? undefined : byExecution.get(execution);
      let task = known ?? null;
      if (task === null) {
        const { key, source } = keyOfTask(record);
        const current = byKey.get(key);
        const isSame = current !== undefined &&
          (source !== "idle" || Date.parse(record.ts) - current.lastMs <= IDLE_GAP_MS);
        if (isSame) task = current;
        else if (record.kind === "search" || record.kind === "execution.start") {
          task = open(record, key, source);
        }
      }
      if (task === null) return null;
      if (execution !== undefined) byExecution.set(execution, task);
      task.lastMs = Math.max(task.lastMs, Date.parse(record.ts));
      return task;
    },
    all: () => tasks,
    isFull: () => full,
  };
}

/** Records of a client's work; what operators do belongs to no task. */
function isWork(record: AuditRecord): boolean {
  if (record.kind !== "admin") return !APART.has(record.kind);
  return record.detail?.type === "feedback" || record.detail?.type === "usage";
}

const APART: ReadonlySet<AuditKind> = new Set<AuditKind>([
  "catalog.change",
  "policy.activate",
  "auth.fail",
  "checkpoint",
]);

function newTask(record: AuditRecord, source: TaskSource): Task {
  const startMs = Date.parse(record.ts);
  return {
    source,
    principal: record.actor?.sub ?? "",
    client: record.actor?.client ?? "",
    space: record.space ?? "",
    groups: record.actor?.groups ?? [],
    startMs,
    lastMs: startMs,
    executions: [],
    tools: new Set(),
    gatewayTokens: 0,
    modelTokens: null,
    costUsd: 0,
    waitHumanMs: 0,
    success: null,
  };
}

function keyOfTask(record: AuditRecord): { key: string; source: TaskSource } {
  const { actor, task, trace } = record;
  // The same id from two principals is not the same task.
  const who = JSON.stringify([actor?.iss ?? "", actor?.sub ?? ""]);
  if (task !== undefined) return { key: `task ${who} ${task}`, source: "task" };
  if (trace !== undefined) return { key: `trace ${who} ${traceId(trace)}`, source: "trace" };
  return { key: `idle ${who} ${actor?.client ?? ""}`, source: "idle" };
}

/** A `traceparent` names the trace and one span of it. */
function traceId(trace: string): string {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(trace)?.[1] ?? trace;
}

export type TaskOutcome = "success" | "failure" | "open";

/** How a task ended: what was reported, else what its last execution says. */
export function outcomeOf(task: Task): { outcome: TaskOutcome; explicit: boolean } {
  if (task.success !== null) {
    return { outcome: task.success ? "success" : "failure", explicit: true };
  }
  const last = task.executions.at(-1);
  if (last === undefined || last.status === null || last.status === "approval_required") {
    return { outcome: "open", explicit: false };
  }
  return { outcome: last.status === "ok" ? "success" : "failure", explicit: false };
}

/** The first execution was enough. */
export function isFirstTrySuccess(task: Task): boolean {
  return task.executions.length === 1 && task.executions[0]?.status === "ok";
}

/** The first execution made two calls or more. */
export function isMultiHop(task: Task): boolean {
  return (task.executions[0]?.calls ?? 0) >= 2;
}

/** Milliseconds from the first request to the end of the last successful execution; null without one. */
export function finishMs(task: Task): { wall: number; active: number } | null {
  const last = task.executions.findLast(({ status }) => status === "ok");
  if (last === undefined) return null;
  const wall = Math.max(0, last.endMs - task.startMs);
  return { wall, active: Math.max(0, wall - task.waitHumanMs) };
}
