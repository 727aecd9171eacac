import type { Decision } from "../../model/decision.ts";
import type { AuditEvent } from "../../model/event.ts";
import type { Policy } from "../../policy/policy.ts";
import { eventOrigin } from "../event_origin.ts";
import type { ExecutionContext } from "../execution_context.ts";
import type { CheckedOutput } from "./output_gate.ts";
import type { FoundCall } from "./passage.ts";

/** The fields that all audit records of one call share. */
export function callEvent(
  context: ExecutionContext,
  index: number,
  policy: Pick<Policy, "groups">,
): AuditEvent {
  return {
    kind: "call.intent",
    ...eventOrigin(context, policy),
    execution: context.id,
    call: `${context.id}:${index}`,
  };
}

/** A record of one call to a known tool, with the decision if there is one. */
export function eventOf(
  { base, context, decision, policy, tool }: FoundCall & { readonly decision?: Decision },
  kind: AuditEvent["kind"],
): AuditEvent {
  const event: AuditEvent = {
    ...base,
    kind,
    tool: {
      server: tool.server,
      name: tool.name,
      access: decision?.access ?? policy.classify(tool),
      pin: tool.pin,
    },
  };
  if (decision === undefined) return event;
  // Rules can read the taint before the call; the call itself may change it before the outcome.
  const isTainted = kind !== "call.outcome" && context.taint.tainted;
  return {
    ...event,
    decision: {
      effect: decision.effect,
      because: decision.because,
      bundle: policy.digest,
      ...(decision.observed === null ? {} : { observed: decision.observed }),
    },
    ...(isTainted ? { detail: { tainted: true } } : {}),
  };
}

/** An error as audit records hold it, with the hint that the program got. */
export function errorOf(
  { code, message, hint }: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
  },
): NonNullable<AuditEvent["err"]> {
  return { code, message, ...(hint === "" ? {} : { hint }) };
}

/** Redactions and schema mismatch of a checked result; empty if there were none. */
export function outputDetail(checked: CheckedOutput): Pick<AuditEvent, "detail"> {
  if (!("json" in checked)) return {};
  const { redactions, mismatch } = checked;
  if (redactions === 0 && mismatch === null) return {};
  return {
    detail: {
      ...(redactions === 0 ? {} : { redactions }),
      ...(mismatch === null ? {} : { schemaMismatch: mismatch.slice(0, 300) }),
    },
  };
}
