import type { AuditRecord } from "../model/event.ts";
import { IDLE_GAP_MS, type TaskKey, taskKeyOf, type TaskSource } from "./task_key.ts";
import type { TaskFacts } from "./usage_row.ts";

/** A task while its records go by. Times are milliseconds since the epoch. */
export interface Task {
  readonly source: TaskSource;
  readonly principal: string;
  readonly client: string;
  readonly groups: readonly string[];
  readonly spaces: Set<string>;
  /** `server.name` of what it called. */
  readonly tools: Set<string>;
  readonly firstMs: number;
  lastMs: number;
  waitHumanMs: number;
  reported: boolean | null;
  executions: number;
  firstExecution: { readonly id: string; ok: boolean; calls: number } | null;
  /** Whether the newest execute worked; null without one. */
  lastExecuteOk: boolean | null;
  /** Whether the newest call outside a program worked; null without one. */
  lastCallOk: boolean | null;
  isOver: boolean;
}

export interface TrackedExecution {
  readonly task: Task;
  /** `server.name` of what it called. */
  readonly tools: Set<string>;
}

export interface TaskTracker {
  /** The task that a record belongs to, begun if need be; null for a record that nobody caused. */
  touch(record: AuditRecord, ms: number): Task | null;
  /** The task that a report is about; null if it is not known (any more). */
  find(record: AuditRecord, ms: number): Task | null;
  /** The execution that a record belongs to; null outside of one. */
  execution(record: AuditRecord, task: Task): TrackedExecution | null;
  /** Ends every task. */
  endAll(): void;
  /** True once a task was ended because there were too many: its later records count as another. */
  readonly isCut: boolean;
}

export interface TaskTrackerOptions {
  /** Tasks that are remembered at once; the one that was quiet for longest is ended first. */
  readonly tasksMax: number;
  /** Executions that later records and reports can still be about. */
  readonly executionsMax: number;
  readonly onEnd: (task: Task) => void;
}

export function createTaskTracker(options: TaskTrackerOptions): TaskTracker {
  /** The one that was quiet for longest comes first. */
  const open = new Map<string, Task>();
  const executions = new Map<string, TrackedExecution & { readonly key: string }>();
  let isCut = false;

  function end(key: string, task: Task): void {
    open.delete(key);
    task.isOver = true;
    options.onEnd(task);
  }

  function current(key: TaskKey, ms: number): Task | null {
    const task = open.get(key.key);
    if (task === undefined) return null;
    if (key.source !== "gap" || ms - task.lastMs <= IDLE_GAP_MS) return task;
    end(key.key, task);
    return null;
  }

  function begin(key: TaskKey, record: AuditRecord, ms: number): Task {
    const oldest = open.size >= options.tasksMax ? open.entries().next().value : undefined;
    if (oldest !== undefined) {
      isCut = true;
      end(...oldest);
    }
    const { actor } = record;
    return {
      source: key.source,
      principal: actor?.sub ?? "",
      client: actor?.client ?? "",
      groups: actor?.groups ?? [],
      spaces: new Set(),
      tools: new Set(),
      firstMs: ms,
      lastMs: ms,
      waitHumanMs: 0,
      reported: null,
      executions: 0,
      firstExecution: null,
      lastExecuteOk: null,
      lastCallOk: null,
      isOver: false,
    };
  }

  return {
    touch(record, ms) {
      const tracked = record.execution === undefined ? undefined : executions.get(record.execution);
      if (tracked !== undefined && !tracked.task.isOver) {
        moveToEnd(open, tracked.key, tracked.task, ms);
        return tracked.task;
      }
      const key = taskKeyOf(record);
      if (key === null) return null;
      const task = current(key, ms) ?? begin(key, record, ms);
      if (record.space !== undefined) task.spaces.add(record.space);
      moveToEnd(open, key.key, task, ms);
      if (record.kind === "execution.start" && record.execution !== undefined) {
        executions.set(record.execution, { task, tools: new Set(), key: key.key });
        forgetOldest(executions, options.executionsMax);
      }
      return task;
    },
    find(record, ms) {
      if (record.execution !== undefined) {
        const task = executions.get(record.execution)?.task;
        return task === undefined || task.isOver ? null : task;
      }
      const key = taskKeyOf(record);
      return key === null ? null : current(key, ms);
    },
    execution: (record, task) => {
      const tracked = executions.get(record.execution ?? "");
      return tracked?.task === task ? tracked : null;
    },
    endAll() {
      for (const [key, task] of [...open]) end(key, task);
    },
    get isCut() {
      return isCut;
    },
  };
}

export function factsOf(task: Task): TaskFacts {
  return {
    source: task.source,
    reported: task.reported,
    worked: task.lastExecuteOk ?? task.lastCallOk,
    executions: task.executions,
    firstExecuteOk: task.firstExecution?.ok ?? false,
    firstExecuteCalls: task.firstExecution?.calls ?? 0,
    wallMs: task.lastMs - task.firstMs,
    waitHumanMs: task.waitHumanMs,
  };
}

function moveToEnd(open: Map<string, Task>, key: string, task: Task, ms: number): void {
  open.delete(key);
  open.set(key, task);
  task.lastMs = Math.max(task.lastMs, ms);
}

function forgetOldest(map: Map<string, unknown>, max: number): void {
  const oldest = map.size > max ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
}
