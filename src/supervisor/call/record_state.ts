import { type ErrorCode, GateError, reportError } from "../../model/errors.ts";
import type { CallSummary, ProgramError } from "../../model/execution.ts";
import { withinMs } from "../../model/time/within_ms.ts";
import type { CallOutcome } from "./tool_call.ts";

/**
 * How an answer reports which calls were made and which are recorded. Rules for all answers:
 *
 * - Before the first durable intent no tool was called; only then may an answer be an error alone.
 * - A call whose intent could not be recorded was not made, and its own error says so for that call
 *   only.
 * - From the first intent on, an answer keeps its id, its calls and its result. `recordPending`
 *   names the records that the audit log has not confirmed in time; their calls were made all the
 *   same.
 * - A call that was sent and has no outcome is listed as `ERR_OUTCOME_UNKNOWN`.
 */

/** How long an ended program's answer waits for its calls that are still under way. */
export const CALLS_PATIENCE_MS = 2_000;

export interface Unconfirmed {
  readonly count: number;
  readonly of: number;
  readonly reason: string;
}

/** Waits for records for a bounded time: the recorded events have happened in any case. */
export async function confirm(
  records: readonly Promise<unknown>[],
  patienceMs: number,
): Promise<Unconfirmed | null> {
  let count = records.length;
  let reason = `the audit log has not answered for ${patienceMs} ms`;
  const all = Promise.all(records.map(async (record) => {
    try {
      await record;
      count--;
    } catch (error) {
      reason = reportError(error).message;
    }
  }));
  await withinMs(all, patienceMs);
  return count === 0 ? null : { count, of: records.length, reason };
}

/** The text of an answer's `recordPending`. */
export function describePending({ count, of, reason }: Unconfirmed): string {
  return `Done, but not confirmed by the audit log yet: ${count} of ${of} records (${reason}). ` +
    "Do not repeat it for this reason";
}

/** The execution is not in the audit log, and has not called any tool. */
export function notBegun(reason: string, cause: unknown): GateError {
  return new GateError("ERR_AUDIT_UNAVAILABLE", reason, {
    hint: "No tool was called. Try again later; the operator sees the cause in the health check",
    cause,
    retryAfterMs: 2_000,
  });
}

/** One finished call as an answer lists it. */
export function summaryOf(call: CallOutcome): CallSummary {
  return {
    tool: call.tool,
    effect: call.effect,
    status: call.ok ? "ok" : call.error.code,
    ms: Math.round(call.ms * 100) / 100,
  };
}

/** The summary of a call that was sent and whose outcome the answer no longer waits for. */
export function unknownCall(
  { tool, since }: { readonly tool: string; readonly since: number },
  now: number,
): CallSummary {
  const ms = Math.round((now - since) * 100) / 100;
  return { tool, effect: "allow", status: "ERR_OUTCOME_UNKNOWN", ms };
}

/** Errors after which a caller usually sends the same program again. */
const SENT_AGAIN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_AUDIT_UNAVAILABLE",
  "ERR_BUSY",
  "ERR_CANCELLED",
  "ERR_INTERNAL",
  "ERR_SANDBOX_CRASH",
  "ERR_SANDBOX_PROTOCOL",
  "ERR_SANDBOX_UNAVAILABLE",
  "ERR_SANDBOX_WALL_TIME",
  "ERR_STORE",
]);

/** Adds a warning to the error of a program that made calls: a second run would repeat them. */
export function afterCalls(error: ProgramError, sentCount: number): ProgramError {
  if (sentCount === 0 || !SENT_AGAIN.has(error.code)) return error;
  const made = sentCount === 1 ? "1 call was made" : `${sentCount} calls were made`;
  const hint = error.hint === "" ? "" : `${error.hint.replace(/\.?$/, ".")} `;
  return {
    ...error,
    hint: `${hint}${made} or begun before this (see "calls"): a second run makes them again`,
  };
}
