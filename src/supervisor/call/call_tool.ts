import type { ExecutionContext } from "../execution_context.ts";
import { awaitApproval } from "./await_approval.ts";
import { callEvent } from "./call_events.ts";
import { checkCall } from "./check_call.ts";
import { decideCall } from "./decide_call.ts";
import { findCall } from "./find_call.ts";
import { intendCall } from "./intend_call.ts";
import { hasEnded, type IntendedCall, type Passage } from "./passage.ts";
import { isPlanned, planCall } from "./plan_call.ts";
import { notMade } from "./refuse_call.ts";
import { reserveCall } from "./reserve_call.ts";
import { sendCall } from "./send_call.ts";
import { settleCall } from "./settle_call.ts";
import type { CallOutcome, CallToolDeps, ToolCall } from "./tool_call.ts";

/**
 * Makes one call. The only path to an upstream, for programs, classic tools and the command line.
 *
 * The order is the security model: find → check → decide → await approval → reserve → intend
 * (durable) → send → settle. Each step takes the stage that the step before made. A step that stops
 * a call records why.
 */
export async function callTool(
  deps: CallToolDeps,
  context: ExecutionContext,
  call: ToolCall,
): Promise<CallOutcome> {
  const policy = deps.policy();
  const passage: Passage = {
    context,
    call,
    policy,
    startedAt: deps.now(),
    base: callEvent(context, call.index, policy),
  };
  try {
    return await pass(deps, passage);
  } catch (error) {
    // Only failures of the audit log, the store or the gate itself throw, and only before the call.
    return notMade(deps, passage, `${call.server}.${call.tool}`, error);
  }
}

async function pass(deps: CallToolDeps, passage: Passage): Promise<CallOutcome> {
  const found = findCall(deps, passage);
  if (hasEnded(found)) return found.ended;
  const checked = await checkCall(deps, found);
  if (hasEnded(checked)) return checked.ended;
  const decided = decideCall(deps, checked);
  if (hasEnded(decided)) return decided.ended;
  const permitted = awaitApproval(deps, decided);
  if (hasEnded(permitted)) return permitted.ended;
  if (isPlanned(permitted)) return planCall(deps, permitted);
  const reserved = await reserveCall(deps, permitted);
  if (hasEnded(reserved)) return reserved.ended;
  const intended = await intendCall(deps, reserved);
  if (hasEnded(intended)) return intended.ended;
  return await make(deps, intended);
}

/** Sends and settles the call; `context.sent` lists the call until its outcome is known. */
async function make(deps: CallToolDeps, intended: IntendedCall): Promise<CallOutcome> {
  const { call, context, tool } = intended;
  context.sent.set(call.index, { tool: tool.id, since: deps.now() });
  try {
    return await settleCall(deps, await sendCall(deps, intended));
  } finally {
    context.sent.delete(call.index);
  }
}
