import type { Decision, DecisionRequest, Visibility } from "../model/decision.ts";
import type { LimitRule } from "../model/limit_rule.ts";
import type { Principal } from "../model/principal.ts";
import type { Access, Tool } from "../model/tool.ts";
import { createAudiences } from "./audience.ts";
import { checkPolicy } from "./check/check_policy.ts";
import { compileClasses, type ToolClasses } from "./classify.ts";
import { compileRule } from "./compiled_rule.ts";
import { decide, enforcesSpaces, visibility } from "./decide.ts";
import { explain, type Explanation } from "./explain.ts";
import { policyDigest } from "./file/digest.ts";
import type { Placed, PolicyDocument } from "./file/document.ts";
import type { PolicyProblem } from "./file/policy_error.ts";
import type { OutputRules, PolicyTest } from "./file/schema.ts";
import { createLimitIndex } from "./limit_index.ts";
import { createSpaceIndex } from "./space_index.ts";
import { createToolPlans } from "./tool_plan.ts";

/** Decides what principals may do. Pure: the same question always has the same answer. */
export interface Policy {
  readonly name: string;
  /** SHA-256 (hex) of the policy's content; every audit record contains it. */
  readonly digest: string;
  readonly mode: "enforce" | "observe";
  /** `["default"]` when the file has none. */
  readonly spaces: readonly string[];
  readonly groups: (principal: Principal) => readonly string[];
  readonly canEnter: (principal: Principal, space: string) => boolean;
  /** The spaces whose limits count a call in this space. */
  readonly countedIn: (principal: Principal, space: string, tool: Tool) => readonly string[];
  readonly classify: (tool: Tool) => Access;
  /**
   * Null: the tool does not exist for this principal. A tool exists if it is in the space, an allow
   * rule could match some arguments, and no deny without `when` matches.
   */
  readonly visibility: (principal: Principal, space: string, tool: Tool) => Visibility | null;
  readonly decide: (request: DecisionRequest) => Decision;
  readonly explain: (request: DecisionRequest) => Explanation;
  /** US dollars per call. */
  readonly price: (tool: Tool) => number;
  /** Results of the tool taint the rest of the execution. */
  readonly isUntrusted: (tool: Tool) => boolean;
  readonly limits: readonly LimitRule[];
  /** The limits that count this call. */
  readonly limitsFor: (call: Pick<DecisionRequest, "principal" | "tool">) => readonly LimitRule[];
  readonly output: OutputRules;
  readonly tests: readonly Placed<PolicyTest>[];
  /** The same policy, but it enforces what it now only observes. */
  readonly enforced: () => Policy;
}

export interface CompiledPolicy {
  readonly policy: Policy;
  /** A policy with a problem of severity `error` must not be activated. */
  readonly problems: readonly PolicyProblem[];
}

/**
 * Compiles a policy and checks it against the catalog.
 *
 * @param tools the catalog: conditions are type-checked with it, and patterns must match one of its
 * tools. The policy itself decides about any tool.
 * @param digest identifies the policy in audit records; a bundle has its own digest.
 */
export function compilePolicy(
  document: PolicyDocument,
  tools: readonly Tool[],
  digest: string = policyDigest(document),
): CompiledPolicy {
  const classes = compileClasses(document.tools);
  return {
    policy: assemblePolicy(document, classes, digest),
    problems: checkPolicy(document, classes, tools),
  };
}

/** Makes a policy from a document and from classes that may have another source. */
export function assemblePolicy(
  document: PolicyDocument,
  classes: ToolClasses,
  digest: string,
): Policy {
  const { name, mode, tests } = document;
  const { limits, output } = mode === "observe" ? withoutBlocking(document) : document;
  const rules = document.rules.map(compileRule);
  const audiences = createAudiences(document.groups);
  const spaces = createSpaceIndex(document.spaces, audiences);
  const plans = createToolPlans(rules, classes, audiences);
  const limitsFor = createLimitIndex(limits, audiences);
  const indexes = { mode, audiences, spaces, plans };
  const explaining = { ...indexes, name, digest, rules, output, limitsFor };
  return {
    name,
    digest,
    mode,
    spaces: spaces.names,
    groups: (principal) => [...audiences.of(principal).groups],
    canEnter: (principal, space) =>
      spaces.canEnter(principal, space) || !enforcesSpaces(indexes, principal, space),
    countedIn: spaces.countedIn,
    classify: (tool) => plans(tool).access,
    visibility: (principal, space, tool) => visibility(indexes, principal, space, tool),
    decide: (request) => decide(indexes, request),
    explain: (request) => explain(explaining, request),
    price: (tool) => plans(tool).priceUsd,
    isUntrusted: (tool) => plans(tool).isUntrusted,
    limits,
    limitsFor,
    output,
    tests,
    enforced: () => assemblePolicy(enforceAll(document), classes, digest),
  };
}

/** Observe mode refuses nothing: it has no limits and withholds no result. It still redacts. */
function withoutBlocking(
  { output: { redact, schema } }: PolicyDocument,
): Pick<PolicyDocument, "limits" | "output"> {
  return { limits: [], output: { redact, schema: schema === "block" ? "warn" : schema } };
}

function enforceAll(document: PolicyDocument): PolicyDocument {
  const rules = document.rules.map((rule) => ({ ...rule, observe: false }));
  return { ...document, mode: "enforce", rules };
}
