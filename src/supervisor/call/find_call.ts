import { reportError } from "../../model/errors.ts";
import { lookUp } from "../../model/named_tool.ts";
import { errorOf } from "./call_events.ts";
import { type EndedCall, type FoundCall, isVisible, type Passage, type Step } from "./passage.ts";
import { recordOutcome } from "./record_outcome.ts";
import { toolUnavailable } from "./refusals.ts";
import { refusal } from "./refuse_call.ts";
import type { CallToolDeps } from "./tool_call.ts";
import { lookUpQuarantined, toolNotFound } from "./tool_not_found.ts";

type FindCallDeps = Pick<CallToolDeps, "now" | "audit" | "snapshot">;

/**
 * Finds the tool of a call. A snapshot holds only tools with an approved pin. A tool that the
 * caller may not use gets exactly the answer of a tool that does not exist.
 */
export function findCall(deps: FindCallDeps, passage: Passage): Step<FoundCall> {
  const snapshot = deps.snapshot();
  const tool = lookUp(snapshot.tools, passage.call);
  const named = { ...passage, snapshot, tool };
  return tool === null || !isVisible(passage, tool) ? notFound(deps, named) : { ...named, tool };
}

function notFound(
  deps: FindCallDeps,
  passage: Omit<FoundCall, "tool"> & {
    /** The tool of that name, which the caller may not see; null if there is none. */
    readonly tool: FoundCall["tool"] | null;
  },
): EndedCall {
  const { call, context, policy, snapshot, tool: hidden } = passage;
  const quarantined = lookUpQuarantined(snapshot, call);
  const error = quarantined !== null && context.principal.scopes.includes("admin")
    ? toolUnavailable(quarantined)
    : toolNotFound(snapshot, call, (tool) => isVisible(passage, tool));
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
  return {
    ended: refusal(deps, passage, {
      tool: `${call.server}.${call.tool}`,
      effect: "deny",
      error: reportError(error),
    }),
  };
}
