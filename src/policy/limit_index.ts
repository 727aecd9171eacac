import type { DecisionRequest } from "../model/decision.ts";
import type { LimitRule } from "../model/limit_rule.ts";
import type { Tool } from "../model/tool.ts";
import type { Audiences } from "./audience.ts";
import { compileToolPattern } from "./tool_pattern.ts";

/** Finds the limits that count a call of this principal and tool. */
export type LimitIndex = (
  call: Pick<DecisionRequest, "principal" | "tool">,
) => readonly LimitRule[];

export function createLimitIndex(
  limits: readonly LimitRule[],
  audiences: Pick<Audiences, "of">,
): LimitIndex {
  const compiled = limits.map((limit) => ({
    limit,
    patterns: limit.tools?.map(compileToolPattern) ?? null,
  }));
  const byTool = new WeakMap<Tool, readonly LimitRule[]>();
  const naming = (tool: Tool) => {
    let found = byTool.get(tool);
    if (found === undefined) {
      found = compiled
        .filter(({ patterns }) => patterns?.some((pattern) => pattern.matches(tool)) ?? true)
        .map(({ limit }) => limit);
      byTool.set(tool, found);
    }
    return found;
  };
  return ({ principal, tool }) => {
    const { groups } = audiences.of(principal);
    return naming(tool).filter((limit) => limit.for?.some((name) => groups.has(name)) ?? true);
  };
}
