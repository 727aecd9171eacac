import { unsentArguments } from "../../audit/payloads/payload_box.ts";
import type { Decision } from "../../model/decision.ts";
import { type GateError, reportError } from "../../model/errors.ts";
import { digitsForBigints } from "../../model/json/exact_json.ts";
import { lookUp } from "../../model/named_tool.ts";
import { giveWayAfter } from "../../model/time/yield_to_loop.ts";
import type { Tool } from "../../model/tool.ts";
import { CALL_VALUES_MAX, holdsMoreValues } from "../../rpc/json_depth.ts";
import { actorOf } from "../actor.ts";
import type { ExecutionContext } from "../execution_context.ts";
import { callEvent, errorOf } from "./call_events.ts";
import { checkArguments } from "./check_arguments.ts";
import { lookUpQuarantined, toolNotFound } from "./tool_not_found.ts";
import { makeCall } from "./make_call.ts";
import { eventOf, notMade, type Passage, refusal } from "./passage.ts";
import { placeholderFor } from "./placeholder.ts";
import { recordOutcome } from "./record_outcome.ts";
import { approvalRequired, policyDenied, toolUnavailable, tooManyValues } from "./refusals.ts";
import type { CallOutcome, CallToolDeps, ToolCall } from "./tool_call.ts";

/**
 * The one way to an upstream, for every path: programs, classic tools, the command line.
 *
 * The order is the security model: look up → validate → decide → reserve → intent (durable) → call →
 * check, redact, taint → settle → outcome (durable). Look-up finds tools with an approved pin only. A tool
 * that the caller may not use answers exactly like one that does not exist.
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
    base: callEvent(context, call.index, actorOf(context.principal, policy)),
  };
  try {
    return await pass(deps, passage);
  } catch (error) {
    // Only the audit log, the store and bugs get here, and only before the call.
    return notMade(deps, passage, `${call.server}.${call.tool}`, error);
  }
}

async function pass(deps: CallToolDeps, passage: Passage): Promise<CallOutcome> {
  const { context, call, policy } = passage;
  const snapshot = deps.snapshot();
  const tool = lookUp(snapshot.tools, call);
  const isVisible = (candidate: Tool) =>
    policy.visibility(context.principal, context.space, candidate) !== null;
  if (tool === null || !isVisible(tool)) return refuseUnknown(deps, passage, tool, isVisible);

  if (holdsMoreValues(call.args, CALL_VALUES_MAX)) {
    const note = JSON.stringify(`more than ${CALL_VALUES_MAX} values`);
    return refuse(deps, passage, tool, null, tooManyValues(tool), note);
  }
  const argsText = JSON.stringify(call.args ?? {});
  await giveWayAfter(Buffer.byteLength(argsText));
  const decidedFrom = deps.now();
  const { args, error } = checkArguments(context, tool, call.args ?? {}, argsText, deps.formats);
  if (error !== null) return refuse(deps, passage, tool, null, error, argsText);

  const decision = policy.decide({
    principal: context.principal,
    space: context.space,
    tool,
    args,
    execution: { tainted: context.taint.tainted, sources: [...context.taint.sources] },
  });
  if (decision.effect !== "allow") {
    const stopped = decision.effect === "hidden"
      ? toolNotFound(snapshot, call, isVisible)
      : decision.effect === "ask"
      ? approvalRequired(tool, decision)
      : policyDenied(tool, decision);
    return refuse(deps, passage, tool, decision, stopped, argsText);
  }
  if (context.dryRun && decision.access !== "read") {
    return plan(deps, passage, tool, decision, args, argsText);
  }
  const quota = await deps.quotas.reserve({
    principal: context.principal,
    space: context.space,
    execution: context.id,
    tool,
    args,
    policy,
  });
  if (!quota.ok) {
    await deps.audit.append({
      ...eventOf(passage, "limit.hit", tool, decision),
      detail: {
        ...(context.taint.tainted ? { tainted: true } : {}),
        limit: quota.limit,
        freesAt: quota.freesAt,
        ...(quota.error.code === "ERR_APPROVAL_REQUIRED" ? { over: "ask" } : {}),
      },
    });
    return refuse(deps, passage, tool, decision, quota.error, argsText, quota.limit);
  }
  const policyMs = deps.now() - decidedFrom;
  return await makeCall(deps, passage, {
    tool,
    decision,
    quota: quota.quota,
    args,
    argsText,
    policyMs,
  });
}

/** A write under `dryRun`: recorded, answered with a placeholder, never made. */
function plan(
  deps: CallToolDeps,
  passage: Passage,
  tool: Tool,
  decision: Decision,
  args: unknown,
  argsText: string,
): CallOutcome {
  passage.context.planned.push({ tool: tool.id, args: digitsForBigints(args) });
  const value = placeholderFor(tool.outputSchema);
  const json = JSON.stringify(value);
  recordOutcome(deps, passage.context, {
    ...eventOf(passage, "call.outcome", tool, decision),
    result: { status: "planned" },
    ms: { total: deps.now() - passage.startedAt },
  }, { args: argsText, result: json });
  const ms = deps.now() - passage.startedAt;
  return {
    ok: true,
    tool: tool.id,
    effect: "allow",
    ms,
    bytes: 0,
    sent: false,
    value,
    json,
    answer: null,
    isIntact: false,
  };
}

function refuseUnknown(
  deps: CallToolDeps,
  passage: Passage,
  hidden: Tool | null,
  isVisible: (tool: Tool) => boolean,
): CallOutcome {
  const { call, context, policy } = passage;
  const snapshot = deps.snapshot();
  const quarantined = lookUpQuarantined(snapshot, call);
  const error = quarantined !== null && context.principal.scopes.includes("admin")
    ? toolUnavailable(quarantined)
    : toolNotFound(snapshot, call, isVisible);
  recordOutcome(deps, context, {
    ...passage.base,
    kind: "call.outcome",
    tool: hidden === null ? { server: call.server.slice(0, 100), name: call.tool.slice(0, 200) } : {
      server: hidden.server,
      name: hidden.name,
      access: policy.classify(hidden),
      pin: hidden.pin,
    },
    decision: {
      effect: "hidden",
      because: [quarantined?.reason ?? (hidden === null ? "no-such-tool" : "hidden")],
      bundle: policy.digest,
    },
    result: { status: error.code },
    err: errorOf(error),
    ms: { total: deps.now() - passage.startedAt },
  });
  return refusal(deps, passage, `${call.server}.${call.tool}`, "deny", reportError(error));
}

/** Records a call that the gate stopped before the upstream heard of it. */
function refuse(
  deps: CallToolDeps,
  passage: Passage,
  tool: Tool,
  decision: Decision | null,
  error: GateError,
  argsText: string,
  /** The limit that stopped it. */
  limit: string | null = null,
): CallOutcome {
  const isTainted = decision !== null && passage.context.taint.tainted;
  const detail = { ...(isTainted ? { tainted: true } : {}), ...(limit === null ? {} : { limit }) };
  recordOutcome(deps, passage.context, {
    ...eventOf(passage, "call.outcome", tool, decision),
    result: { status: error.code },
    err: errorOf(error),
    ...(Object.keys(detail).length === 0 ? {} : { detail }),
    ms: { total: deps.now() - passage.startedAt },
  }, unsentArguments(argsText));
  const effect = decision?.effect === "ask" ? "ask" : "deny";
  return refusal(deps, passage, tool.id, effect, { ...reportError(error), tool: tool.id });
}
