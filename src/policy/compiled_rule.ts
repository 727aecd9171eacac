import type { Access } from "../model/tool.ts";
import { compileCondition, type Condition } from "./condition/condition.ts";
import type { Placed, Rule } from "./file/document.ts";
import { compileToolPattern, type ToolName, type ToolPattern } from "./tool_pattern.ts";

/** A rule, ready to be matched. */
export interface CompiledRule {
  readonly rule: Placed<Rule>;
  readonly access: ReadonlySet<Access>;
  readonly patterns: readonly ToolPattern[] | null;
  /** Null: the rule has no condition. */
  readonly condition: Condition | null;
  /**
   * Why the condition cannot be used, or null. Such a rule acts as if its condition always failed.
   */
  readonly broken: string | null;
}

export function compileRule(rule: Placed<Rule>): CompiledRule {
  const compiled = rule.when === null ? null : compileCondition(rule.when);
  return {
    rule,
    access: new Set(rule.access),
    patterns: rule.tools?.map(compileToolPattern) ?? null,
    condition: compiled?.ok === true ? compiled.condition : null,
    broken: compiled?.ok === false ? compiled.message : null,
  };
}

/** Whether a pattern of the rule matches the tool. */
export function namesTool(rule: CompiledRule, tool: ToolName): boolean {
  return rule.patterns === null || rule.patterns.some((pattern) => pattern.matches(tool));
}
