import type { Decision } from "../../model/decision.ts";
import { type CheckedCall, type DecidedCall, isVisible, type Step } from "./passage.ts";
import { policyDenied } from "./refusals.ts";
import { refuse } from "./refuse_call.ts";
import type { CallToolDeps } from "./tool_call.ts";
import { toolNotFound } from "./tool_not_found.ts";

/** Asks the rules of the policy; a call that they deny or hide ends here. */
export function decideCall(
  deps: Pick<CallToolDeps, "now" | "audit">,
  checked: CheckedCall,
): Step<DecidedCall> {
  const { args, argsText, call, context, policy, snapshot, tool } = checked;
  const decision = policy.decide({
    principal: context.principal,
    space: context.space,
    tool,
    args,
    execution: { tainted: context.taint.tainted, sources: [...context.taint.sources] },
  });
  if (goesOn(decision)) return { ...checked, decision };
  const error = decision.effect === "hidden"
    ? toolNotFound(snapshot, call, (other) => isVisible(checked, other))
    : policyDenied(tool, decision);
  return refuse(deps, { ...checked, decision }, { error, argsText });
}

function goesOn(decision: Decision): decision is DecidedCall["decision"] {
  return decision.effect === "allow" || decision.effect === "ask";
}
