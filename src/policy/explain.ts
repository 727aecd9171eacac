import type { Decision, DecisionRequest, Visibility } from "../model/decision.ts";
import type { LimitRule } from "../model/limit_rule.ts";
import type { CompiledRule } from "./compiled_rule.ts";
import type { ConditionFacts } from "./condition/condition.ts";
import { decide, factsOf, type PolicyIndexes, visibility } from "./decide.ts";
import type { Place } from "./file/policy_error.ts";
import type { OutputRules } from "./file/schema.ts";
import { askCondition } from "./match_rules.ts";
import { AUDIENCE_TESTS, firstUnmet, TOOL_TESTS, UNMET_VERDICTS } from "./rule_tests.ts";

/** Why a rule matched or did not: the first test that it did not pass, or what its condition says. */
export const RULE_VERDICTS = [
  "matched",
  ...UNMET_VERDICTS,
  "when=false",
  "when=error", // the condition has no answer, and the rule is an allow
] as const;

export type RuleVerdict = (typeof RULE_VERDICTS)[number];

export interface RuleTrace {
  readonly id: string;
  readonly effect: "allow" | "ask" | "deny";
  readonly matched: boolean;
  /** The first thing that stood in the way, in the order of the tests. */
  readonly verdict: RuleVerdict;
  /** What exactly: the missing scope, the condition, its error. Empty when there is nothing to add. */
  readonly detail: string;
  /** Why the condition had no answer; null if it had one or was not asked. */
  readonly error: string | null;
  /** The rule is recorded only. */
  readonly observe: boolean;
  readonly place: Place;
}

/** One decision with everything that led to it and everything it obliges the gate to. */
export interface Explanation {
  readonly decision: Decision;
  /** Null: the tool is not visible to the principal at all. */
  readonly visibility: Visibility | null;
  readonly policy: { readonly name: string; readonly digest: string; readonly mode: string };
  readonly groups: readonly string[];
  readonly space: {
    readonly name: string;
    readonly canEnter: boolean;
    readonly hasTool: boolean;
    /** Spaces that do hold the tool. */
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

/** Explains one decision. The decision in it is the one that `decide` gives. */
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
