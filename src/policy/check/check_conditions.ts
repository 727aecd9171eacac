import { nearest } from "../../model/nearest.ts";
import type { Tool } from "../../model/tool.ts";
import { messagePaths } from "../ask_message.ts";
import type { CompiledRule } from "../compiled_rule.ts";
import {
  argumentNames,
  declareArguments,
  schemaAt,
  welcomesMore,
} from "../condition/argument_types.ts";
import {
  createCheckEnvironment,
  EXEC_TYPE,
  TOOL_TYPE,
  USER_TYPE,
} from "../condition/cel_environment.ts";
import { type Condition, firstLine } from "../condition/condition.ts";
import type { Place, PolicyProblem } from "../file/policy_error.ts";

const environment = createCheckEnvironment();

/** Fields of the variables that every condition has. */
const FIXED_FIELDS = [EXEC_TYPE, USER_TYPE, TOOL_TYPE].flatMap((type) => Object.keys(type));

/** How many tools one message names; it counts the rest. */
const TOOLS_SHOWN_MAX = 3;

/** Type-checks the condition of a rule against every tool that the rule names. */
export function checkCondition(rule: CompiledRule, tools: readonly Tool[]): PolicyProblem[] {
  const place = rule.rule.placeOf("when");
  const problem = (message: string, near: string | null): PolicyProblem => ({
    ...place,
    severity: "error",
    kind: "condition",
    message: `rule "${rule.rule.id}": ${message}`,
    near,
  });
  if (rule.broken !== null) return [problem(rule.broken, null)];
  const { condition } = rule;
  if (condition === null || tools.length === 0) return [];
  const findings = new Map<string, { near: string | null; tools: string[] }>();
  for (const tool of tools) {
    const finding = checkAgainst(condition, tool);
    if (finding === null) continue;
    const same = findings.get(finding.message) ?? { near: finding.near, tools: [] };
    same.tools.push(tool.id);
    findings.set(finding.message, same);
  }
  return [
    ...[...findings].map(([message, { near, tools }]) =>
      problem(`${message} (${listTools(tools)})`, near)
    ),
    ...unknownTests(condition, tools).map(([name, near]) =>
      problem(`no tool it is about has an argument "${name}"`, near)
    ),
    ...[...condition.unguarded].flatMap(([name, conversion]): PolicyProblem[] => {
      const open = tools.filter((tool) => mayBeOtherText(tool, name, conversion));
      if (open.length === 0) return [];
      const call = `${conversion}(args.${name})`;
      const ids = listTools(open.map(({ id }) => id));
      return [{
        ...problem(
          `${call} has no answer for a text that says no such value; then a deny or ask matches and ` +
            `an allow does not. Test the argument first where that is not meant (${ids})`,
          null,
        ),
        severity: "warning",
      }];
    }),
  ];
}

/** Whether an argument may be a text that the conversion cannot convert. */
function mayBeOtherText(tool: Tool, name: string, conversion: string): boolean {
  const schema = schemaAt(tool.inputSchema, [name]);
  if (typeof schema !== "object" || schema === null) return mayHave(tool, [name]);
  if (conversion === "timestamp" && "format" in schema && schema.format === "date-time") {
    return false;
  }
  const types = "type" in schema ? [schema.type].flat() : [];
  return types.length === 0 || types.includes("string");
}

/** Reports placeholders of an ask message that are not an argument of any matching tool. */
export function checkMessage(rule: CompiledRule, tools: readonly Tool[]): PolicyProblem[] {
  if (rule.rule.effect !== "ask" || tools.length === 0) return [];
  const place: Place = rule.rule.placeOf("message");
  return messagePaths(rule.rule.message).flatMap((path): PolicyProblem[] => {
    if (tools.some((tool) => mayHave(tool, path.split(".")))) return [];
    const known = tools.flatMap((tool) => argumentNames(tool.inputSchema) ?? []);
    return [{
      ...place,
      severity: "warning",
      kind: "condition",
      message: `rule "${rule.rule.id}": no tool it is about has an argument for {${path}}`,
      near: nearest(path, new Set(known), 1)[0] ?? null,
    }];
  });
}

/** Whether a tool has the argument, or its schema leaves that open. */
export function mayHave(tool: Tool, path: readonly string[]): boolean {
  for (let length = 1; length <= path.length; length++) {
    const parent = schemaAt(tool.inputSchema, path.slice(0, length - 1));
    if (argumentNames(parent) === null || welcomesMore(parent)) return true;
    if (schemaAt(tool.inputSchema, path.slice(0, length)) === undefined) return false;
  }
  return true;
}

function checkAgainst(
  condition: Condition,
  tool: Tool,
): { readonly message: string; readonly near: string | null } | null {
  const typed = environment.clone();
  if (condition.argumentNames === null) {
    typed.registerVariable("args", "dyn");
  } else {
    const extra = welcomesMore(tool.inputSchema) ? condition.argumentNames : condition.testedNames;
    declareArguments(typed, tool.inputSchema, extra);
  }
  const checked = typed.check(condition.text);
  if (checked.valid) {
    if (checked.type === "bool" || checked.type?.startsWith("dyn")) return null;
    return { message: `the condition gives ${checked.type}, it must give bool`, near: null };
  }
  const message = firstLine(checked.error);
  const [, missing] = /^No such key: (.+)$/.exec(message) ?? [];
  if (missing === undefined) return { message, near: null };
  const known = argumentNames(tool.inputSchema) ?? [];
  const isArgument = condition.argumentNames?.has(missing) === true && !known.includes(missing);
  return {
    message: `no ${isArgument ? "argument" : "field"} "${missing}"`,
    near: nearest(missing, isArgument ? known : [...FIXED_FIELDS, ...known], 1)[0] ?? null,
  };
}

/** Reports `has(args.x)` if no tool can have the argument x: x is a typo. */
function unknownTests(
  condition: Condition,
  tools: readonly Tool[],
): (readonly [string, string | null])[] {
  return [...condition.testedNames].filter((name) => !tools.some((tool) => mayHave(tool, [name])))
    .map((name) => {
      const known = new Set(tools.flatMap((tool) => argumentNames(tool.inputSchema) ?? []));
      return [name, nearest(name, known, 1)[0] ?? null];
    });
}

function listTools(ids: readonly string[]): string {
  const more = ids.length - TOOLS_SHOWN_MAX;
  const shown = ids.slice(0, TOOLS_SHOWN_MAX).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
