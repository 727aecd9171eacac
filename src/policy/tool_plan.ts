import type { Access, Tool } from "../model/tool.ts";
import type { Audience, Audiences } from "./audience.ts";
import type { ToolClasses } from "./classify.ts";
import type { CompiledRule } from "./compiled_rule.ts";
import type { CelValue } from "./condition/cel_value.ts";
import { concernsAudience, concernsTool } from "./rule_tests.ts";

/** The rules that apply to one tool and one audience if their conditions hold. Sorted by id. */
export interface ApplicableRules {
  readonly deny: readonly CompiledRule[];
  readonly ask: readonly CompiledRule[];
  readonly allow: readonly CompiledRule[];
}

/** Everything about a tool that does not depend on arguments. */
export interface ToolPlan {
  readonly access: Access;
  /** The variable `tool` of conditions. */
  readonly facts: CelValue;
  readonly priceUsd: number;
  readonly isUntrusted: boolean;
  readonly applicable: (audience: Audience) => ApplicableRules;
}

/** Finds the plan of a tool. */
export type ToolPlans = (tool: Tool) => ToolPlan;

/**
 * Indexes rules by server and class, and caches the applicable rules of each tool and audience.
 *
 * Tools are immutable, so a plan lives as long as its tool. A decision then only evaluates the
 * conditions of applicable rules.
 */
export function createToolPlans(
  rules: readonly CompiledRule[],
  classes: ToolClasses,
  audiences: Pick<Audiences, "hasGroup">,
): ToolPlans {
  const index = indexByServer(rules);
  const plans = new WeakMap<Tool, ToolPlan>();
  return (tool) => {
    let plan = plans.get(tool);
    if (plan === undefined) {
      plan = makePlan(index(tool), tool, classes, audiences);
      plans.set(tool, plan);
    }
    return plan;
  };
}

function makePlan(
  candidates: readonly CompiledRule[],
  tool: Tool,
  classes: ToolClasses,
  audiences: Pick<Audiences, "hasGroup">,
): ToolPlan {
  const access = classes.classify(tool);
  const concerned = candidates.filter((rule) => concernsTool(rule, { tool, access }))
    .toSorted((a, b) => a.rule.id < b.rule.id ? -1 : 1);
  const byAudience = new WeakMap<Audience, ApplicableRules>();
  return {
    access,
    facts: new Map([["server", tool.server], ["name", tool.name], ["access", access]]),
    priceUsd: classes.price(tool),
    isUntrusted: classes.isUntrusted(tool),
    applicable(audience) {
      let applicable = byAudience.get(audience);
      if (applicable === undefined) {
        const left = concerned.filter((rule) => concernsAudience(rule, { audience, audiences }));
        const withEffect = (effect: string) => left.filter(({ rule }) => rule.effect === effect);
        applicable = {
          deny: withEffect("deny"),
          ask: withEffect("ask"),
          allow: withEffect("allow"),
        };
        byAudience.set(audience, applicable);
      }
      return applicable;
    },
  };
}

/**
 * Indexes rules whose patterns all name exact servers; the other rules are tried for every tool.
 */
function indexByServer(
  rules: readonly CompiledRule[],
): (tool: Tool) => readonly CompiledRule[] {
  const everywhere: CompiledRule[] = [];
  const byServer = new Map<string, Set<CompiledRule>>();
  for (const rule of rules) {
    const servers = rule.patterns?.map(({ server }) => server) ?? [null];
    if (servers.includes(null)) {
      everywhere.push(rule);
      continue;
    }
    for (const server of servers) {
      if (server === null) continue;
      const waiting = byServer.get(server) ?? new Set();
      byServer.set(server, waiting.add(rule));
    }
  }
  return (tool) => [
    ...new Set([
      ...everywhere,
      ...byServer.get(tool.server) ?? [],
      ...byServer.get(tool.serverIdentifier) ?? [],
    ]),
  ];
}
