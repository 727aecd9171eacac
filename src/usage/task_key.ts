import type { AuditRecord } from "../model/event.ts";

/**
 * What made records one task: the client's task id, its trace, its session, or nothing but time: a
 * principal's records through one client with less than five idle minutes between them.
 */
export const TASK_SOURCES = ["task", "trace", "session", "gap"] as const;
export type TaskSource = (typeof TASK_SOURCES)[number];

/** A longer pause of one principal in one client begins another task. */
export const IDLE_GAP_MS = 5 * 60_000;

export interface TaskKey {
  readonly source: TaskSource;
  /** Names of different principals never meet: a client chooses its task ids freely. */
  readonly key: string;
}

/** What the MCP face puts before the id of a session. */
const SESSION = "session:";

/** @returns null for a record that nobody caused (no actor). */
export function taskKeyOf(record: AuditRecord): TaskKey | null {
  const { actor, task, trace } = record;
  if (actor === undefined) return null;
  const key = (source: TaskSource, id: string): TaskKey => ({
    source,
    key: JSON.stringify([source, id, actor.iss, actor.sub]),
  });
  if (task !== undefined && !task.startsWith(SESSION)) return key("task", task);
  const traceId = trace === undefined ? null : traceIdOf(trace);
  if (traceId !== null) return key("trace", traceId);
  if (task !== undefined) return key("session", task);
  return key("gap", actor.client);
}

/** @see W3C Trace Context, section 3.2: `00-<trace id>-<parent id>-<flags>` */
function traceIdOf(traceparent: string): string | null {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1] ?? null;
}
