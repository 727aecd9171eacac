import type { Decision, DecisionRequest, Visibility } from "../model/decision.ts";
import type { LimitRule } from "../model/limit_rule.ts";
import type { CompiledRule } from "./compiled_rule.ts";
import type { ConditionFacts } from "./condition/condition.ts";
import { decide, factsOf, type PolicyIndexes, visibility } from "./decide.ts";
import type { Place } from "./file/policy_error.ts";
import type { OutputRules } from "./file/schema.ts";
import { askCondition } from "./match_rules.ts";
import { AUDIENCE_TESTS, firstUnmet, TOOL_TESTS, UNMET_VERDICTS } from "./rule_tests.ts";

/** Why a rule matched or did not match: its first failed test, or the answer of its condition. */
export const RULE_VERDICTS = [
  "matched",
  ...UNMET_VERDICTS,
  "when=false",
  "when=error", // the condition failed, and the rule is an allow
] as const;

export type RuleVerdict = (typeof RULE_VERDICTS)[number];

export interface RuleTrace {
  readonly id: string;
  readonly effect: "allow" | "ask" | "deny";
  readonly matched: boolean;
  /** The first failed test, in the order of the tests. */
  readonly verdict: RuleVerdict;
  /** Details: the missing scope, the condition, its error. Empty if there are none. */
  readonly detail: string;
  /** Why the condition failed; null if it gave an answer or was not evaluated. */
  readonly error: string | null;
  /** The rule is only recorded, not enforced. */
  readonly observe: boolean;
  readonly place: Place;
}

/** One decision with all of its reasons and consequences. */
export interface Explanation {
  readonly decision: Decision;
  /** Null: the principal does not see the tool. */
  readonly visibility: Visibility | null;
  readonly policy: { readonly name: string; readonly digest: string; readonly mode: string };
  readonly groups: readonly string[];
  readonly space: {
    readonly name: string;
    readonly canEnter: boolean;
    readonly hasTool: boolean;
    /** Spaces that contain the tool. */
    readonly toolIsIn: readonly string[];
    /** Spaces whose limits count the call. */
    readonly countedIn: readonly string[];
  };
  readonly rules: readonly RuleTrace[];
  readonly obligations: {
    readonly approvals: Decision["approvals"];
    readonly redact: OutputRules["redact"];
    readonly resultBytesMax: number | null;
    readonly outputSchema: OutputRules["schema"];
    readonly limits: readonly LimitRule[];
    /** The result taints the rest of the execution. */
    readonly untrusted: boolean;
    readonly priceUsd: number;
  };
}

export interface ExplainDeps extends PolicyIndexes {
  readonly name: string;
  readonly digest: string;
  readonly rules: readonly CompiledRule[];
  readonly output: OutputRules;
  readonly limitsFor: (request: DecisionRequest) => readonly LimitRule[];
}

/** Explains one decision. The explanation contains exactly the decision of `decide`. */
export function explain(deps: ExplainDeps, request: DecisionRequest): Explanation {
  const { principal, space, tool } = request;
  const decision = decide(deps, request);
  const plan = deps.plans(tool);
  const facts = factsOf(deps, plan, request);
  const audience = deps.audiences.of(principal);
  const traceOf = (rule: CompiledRule): RuleTrace => {
    const [verdict, detail, error = null] = judge(deps, rule, request, facts);
    const { id, effect, observe, place } = rule.rule;
    return { id, effect, matched: verdict === "matched", verdict, detail, error, observe, place };
  };
  return {
    decision,
    visibility: visibility(deps, principal, space, tool),
    policy: { name: deps.name, digest: deps.digest, mode: deps.mode },
    groups: [...audience.groups],
    space: {
      name: space,
      canEnter: deps.spaces.canEnter(principal, space),
      hasTool: deps.spaces.hasTool(principal, space, tool),
      toolIsIn: deps.spaces.spacesOf(tool),
      countedIn: deps.spaces.countedIn(principal, space, tool),
    },
    rules: deps.rules.map(traceOf).toSorted((a, b) => a.id < b.id ? -1 : 1),
    obligations: {
      approvals: decision.approvals,
      redact: deps.output.redact,
      resultBytesMax: deps.output.max?.bytes ?? null,
      outputSchema: deps.output.schema,
      limits: deps.limitsFor(request),
      untrusted: plan.isUntrusted,
      priceUsd: plan.priceUsd,
    },
  };
}

function judge(
  deps: ExplainDeps,
  rule: CompiledRule,
  { principal, tool }: DecisionRequest,
  facts: ConditionFacts,
): readonly [RuleVerdict, string, error?: string] {
  const { access } = deps.plans(tool);
  const audience = deps.audiences.of(principal);
  const unmet = firstUnmet(TOOL_TESTS, rule, { tool, access }) ??
    firstUnmet(AUDIENCE_TESTS, rule, { audience, audiences: deps.audiences });
  if (unmet !== null) return unmet;
  const answer = askCondition(rule, facts);
  if (answer.error !== null) {
    const verdict = rule.rule.effect === "allow" ? "when=error" : "matched";
    return [verdict, answer.error, answer.error];
  }
  return answer.holds ? ["matched", rule.rule.when ?? ""] : ["when=false", rule.rule.when ?? ""];
}
