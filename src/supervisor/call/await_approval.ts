import type { DecidedCall, PermittedCall, Step } from "./passage.ts";
import { approvalRequired } from "./refusals.ts";
import { refuse } from "./refuse_call.ts";
import type { CallToolDeps } from "./tool_call.ts";

/**
 * The place where a call waits for the people whom the rules name. It holds nothing while it waits: limits
 * are reserved behind this step, and a call that has waited is looked up, checked and decided anew.
 *
 * Nobody can approve a call yet, so that one which needs it ends here.
 */
export function awaitApproval(
  deps: Pick<CallToolDeps, "now" | "audit">,
  decided: DecidedCall,
): Step<PermittedCall> {
  if (isPermitted(decided)) return decided;
  const { argsText, decision, tool } = decided;
  return refuse(deps, decided, { error: approvalRequired(tool, decision), argsText });
}

function isPermitted(call: DecidedCall): call is PermittedCall {
  return call.decision.effect === "allow";
}
