import type {
  ApprovalDemand,
  Decision,
  DecisionRequest,
  Effect,
  Visibility,
} from "../model/decision.ts";
import type { Principal } from "../model/principal.ts";
import type { Tool } from "../model/tool.ts";
import { approvalDemands } from "./approval_demands.ts";
import type { Audiences } from "./audience.ts";
import { createArgumentView } from "./condition/argument_view.ts";
import type { ConditionFacts } from "./condition/condition.ts";
import { effectOf, matchRules, type RuleHits } from "./match_rules.ts";
import type { SpaceIndex } from "./space_index.ts";
import type { ApplicableRules, ToolPlan, ToolPlans } from "./tool_plan.ts";

/** A compiled policy: indexes instead of text. */
export interface PolicyIndexes {
  readonly mode: "enforce" | "observe";
  readonly audiences: Audiences;
  readonly spaces: SpaceIndex;
  readonly plans: ToolPlans;
}

/** Answers one call. Reads nothing but its arguments, so equal calls get equal decisions. */
export function decide(indexes: PolicyIndexes, request: DecisionRequest): Decision {
  const plan = indexes.plans(request.tool);
  if (!indexes.spaces.hasTool(request.principal, request.space, request.tool)) {
    const findings = { access: plan.access, because: ["space"], message: "", approvals: [] };
    const isObserved = !enforcesSpaces(indexes, request.principal, request.space);
    return withEffect(isObserved ? "observe" : "enforce", "hidden", findings);
  }
  const audience = indexes.audiences.of(request.principal);
  const applicable = plan.applicable(audience);
  const hits = matchRules(applicable, factsOf(indexes, plan, request));
  const full = effectOf(hits, true);
  const enforced = effectOf(hits, false);
  const effect = indexes.mode === "observe" ? full : enforced;
  const decision = withEffect(indexes.mode, effect, {
    access: plan.access,
    because: idsOf(hits),
    message: effect === "deny" ? denialMessage(hits, applicable) : "",
    approvals: effect === "ask" ? approvalDemands(enforcing(indexes, hits), request.args) : [],
  });
  if (indexes.mode === "observe" || full === enforced) return decision;
  return { ...decision, observed: full };
}

/** Whether a principal sees a tool, before any argument is known. */
export function visibility(
  indexes: PolicyIndexes,
  principal: Principal,
  space: string,
  tool: Tool,
): Visibility | null {
  const plan = indexes.plans(tool);
  const isThere = indexes.spaces.hasTool(principal, space, tool);
  if (!isThere && enforcesSpaces(indexes, principal, space)) return null;
  if (indexes.mode === "observe") return { access: plan.access, effect: "allow" };
  const { deny, ask, allow } = plan.applicable(indexes.audiences.of(principal));
  const enforced = <T extends { readonly rule: { readonly observe: boolean } }>(
    rules: readonly T[],
  ) => rules.filter(({ rule }) => !rule.observe);
  if (enforced(deny).some(({ rule }) => rule.when === null)) return null;
  if (!enforced(allow).some(({ broken }) => broken === null)) return null;
  return { access: plan.access, effect: enforced(ask).length > 0 ? "ask" : "allow" };
}

/** The data that conditions may use. */
export function factsOf(
  indexes: PolicyIndexes,
  plan: ToolPlan,
  { principal, space, args, execution }: DecisionRequest,
): ConditionFacts {
  return {
    args: createArgumentView(args),
    exec: new Map<string, boolean | string[]>([
      ["tainted", execution.tainted],
      ["sources", [...execution.sources]],
    ]),
    user: indexes.audiences.userFacts(principal),
    tool: plan.facts,
    space,
  };
}

interface Findings {
  readonly access: Decision["access"];
  readonly because: readonly string[];
  readonly message: string;
  readonly approvals: readonly ApprovalDemand[];
}

/** Observe mode hides no tool, but it never lifts a credential's own limits. */
export function enforcesSpaces(
  { mode, spaces }: Pick<PolicyIndexes, "mode" | "spaces">,
  principal: Principal,
  space: string,
): boolean {
  return mode === "enforce" || principal.spaces !== null || !spaces.isKnown(space);
}

/** In `mode: observe` the effect is only recorded. */
function withEffect(
  mode: PolicyIndexes["mode"],
  effect: Effect | "hidden",
  { access, because, message, approvals }: Findings,
): Decision {
  if (mode === "observe" && effect !== "allow") {
    const open = { message: "", approval: null, approvals: [] };
    return { effect: "allow", access, because, ...open, observed: effect };
  }
  return {
    effect,
    access,
    because,
    message,
    approval: approvals[0] ?? null,
    approvals,
    observed: null,
  };
}

function enforcing({ mode }: PolicyIndexes, hits: RuleHits): RuleHits["ask"] {
  return mode === "observe" ? hits.ask : hits.ask.filter(({ rule }) => !rule.rule.observe);
}

/** The ids of all rules that matched, then `no-allow-rule` if no allow or deny rule matched. */
function idsOf(hits: RuleHits): string[] {
  const ids = [...hits.deny, ...hits.ask, ...hits.allow].map(({ rule }) => rule.rule.id);
  return hits.deny.length === 0 && hits.allow.length === 0 ? [...ids, "no-allow-rule"] : ids;
}

/**
 * Tells the agent what to do instead: the operator's message, or the condition that did not hold.
 */
function denialMessage(hits: RuleHits, applicable: ApplicableRules): string {
  const denying = hits.deny.filter(({ rule }) => !rule.rule.observe);
  if (denying.length > 0) {
    return unique(
      denying.map(({ rule: { rule }, error }) =>
        rule.message !== "" || error === null
          ? rule.message
          : `Rule "${rule.id}" cannot read these arguments: ${error}.`
      ),
    );
  }
  return unique(
    applicable.allow.filter(({ rule }) => rule.when !== null && !rule.observe).map(({ rule }) =>
      rule.message !== ""
        ? rule.message
        : `Rule "${rule.id}" allows it only if ${rule.when?.trim()}.`
    ),
  );
}

function unique(messages: readonly string[]): string {
  return [...new Set(messages)].filter((message) => message !== "").join(" ");
}
