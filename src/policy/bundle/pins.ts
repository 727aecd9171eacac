import type { Decision, DecisionRequest } from "../../model/decision.ts";
import type { Tool } from "../../model/tool.ts";
import type { Policy } from "../policy.ts";
import type { PolicyBundle } from "./bundle.ts";

/** Hides every tool of a server that the bundle pins, unless its definition is the pinned one. */
export function withPins(policy: Policy, pins: PolicyBundle["pins"]): Policy {
  const isPinned = (tool: Tool) => {
    if (!Object.hasOwn(pins, tool.server)) return true;
    const server = pins[tool.server] ?? {};
    return Object.hasOwn(server, tool.name) && server[tool.name] === tool.pin;
  };
  const decide = (request: DecisionRequest): Decision => {
    const decision = policy.decide(request);
    return isPinned(request.tool)
      ? decision
      : { ...decision, effect: "hidden", because: ["bundle-pin"], approval: null, approvals: [] };
  };
  return {
    ...policy,
    visibility: (principal, space, tool) =>
      isPinned(tool) ? policy.visibility(principal, space, tool) : null,
    decide,
    explain: (request) => ({
      ...policy.explain(request),
      decision: decide(request),
      ...(isPinned(request.tool) ? {} : { visibility: null }),
    }),
  };
}
