import type { Decision } from "../../model/decision.ts";
import type { AuditEvent } from "../../model/event.ts";
import type { Policy } from "../../policy/policy.ts";
import { eventOrigin } from "../event_origin.ts";
import type { ExecutionContext } from "../execution_context.ts";
import type { CheckedOutput } from "./output_gate.ts";
import type { FoundCall } from "./passage.ts";

/** What all records of one call have in common. */
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

/** A record of one call to a known tool, with what was decided if anything was. */
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
  // What the rules may have looked at; an outcome comes too late to tell.
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

/** An error as records have it: with what the program was told to do instead. */
export function errorOf(
  { code, message, hint }: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
  },
): NonNullable<AuditEvent["err"]> {
  return { code, message, ...(hint === "" ? {} : { hint }) };
}

/** What the output check did to a result, if anything. */
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
