import type { Decision } from "../../model/decision.ts";
import type { AuditActor, AuditEvent } from "../../model/event.ts";
import type { Tool } from "../../model/tool.ts";
import type { Policy } from "../../policy/policy.ts";
import type { ExecutionContext } from "../execution_context.ts";
import type { CheckedOutput } from "./output_gate.ts";

/** What all records of one call have in common. */
export function callEvent(
  context: ExecutionContext,
  index: number,
  actor: AuditActor,
): AuditEvent {
  return {
    kind: "call.intent",
    space: context.space,
    actor,
    ...(context.task === null ? {} : { task: context.task }),
    ...(context.traceparent === null ? {} : { trace: context.traceparent }),
    execution: context.id,
    call: `${context.id}:${index}`,
  };
}

/** A record of one call to a known tool, with what was decided; null if nothing was. */
export function toolEvent(
  base: AuditEvent,
  policy: Pick<Policy, "classify" | "digest">,
  kind: AuditEvent["kind"],
  tool: Tool,
  decision: Decision | null,
): AuditEvent {
  return {
    ...base,
    kind,
    tool: {
      server: tool.server,
      name: tool.name,
      access: decision?.access ?? policy.classify(tool),
      pin: tool.pin,
    },
    ...(decision === null ? {} : {
      decision: {
        effect: decision.effect,
        because: decision.because,
        bundle: policy.digest,
        ...(decision.observed === null ? {} : { observed: decision.observed }),
      },
    }),
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
