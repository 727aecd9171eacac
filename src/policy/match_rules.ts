import type { Effect } from "../model/decision.ts";
import type { CompiledRule } from "./compiled_rule.ts";
import { firstLine } from "./condition/condition.ts";
import type { ConditionFacts } from "./condition/condition.ts";
import type { ApplicableRules } from "./tool_plan.ts";

/** A rule that matched. */
export interface RuleHit {
  readonly rule: CompiledRule;
  /** Why the condition failed, if the rule matched because of this failure; otherwise null. */
  readonly error: string | null;
}

/** All rules that matched one call, each list sorted by id. */
export interface RuleHits {
  readonly deny: readonly RuleHit[];
  readonly ask: readonly RuleHit[];
  readonly allow: readonly RuleHit[];
}

/** Evaluates the conditions of the applicable rules for one call. */
export function matchRules(rules: ApplicableRules, facts: ConditionFacts): RuleHits {
  return {
    deny: hitsOf(rules.deny, facts),
    ask: hitsOf(rules.ask, facts),
    allow: hitsOf(rules.allow, facts),
  };
}

export type ConditionAnswer =
  | { readonly holds: boolean; readonly error: null }
  | { readonly holds: null; readonly error: string };

/** The answer of a rule's condition, or why it has no answer. */
export function askCondition(rule: CompiledRule, facts: ConditionFacts): ConditionAnswer {
  if (rule.broken !== null) return { holds: null, error: rule.broken };
  if (rule.condition === null) return { holds: true, error: null };
  try {
    return { holds: rule.condition.holds(facts), error: null };
  } catch (error) {
    return { holds: null, error: firstLine(error) };
  }
}

/** A failed condition matches deny and ask, but not allow: an error never allows a call. */
export function isMatch(rule: CompiledRule, answer: ConditionAnswer): boolean {
  return answer.holds ?? rule.rule.effect !== "allow";
}

/**
 * The only precedence: deny beats ask, ask beats allow, and no allow means deny.
 *
 * @param observing whether rules that are only observed count too.
 */
export function effectOf(hits: RuleHits, observing: boolean): Effect {
  const counts = ({ rule }: RuleHit) => observing || !rule.rule.observe;
  if (hits.deny.some(counts)) return "deny";
  if (!hits.allow.some(counts)) return "deny";
  return hits.ask.some(counts) ? "ask" : "allow";
}

function hitsOf(rules: readonly CompiledRule[], facts: ConditionFacts): RuleHit[] {
  const hits: RuleHit[] = [];
  for (const rule of rules) {
    const answer = askCondition(rule, facts);
    if (isMatch(rule, answer)) hits.push({ rule, error: answer.error });
  }
  return hits;
}
