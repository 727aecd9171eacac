import type { AuditRecord } from "../model/event.ts";
import { IDLE_GAP_MS, type TaskKey, taskKeyOf, type TaskSource } from "./task_key.ts";
import type { TaskFacts } from "./usage_row.ts";

/** A task whose records are being read. Times are milliseconds since the epoch. */
export interface Task {
  readonly source: TaskSource;
  readonly principal: string;
  readonly client: string;
  readonly groups: readonly string[];
  readonly spaces: Set<string>;
  /** Tools that the task called, as `server.name`. */
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
  /** Tools that the execution called, as `server.name`. */
  readonly tools: Set<string>;
}

export interface TaskTracker {
  /** The task of a record, started if necessary; null for a record without an actor. */
  touch(record: AuditRecord, ms: number): Task | null;
  /** The task that a report is about; null if it is unknown or forgotten. */
  find(record: AuditRecord, ms: number): Task | null;
  /** The execution that a record belongs to; null outside of one. */
  execution(record: AuditRecord, task: Task): TrackedExecution | null;
  /** Ends every task. */
  endAll(): void;
  /** True once a task was ended for lack of room: its later records count as a new task. */
  readonly isCut: boolean;
}

export interface TaskTrackerOptions {
  /** Tasks that are remembered at once; beyond that the one idle longest is ended. */
  readonly tasksMax: number;
  /** Executions that later records and reports can still be about. */
  readonly executionsMax: number;
  readonly onEnd: (task: Task) => void;
}

export function createTaskTracker(options: TaskTrackerOptions): TaskTracker {
  const open = createOpenTasks(options);
  const executions = new Map<string, TrackedExecution & { readonly key: string }>();
  return {
    touch(record, ms) {
      const tracked = record.execution === undefined ? undefined : executions.get(record.execution);
      if (tracked !== undefined && !tracked.task.isOver) {
        open.moveToEnd(tracked.key, tracked.task, ms);
        return tracked.task;
      }
      const key = taskKeyOf(record);
      if (key === null) return null;
      const task = open.current(key, ms) ?? open.begin(key, record, ms);
      if (record.space !== undefined) task.spaces.add(record.space);
      open.moveToEnd(key.key, task, ms);
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
      return key === null ? null : open.current(key, ms);
    },
    execution: (record, task) => {
      const tracked = executions.get(record.execution ?? "");
      return tracked?.task === task ? tracked : null;
    },
    endAll: () => open.endAll(),
    get isCut() {
      return open.isCut;
    },
  };
}

/** Tasks that later records may still belong to. */
interface OpenTasks {
  /** The task of a key; null without one, or after ending a `gap` task whose pause was too long. */
  current(key: TaskKey, ms: number): Task | null;
  /** A new task; ends the one idle longest when there are too many. */
  begin(key: TaskKey, record: AuditRecord, ms: number): Task;
  moveToEnd(key: string, task: Task, ms: number): void;
  endAll(): void;
  readonly isCut: boolean;
}

function createOpenTasks(options: Pick<TaskTrackerOptions, "tasksMax" | "onEnd">): OpenTasks {
  /** The task idle longest comes first. */
  const tasks = new Map<string, Task>();
  let isCut = false;

  function end(key: string, task: Task): void {
    tasks.delete(key);
    task.isOver = true;
    options.onEnd(task);
  }

  return {
    current(key, ms) {
      const task = tasks.get(key.key);
      if (task === undefined) return null;
      if (key.source !== "gap" || ms - task.lastMs <= IDLE_GAP_MS) return task;
      end(key.key, task);
      return null;
    },
    begin(key, record, ms) {
      const oldest = tasks.size >= options.tasksMax ? tasks.entries().next().value : undefined;
      if (oldest !== undefined) {
        isCut = true;
        end(...oldest);
      }
      return newTask(key, record, ms);
    },
    moveToEnd(key, task, ms) {
      tasks.delete(key);
      tasks.set(key, task);
      task.lastMs = Math.max(task.lastMs, ms);
    },
    endAll() {
      for (const [key, task] of [...tasks]) end(key, task);
    },
    get isCut() {
      return isCut;
    },
  };
}

function newTask(key: TaskKey, { actor }: AuditRecord, ms: number): Task {
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

function forgetOldest(map: Map<string, unknown>, max: number): void {
  const oldest = map.size > max ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
}
