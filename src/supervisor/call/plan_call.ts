import { digitsForBigints } from "../../model/json/exact_json.ts";
import { eventOf } from "./call_events.ts";
import type { PermittedCall } from "./passage.ts";
import { placeholderFor } from "../values/placeholder.ts";
import { recordOutcome } from "./record_outcome.ts";
import type { CallOutcome, CallToolDeps } from "./tool_call.ts";

/** Whether a dry run plans the call instead of making it: it makes only calls that read. */
export function isPlanned({ context, decision }: PermittedCall): boolean {
  return context.dryRun && decision.access !== "read";
}

/** Records a call that a dry run does not make, and answers with a placeholder. */
export function planCall(
  deps: Pick<CallToolDeps, "now" | "audit">,
  permitted: PermittedCall,
): CallOutcome {
  const { args, argsText, context, startedAt, tool } = permitted;
  context.planned.push({ tool: tool.id, args: digitsForBigints(args) });
  const value = placeholderFor(tool.outputSchema);
  const json = JSON.stringify(value);
  recordOutcome(deps, context, {
    ...eventOf(permitted, "call.outcome"),
    result: { status: "planned" },
    ms: { total: deps.now() - startedAt },
  }, { args: argsText, result: json });
  return {
    ok: true,
    tool: tool.id,
    effect: "allow",
    ms: deps.now() - startedAt,
    bytes: 0,
    sent: false,
    value,
    json,
    answer: null,
    isIntact: false,
  };
}
