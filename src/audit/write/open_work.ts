import type { AuditEvent, AuditRecord } from "../../model/event.ts";
import { needsOutcome } from "../audit_record.ts";

/** Calls and executions that have begun and not ended, with the numbers of their first records. */
export interface OpenWork {
  see(record: AuditRecord): void;
  /** As `[name, seq]`, where the name is `call:<id>` or `execution:<id>`. */
  entries(): [string, number][];
  calls(): string[];
  copy(): OpenWork;
}

/** More than any service has under way at once; above it the oldest entry is dropped. */
const OPEN_MAX = 100_000;

export function createOpenWork(from: Iterable<readonly [string, number]> = []): OpenWork {
  const open = new Map<string, number>(from);
  return {
    see(record) {
      const begun = beginOf(record);
      if (begun !== null) {
        open.set(begun, record.seq);
        const oldest = open.size > OPEN_MAX ? open.keys().next().value : undefined;
        if (oldest !== undefined) open.delete(oldest);
      }
      const ended = endOf(record);
      if (ended !== null) open.delete(ended);
    },
    entries: () => [...open],
    calls: () =>
      [...open.keys()].filter((name) => name.startsWith("call:")).map((name) => name.slice(5)),
    copy: () => createOpenWork(open),
  };
}

function beginOf(record: AuditRecord): string | null {
  if (needsOutcome(record)) return `call:${record.call}`;
  return record.kind === "execution.start" && record.execution !== undefined
    ? `execution:${record.execution}`
    : null;
}

function endOf(record: AuditRecord): string | null {
  if (record.kind === "call.outcome" && record.call !== undefined) return `call:${record.call}`;
  return record.kind === "execution.end" && record.execution !== undefined
    ? `execution:${record.execution}`
    : null;
}

/** The final record of a call or execution that a crash left open. */
export function describeUnknown(begun: AuditRecord): AuditEvent {
  const { actor, space, task, trace, execution, call, tool } = begun;
  const isCall = begun.kind === "call.intent";
  return {
    kind: isCall ? "call.outcome" : "execution.end",
    ...(actor ? { actor } : {}),
    ...(space ? { space } : {}),
    ...(task ? { task } : {}),
    ...(trace ? { trace } : {}),
    ...(execution ? { execution } : {}),
    ...(isCall && call ? { call } : {}),
    ...(isCall && tool ? { tool } : {}),
    result: { status: "unknown" },
    err: {
      code: "ERR_OUTCOME_UNKNOWN",
      message: "The service ended before it could record what happened",
    },
  };
}
