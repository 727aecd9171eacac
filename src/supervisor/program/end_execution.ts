import type { AuditLog } from "../../audit/audit_log.ts";
import { reportError } from "../../model/errors.ts";
import type { ExecutionResult } from "../../model/execution.ts";
import { roundMs } from "../call/record_outcome.ts";
import { confirm, describePending, notBegun } from "../call/record_state.ts";
import type { BegunExecution } from "./begin_execution.ts";
import type { DescribedExecution } from "./describe_execution.ts";

export interface EndExecutionDeps {
  readonly now: () => number;
  readonly audit: Pick<AuditLog, "append">;
  readonly countTokens: (text: string) => number;
  /** How long the answer waits for the audit records of the execution. */
  readonly recordPatienceMs: number;
}

/**
 * Records the end of an execution, and waits for all of its records for a bounded time.
 *
 * @throws {GateError} `ERR_AUDIT_UNAVAILABLE` if the start is not recorded: then no tool was
 *   called.
 */
export async function endExecution(
  deps: EndExecutionDeps,
  begun: BegunExecution,
  { outcome, result, resultJson, resultBytes }: DescribedExecution,
): Promise<ExecutionResult> {
  const { base, code, context, request, started, trace } = begun;
  const { calls, error, status, usage } = result;
  trace.end(status, { "toolgate.calls": calls.length, "toolgate.wall_ms": usage.wallMs });
  const ended = deps.audit.append({
    ...base,
    kind: "execution.end",
    code,
    result: { status, bytes: resultBytes, tokensKeptOut: usage.tokensKeptOut },
    ...(outcome.error === null
      ? {}
      : { err: { code: outcome.error.code, message: outcome.error.message } }),
    ms: { total: usage.wallMs },
    detail: {
      calls: calls.length,
      cpuMs: roundMs(outcome.cpuMs),
      tokensReturned: usage.tokensReturned,
      codeTokens: deps.countTokens(request.code),
      ...(error?.line === undefined ? {} : { line: error.line }),
      ...(context.dryRun ? { dryRun: true } : {}),
      ...(outcome.oversize === null ? {} : {
        oversizeBytes: outcome.oversize.bytes,
        kept: result.handle !== undefined,
      }),
    },
  }, resultJson === null ? {} : { result: resultJson });
  const records = [started, ...context.recorded, ended];
  const unconfirmed = await confirm(records, deps.recordPatienceMs);
  if (unconfirmed === null) return result;
  // No call passes before the start is durable, so there is no result to keep.
  if (!begun.isRecorded()) throw context.start.refused ?? notBegun(unconfirmed.reason, null);
  return { ...result, recordPending: describePending(unconfirmed) };
}

/** Records the end of an execution that has called no tool, and throws its error. */
export async function refuseExecution(
  deps: EndExecutionDeps,
  { base, context, started, startedAt, trace }: BegunExecution,
  error: unknown,
): Promise<never> {
  const { code, message } = reportError(error);
  trace.end(code, {});
  // Without a recorded start there is no end to record.
  if (context.start.refused !== null) throw error;
  const ended = deps.audit.append({
    ...base,
    kind: "execution.end",
    result: { status: "error" },
    err: { code, message },
    ms: { total: roundMs(deps.now() - startedAt) },
  });
  await confirm([started, ended], deps.recordPatienceMs);
  throw error;
}
