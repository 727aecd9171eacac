import type { AuditRecord } from "../model/event.ts";

/**
 * Why records belong to one task: the same task id of the client, the same trace, the same session,
 * or only time (`gap`): one principal and client, with pauses of at most five minutes.
 */
export const TASK_SOURCES = ["task", "trace", "session", "gap"] as const;
export type TaskSource = (typeof TASK_SOURCES)[number];

/** For source `gap`: a longer pause of one principal with one client starts a new task. */
export const IDLE_GAP_MS = 5 * 60_000;

export interface TaskKey {
  readonly source: TaskSource;
  /** Keys of different principals always differ, although clients choose task ids freely. */
  readonly key: string;
}

/** The MCP endpoint puts this prefix before a session id. */
const SESSION = "session:";

/** @returns null for a record without an actor. */
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
