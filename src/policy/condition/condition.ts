import type { ASTNode } from "@marcbachmann/cel-js";
import { nearest } from "../../model/nearest.ts";
import type { ArgumentView } from "./argument_view.ts";
import { CONDITION_VARIABLES, createRunEnvironment } from "./cel_environment.ts";
import { childrenOf } from "./cel_nodes.ts";
import { type CelValue, LOOP_LIMITS, STRAIGHT_LIMITS } from "./cel_value.ts";
import { hideStrictNames, useStrictFunctions } from "./strict_functions.ts";

/** The data that a condition may use. It belongs to one decision; there is no clock. */
export interface ConditionFacts {
  readonly args: ArgumentView;
  readonly exec: CelValue;
  readonly user: CelValue;
  readonly tool: CelValue;
  readonly space: string;
}

/** A compiled `when`. */
export interface Condition {
  readonly text: string;
  /** Arguments that the condition names; null if it may use any argument. */
  readonly argumentNames: ReadonlySet<string> | null;
  /** Arguments that the condition tests with `has(args.x)`. */
  readonly testedNames: ReadonlySet<string>;
  /** Arguments that the condition only converts (`int(args.x)`), each with its conversion. */
  readonly unguarded: ReadonlyMap<string, string>;
  /** Whether the condition repeats a part for every item of a list. */
  readonly loops: boolean;
  /** @throws {Error} if the condition fails for these facts. */
  readonly holds: (facts: ConditionFacts) => boolean;
}

export type CompiledCondition =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly message: string };

const environment = createRunEnvironment();

const FUNCTIONS: ReadonlySet<string> = new Set([
  ...["has", "size", "int", "double", "string", "bool", "type", "dyn", "glob", "parts"],
  ...["timestamp", "duration"],
]);
/** Conversions that fail for a text without such a value. */
const CONVERSIONS: ReadonlySet<string> = new Set(["int", "double", "bool", "timestamp"]);
const METHODS: ReadonlySet<string> = new Set([
  ...["startsWith", "endsWith", "contains", "lower", "upper", "trim", "indexOf"],
  ...["lastIndexOf", "substring", "size", "glob"],
]);
const MACROS: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "map", "filter"]);
const CONSTANTS: ReadonlySet<string> = new Set([
  ...["string", "bool", "int", "double", "list", "map", "null_type"],
]);
/** For functions that conditions do not offer: what to write instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["matches", "glob(text, pattern), where * stands for any text"],
  ["split", "parts(text, separator)"],
  // These fold some letters that are not ASCII: the Kelvin sign becomes a k.
  ["lowerAscii", "lower()"],
  ["upperAscii", "upper()"],
]);

/**
 * Compiles a CEL condition with guards, so that no argument can make it run for long.
 *
 * Not offered: `matches` (regular expressions may take exponential time), `split` (unbounded),
 * `cel.bind` and macros inside macros (their work multiplies).
 */
export function compileCondition(text: string): CompiledCondition {
  let run: ReturnType<typeof environment.parse>;
  try {
    run = environment.parse(text);
  } catch (error) {
    return { ok: false, message: firstLine(error) };
  }
  const scan = scanExpression(run.ast);
  if (scan.problem !== null) return { ok: false, message: scan.problem };
  // Check the condition as the author wrote it: the rewritten form has less precise types.
  const checked = environment.check(text);
  useStrictFunctions(run.ast, (name) => environment.parse(`${name}(0)`).ast);
  const rewritten = run.check();
  if (!rewritten.valid) return { ok: false, message: firstLine(rewritten.error) };
  if (!checked.valid) return { ok: false, message: firstLine(checked.error) };
  if (checked.type !== "bool" && checked.type !== "dyn") {
    return { ok: false, message: `The condition gives ${checked.type}, it must give bool` };
  }
  const argumentNames = scan.wholeArguments ? null : scan.argumentNames;
  const readsArguments = scan.wholeArguments || scan.argumentNames.size > 0;
  const limits = scan.loops ? LOOP_LIMITS : STRAIGHT_LIMITS;
  const holds = ({ args, exec, user, tool, space }: ConditionFacts): boolean => {
    let answer: unknown;
    try {
      const view = readsArguments ? args.read(argumentNames, limits) : null;
      answer = run({ args: view, exec, user, tool, space });
    } catch (error) {
      const reason = readsArguments ? args.problem(argumentNames, limits) : null;
      throw reason === null ? error : new Error(reason, { cause: error });
    }
    if (typeof answer !== "boolean") throw new Error("The condition does not give true or false");
    return answer;
  };
  const { testedNames, converted, examinedNames, loops } = scan;
  const unguarded = new Map([...converted].filter(([name]) => !examinedNames.has(name)));
  return {
    ok: true,
    condition: { text, argumentNames, testedNames, unguarded, loops, holds },
  };
}

