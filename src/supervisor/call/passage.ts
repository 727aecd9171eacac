import type { CatalogSnapshot } from "../../model/catalog.ts";
import type { Decision } from "../../model/decision.ts";
import type { AuditEvent } from "../../model/event.ts";
import type { Tool } from "../../model/tool.ts";
import type { UpstreamAnswer } from "../../model/upstream.ts";
import type { Policy } from "../../policy/policy.ts";
import type { ExecutionContext } from "../execution_context.ts";
import type { CallTrace } from "../tracing.ts";
import type { HeldQuota } from "./held_quota.ts";
import type { CallOutcome, ToolCall } from "./tool_call.ts";

/**
 * The stages of a call on its way through the gate. Each step makes a stage from the stage before,
 * so an undecided call cannot be sent, and a test of a step needs only the stage that the step
 * takes.
 */

/** A call that enters the gate. */
export interface Passage {
  readonly context: ExecutionContext;
  readonly call: ToolCall;
  readonly policy: Policy;
  readonly startedAt: number;
  /** The fields that all audit records of this call share. */
  readonly base: AuditEvent;
}

/** The tool exists for the caller, and its pin is approved. */
export interface FoundCall extends Passage {
  /** The catalog in which the tool was found. */
  readonly snapshot: CatalogSnapshot;
  readonly tool: Tool;
}

/** The arguments fit the tool. */
export interface CheckedCall extends FoundCall {
  /** The arguments with the exact values that JSON cannot carry. */
  readonly args: unknown;
  /** The arguments as the caller gave them, as JSON. */
  readonly argsText: string;
  /** When the gate began to work on the arguments, by its own clock. */
  readonly checkedFrom: number;
}

/** The policy allows the call, or asks a person about it. */
export interface DecidedCall extends CheckedCall {
  readonly decision: Decision & { readonly effect: "allow" | "ask" };
}

/** The call needs no approval, or has it. */
export interface PermittedCall extends DecidedCall {
  readonly decision: Decision & { readonly effect: "allow" };
}

/** Every limit that counts the call has reserved the call's share. */
export interface ReservedCall extends PermittedCall {
  readonly quota: HeldQuota;
  /** Time that the gate spent on arguments, rules and limits. */
  readonly policyMs: number;
}

/** The intent to make the call is durable in the log. */
export interface IntendedCall extends ReservedCall {
  readonly idempotencyKey: string;
}

/** The upstream has answered, or the call has failed. */
export interface SentCall extends IntendedCall {
  readonly reply: { readonly answer: UpstreamAnswer } | { readonly failure: unknown };
  readonly upstreamMs: number;
  readonly span: CallTrace;
}

/** The result of a step: the next stage of the call, or its end. */
export type Step<Next> = Next | EndedCall;

/** A call that goes no further; its record is on its way into the log. */
export interface EndedCall {
  readonly ended: CallOutcome;
}

export function hasEnded<Next extends object>(step: Step<Next>): step is EndedCall {
  return "ended" in step;
}

/** Whether a tool exists for the caller. */
export function isVisible({ context, policy }: Passage, tool: Tool): boolean {
  return policy.visibility(context.principal, context.space, tool) !== null;
}
