import type { Decision, Effect } from "../../model/decision.ts";
import { type ErrorReport, GateError, reportError } from "../../model/errors.ts";
import type { AuditEvent } from "../../model/event.ts";
import type { Tool } from "../../model/tool.ts";
import type { Policy } from "../../policy/policy.ts";
import type { ExecutionContext } from "../execution_context.ts";
import { toolEvent } from "./call_events.ts";
import type { CallOutcome, ToolCall } from "./tool_call.ts";

/** What is known about a call when it enters the gate. */
export interface Passage {
  readonly context: ExecutionContext;
  readonly call: ToolCall;
  readonly policy: Policy;
  readonly startedAt: number;
  readonly base: AuditEvent;
}

export function eventOf(
  { base, policy, context: { taint } }: Passage,
  kind: AuditEvent["kind"],
  tool: Tool,
  decision: Decision | null,
): AuditEvent {
  const event = toolEvent(base, policy, kind, tool, decision);
  // What the rules may have looked at; an outcome comes too late to tell.
  const isDecision = decision !== null && kind !== "call.outcome";
  return isDecision && taint.tainted ? { ...event, detail: { tainted: true } } : event;
}

/** @param sent whether the upstream may have heard of the call. */
export function refusal(
  deps: { readonly now: () => number },
  passage: Passage,
  tool: string,
  effect: Effect,
  error: ErrorReport,
  sent = false,
): CallOutcome & { readonly ok: false } {
  const ms = deps.now() - passage.startedAt;
  return { ok: false, tool: tool.slice(0, 300), effect, ms, bytes: 0, sent, error };
}

/** The gate itself failed before the call: what is said is of this one call, not of those before it. */
export function notMade(
  deps: { readonly now: () => number },
  passage: Passage,
  tool: string,
  error: unknown,
): CallOutcome & { readonly ok: false } {
  const { code, message, hint, retryAfterMs } = reportError(error);
  const report = reportError(
    new GateError(code, `Cannot call "${tool.slice(0, 300)}": ${message}`, {
      hint: `This call was not made. ${hint}`,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }),
  );
  return refusal(deps, passage, tool, "deny", report);
}