/** The first line of an error of CEL; the rest draws the expression. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return hideStrictNames(message.split("\n", 1)[0] ?? "");
}

interface ExpressionScan {
  problem: string | null;
  loops: boolean;
  wholeArguments: boolean;
  readonly argumentNames: Set<string>;
  readonly testedNames: Set<string>;
  /** Arguments that the condition uses outside `has()` and conversions. */
  readonly examinedNames: Set<string>;
  /** The conversion of each converted argument. */
  readonly converted: Map<string, string>;
}

/** Walks the parsed expression, whose size and depth the parser has bounded. */
function scanExpression(root: ASTNode): ExpressionScan {
  const scan: ExpressionScan = {
    problem: null,
    loops: false,
    wholeArguments: false,
    argumentNames: new Set(),
    testedNames: new Set(),
    examinedNames: new Set(),
    converted: new Map(),
  };
  visit(root, scan, new Set());
  return scan;
}

function visit(node: ASTNode, scan: ExpressionScan, bound: ReadonlySet<string>): void {
  switch (node.op) {
    case "value":
      return;
    case "id":
      return visitName(node.args, scan, bound);
    case ".":
    case "[]": {
      const name = argumentName(node);
      if (name === null) break;
      scan.argumentNames.add(name);
      scan.examinedNames.add(name);
      return;
    }
    case "call":
      return visitCall(node.args[0], node.args[1], scan, bound);
    case "rcall":
      return visitMethod(node.args, scan, bound);
    case ".?":
    case "[?]":
      scan.problem ??= "Optional access (.?) is not offered; use has()";
      return;
    default:
      break;
  }
  for (const child of childrenOf(node)) visit(child, scan, bound);
}

function visitName(name: string, scan: ExpressionScan, bound: ReadonlySet<string>): void {
  if (bound.has(name)) return;
  if (name === "args") scan.wholeArguments = true;
  const known = (CONDITION_VARIABLES as readonly string[]).includes(name) || CONSTANTS.has(name);
  if (!known) scan.problem ??= `Unknown variable: ${name}`;
}

function visitCall(
  name: string,
  args: readonly ASTNode[],
  scan: ExpressionScan,
  bound: ReadonlySet<string>,
): void {
  if (!FUNCTIONS.has(name)) {
    scan.problem ??= notOffered(name);
    return;
  }
  const [first] = args;
  const argument = first === undefined ? null : argumentName(first);
  if (argument !== null && (name === "has" || CONVERSIONS.has(name))) {
    scan.argumentNames.add(argument);
    if (name === "has") scan.testedNames.add(argument);
    else scan.converted.set(argument, name);
    return;
  }
  if (name === "duration" && first?.op !== "value") {
    // The library takes quadratic time to parse a duration with many digits.
    scan.problem ??= "duration() takes a literal only, such as duration('1h')";
  }
  for (const arg of args) visit(arg, scan, bound);
}

function visitMethod(
  [name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]],
  scan: ExpressionScan,
  bound: ReadonlySet<string>,
): void {
  visit(receiver, scan, bound);
  if (METHODS.has(name)) {
    for (const arg of args) visit(arg, scan, bound);
    return;
  }
  if (!MACROS.has(name)) {
    scan.problem ??= notOffered(name);
    return;
  }
  scan.loops = true;
  if (bound.size > 0) {
    scan.problem ??= `${name}() stands inside another macro; macros may not be nested`;
    return;
  }
  const [variable, ...body] = args;
  if (variable?.op !== "id") {
    scan.problem ??= `The first argument of ${name}() must be a variable name`;
    return;
  }
  if ((CONDITION_VARIABLES as readonly string[]).includes(variable.args)) {
    scan.problem ??= `The variable of ${name}() may not be called "${variable.args}"`;
    return;
  }
  for (const part of body) visit(part, scan, new Set([variable.args]));
}

function notOffered(name: string): string {
  const instead = INSTEAD.get(name);
  if (instead !== undefined) return `${name}() is not offered; use ${instead}`;
  const [near] = nearest(name, [...FUNCTIONS, ...METHODS, ...MACROS], 1);
  return `${name}() is not offered${near === undefined ? "" : `; did you mean ${near}()?`}`;
}

/** `args.x` and `args["x"]` name the argument x; null for any other expression. */
function argumentName(node: ASTNode): string | null {
  if (node.op === "." && node.args[0].op === "id" && node.args[0].args === "args") {
    return node.args[1];
  }
  if (node.op === "[]" && node.args[0].op === "id" && node.args[0].args === "args") {
    const key = node.args[1];
    if (key.op === "value" && typeof key.args === "string") return key.args;
  }
  return null;
}
