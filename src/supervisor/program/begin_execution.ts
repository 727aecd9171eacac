import type { AuditLog } from "../../audit/audit_log.ts";
import { reportError } from "../../model/errors.ts";
import type { AuditEvent } from "../../model/event.ts";
import type { Limits } from "../../model/limits.ts";
import { sha256Hex } from "../../model/sha256.ts";
import type { Policy } from "../../policy/policy.ts";
import { eventOrigin } from "../event_origin.ts";
import { notBegun } from "../call/record_state.ts";
import { type ExecutionContext, newContext } from "../execution_context.ts";
import { type ExecutionTrace, startExecution } from "../tracing.ts";
import type { ExecuteRequest } from "./execution_request.ts";
import type { Seed } from "./program_run.ts";

export interface BeginExecutionDeps {
  readonly now: () => number;
  readonly audit: Pick<AuditLog, "append">;
  readonly policy: () => Pick<Policy, "groups">;
  readonly limits: Limits;
  readonly newId: () => string;
  /** Makes the clock and randomness of one program; a replay uses the same seed. */
  readonly newSeed: () => Seed;
}

/** An execution whose start is on its way into the log. */
export interface BegunExecution {
  readonly request: ExecuteRequest;
  readonly context: ExecutionContext;
  readonly seed: Seed;
  readonly code: { readonly sha256: string; readonly bytes: number };
  /** The fields that all audit records of the execution share. */
  readonly base: AuditEvent;
  readonly startedAt: number;
  readonly trace: ExecutionTrace;
  /**
   * Resolves when the start is recorded. Rejects if it cannot be; `context.start` then says why.
   */
  readonly started: Promise<unknown>;
  /** Whether the start is durable. */
  readonly isRecorded: () => boolean;
  /** Aborts if the start cannot be recorded, which stops the program. */
  readonly refusal: AbortSignal;
}

/** Gives an execution its id, its limits and its seed, and records its start. */
export function beginExecution(deps: BeginExecutionDeps, request: ExecuteRequest): BegunExecution {
  const startedAt = deps.now();
  const limits = limitsOf(deps.limits, request.timeoutMs);
  const id = deps.newId();
  const trace = startExecution(id, request.space, request.traceparent);
  const context = newContext({ id, request, limits, span: trace.context, startedAt });
  const seed = deps.newSeed();
  const base: AuditEvent = {
    kind: "execution.start",
    ...eventOrigin(request, deps.policy()),
    execution: id,
  };
  const codeBytes = new TextEncoder().encode(request.code);
  const code = { sha256: sha256Hex(codeBytes), bytes: codeBytes.length };
  // Not awaited here: the log keeps order, so the start is durable before the first intent is.
  const started = deps.audit.append({ ...base, kind: "execution.start", code }, {
    // A program over the limit never runs: its digest and size are enough.
    ...(code.bytes > limits.codeBytesMax ? {} : { code: JSON.stringify(request.code) }),
    // The seed stays out of the chain: values that the program drew from it may be secrets.
    args: JSON.stringify({ seed, timeoutMs: request.timeoutMs, dryRun: request.dryRun }),
  }, "soon");
  const refusal = new AbortController();
  let isRecorded = false;
  started.then(() => isRecorded = true, (error) => {
    context.start.refused = notBegun(reportError(error).message, error);
    refusal.abort();
  });
  return {
    ...{ request, context, seed, code, base, startedAt, trace, started },
    isRecorded: () => isRecorded,
    refusal: refusal.signal,
  };
}

function limitsOf(limits: Limits, timeoutMs: number | undefined): Limits {
  if (timeoutMs === undefined) return limits;
  return { ...limits, wallTimeMs: Math.min(limits.wallTimeMs, Math.max(50, timeoutMs)) };
}
