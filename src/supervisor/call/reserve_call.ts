import { eventOf } from "./call_events.ts";
import { holdQuota } from "./held_quota.ts";
import type { PermittedCall, ReservedCall, Step } from "./passage.ts";
import { refuse } from "./refuse_call.ts";
import type { CallToolDeps } from "./tool_call.ts";

/** Reserves the share of a call in every limit that counts it, or in none of them. */
export async function reserveCall(
  deps: Pick<CallToolDeps, "now" | "audit" | "quotas">,
  permitted: PermittedCall,
): Promise<Step<ReservedCall>> {
  const { args, argsText, checkedFrom, context, policy, tool } = permitted;
  const reserved = await deps.quotas.reserve({
    principal: context.principal,
    space: context.space,
    execution: context.id,
    tool,
    args,
    policy,
  });
  if (reserved.ok) {
    const policyMs = deps.now() - checkedFrom;
    return { ...permitted, quota: holdQuota(reserved.quota), policyMs };
  }
  const { error, freesAt, limit } = reserved;
  await deps.audit.append({
    ...eventOf(permitted, "limit.hit"),
    detail: {
      ...(context.taint.tainted ? { tainted: true } : {}),
      limit,
      freesAt,
      ...(error.code === "ERR_APPROVAL_REQUIRED" ? { over: "ask" } : {}),
    },
  });
  return refuse(deps, permitted, { error, argsText, limit });
}
