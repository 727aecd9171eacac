import type { Decision, DecisionRequest } from "../model/decision.ts";
import type { Tool } from "../model/tool.ts";
import { accessByHints, type ToolClasses } from "./classify.ts";
import { policyDigest } from "./file/digest.ts";
import type { PolicyDocument, Rule } from "./file/document.ts";
import { toRule } from "./file/parse_policy.ts";
import { assemblePolicy, type Policy } from "./policy.ts";

/** Without a policy file, the hints of the upstream are the only source of a class. */
const CLASSES_BY_HINTS: ToolClasses = {
  classify: accessByHints,
  price: () => 0,
  isUntrusted: () => false,
};

/**
 * The policy without `policies`: tools that the upstream calls reads are allowed. Other tools are
 * denied with a message that says how to allow them. Every tool is visible.
 */
export function defaultPolicy(): Policy {
  const policy = build("default", "read", ["read"]);
  const decideWithRemedy = (request: DecisionRequest): Decision => {
    const decision = policy.decide(request);
    if (decision.effect !== "deny") return decision;
    return { ...decision, message: howToAllow(request.tool, decision.access) };
  };
  return {
    ...policy,
    visibility: (principal, space, tool) =>
      policy.canEnter(principal, space) ? { access: policy.classify(tool), effect: "allow" } : null,
    decide: decideWithRemedy,
    explain: (request) => ({
      ...policy.explain(request),
      decision: decideWithRemedy(request),
      visibility: policy.canEnter(request.principal, request.space)
        ? { access: policy.classify(request.tool), effect: "allow" }
        : null,
    }),
  };
}

/** The policy of `policies: open`: everything is allowed. For a loopback address only. */
export function openPolicy(): Policy {
  return build("open", "everything", ["read", "write", "destructive"]);
}

/** The policy when no other policy can be used: it hides every tool from every principal. */
export function closedPolicy(): Policy {
  return build("closed", "nothing", []);
}

function build(name: string, ruleId: string, access: Rule["access"]): Policy {
  const place = { path: `(${name} policy)`, line: 0 };
  const document: PolicyDocument = {
    name,
    mode: "enforce",
    groups: new Map(),
    tools: new Map(),
    spaces: null,
    rules: [{
      ...toRule({ id: ruleId, allow: [...access], observe: false }, false),
      place,
      placeOf: () => place,
    }],
    limits: [],
    output: { redact: [], schema: "off" },
    tests: [],
    files: [],
  };
  return assemblePolicy(document, CLASSES_BY_HINTS, policyDigest(document));
}

function howToAllow(tool: Tool, access: string): string {
  return `Without a policy file only reads are allowed, and "${tool.id}" counts as ${access}. ` +
    `The operator can allow it in a file named by "policies" in toolgate.yaml: ` +
    `tools: { ${JSON.stringify(tool.server)}: { ${access}: [${
      JSON.stringify(tool.name)
    }] } } and ` +
    `rules: [{ id: my-${access}, allow: ${access}, tools: [${
      JSON.stringify(`${tool.server}.${tool.name}`)
    }] }].`;
}
