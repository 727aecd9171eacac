import type { DecidedCall, PermittedCall, Step } from "./passage.ts";
import { approvalRequired } from "./refusals.ts";
import { refuse } from "./refuse_call.ts";
import type { CallToolDeps } from "./tool_call.ts";

/**
 * The step at which a call needs the approval of a person named by the rules. It comes before
 * limits are reserved, so a call that needs approval holds no quota.
 *
 * Approval is not implemented yet: a call that needs it ends here.
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
