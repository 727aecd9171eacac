import { GateError } from "../../model/errors.ts";
import { errorOf, eventOf } from "./call_events.ts";
import type { EndedCall, IntendedCall, ReservedCall, Step } from "./passage.ts";
import { recordOutcome, roundMs } from "./record_outcome.ts";
import { notMade } from "./refuse_call.ts";
import type { CallToolDeps } from "./tool_call.ts";

/**
 * Records the intent to call, and waits until the record is durable: after a crash the log may name
 * a call that never ran, but never misses one that did. Without that record the call is not made.
 */
export async function intendCall(
  deps: Pick<CallToolDeps, "now" | "audit">,
  reserved: ReservedCall,
): Promise<Step<IntendedCall>> {
  const { argsText, call, context, policyMs, quota, tool } = reserved;
  const idempotencyKey = `${context.id}:${call.index}`;
  try {
    if (context.start.refused !== null) throw context.start.refused;
    await deps.audit.append({
      ...eventOf(reserved, "call.intent"),
      upstream: { idempotencyKey },
      ms: { policy: roundMs(policyMs) },
    }, { args: argsText });
  } catch (error) {
    await quota.refund();
    return { ended: notMade(deps, reserved, tool.id, error) };
  }
  const withdrawn = withdrawal(reserved);
  return withdrawn === null
    ? { ...reserved, idempotencyKey }
    : await withdraw(deps, reserved, withdrawn);
}

/** Why a call is withdrawn although its intent is durable; null if it is sent. */
function withdrawal({ context, call }: ReservedCall): GateError | null {
  if (context.start.refused !== null) return context.start.refused;
  if (!context.signal.aborted && !call.signal.aborted) return null;
  return new GateError("ERR_CANCELLED", "its execution has ended", { hint: "" });
}

async function withdraw(
  deps: Pick<CallToolDeps, "now" | "audit">,
  reserved: ReservedCall,
  why: GateError,
): Promise<EndedCall> {
  await reserved.quota.refund();
  const ended = notMade(deps, reserved, reserved.tool.id, why);
  recordOutcome(deps, reserved.context, {
    ...eventOf(reserved, "call.outcome"),
    result: { status: "refused" },
    err: errorOf(ended.error),
  });
  return { ended };
}
