import { Environment } from "@marcbachmann/cel-js";
import { compileGlob } from "../../model/glob.ts";
import { registerStrictFunctions } from "./strict_functions.ts";

/** Names of the variables of a condition. */
export const CONDITION_VARIABLES = ["args", "exec", "user", "tool", "space"] as const;

/** `parts()` may return this many pieces; more is an error. */
const PIECES_MAX = 1_000;

const LIMITS = { maxAstNodes: 200, maxDepth: 24, maxListElements: 200, maxMapEntries: 100 };

/** Types of the variables whose shape never changes. */
export const EXEC_TYPE = { tainted: "bool", sources: "list<string>" };
export const USER_TYPE = {
  sub: "string",
  client: "string",
  groups: "list<string>",
  scopes: "list<string>",
};
export const TOOL_TYPE = { server: "string", name: "string", access: "string" };

/**
 * The environment that conditions run in: every variable is dynamic, and comparing values of
 * different types is an error. So `args.force == true` on the text "true" is an error, not `false`.
 */
export function createRunEnvironment(): Environment {
  const environment = new Environment({ limits: LIMITS });
  for (const name of CONDITION_VARIABLES) environment.registerVariable(name, "dyn");
  addNumbers(environment);
  addFunctions(environment);
  registerStrictFunctions(environment);
  const scalars = ["string", "bool", "int", "double"];
  for (const [index, left] of scalars.entries()) {
    for (const right of scalars.slice(index + 1)) {
      if (left !== "int") refuseComparison(environment, left, right);
    }
    refuseComparison(environment, "list", left);
    refuseComparison(environment, "map", left);
  }
  refuseComparison(environment, "list", "map");
  for (const other of [...scalars, "list", "map"]) {
    refuseComparison(environment, "google.protobuf.Timestamp", other);
  }
  return environment;
}

/** The environment that conditions are type-checked in; the caller adds `args`. */
export function createCheckEnvironment(): Environment {
  const environment = new Environment({ limits: LIMITS })
    .registerVariable({ name: "exec", schema: EXEC_TYPE })
    .registerVariable({ name: "user", schema: USER_TYPE })
    .registerVariable({ name: "tool", schema: TOOL_TYPE })
    .registerVariable("space", "string")
    // JSON has one number type and CEL has two: literals like 40 are int, arguments are double.
    .registerOperator("double == int", (left: number, right: bigint) => left == Number(right))
    .registerOperator("double in list<int>", (left: number, right: bigint[]) => {
      return right.some((item) => Number(item) === left);
    });
  addNumbers(environment);
  addFunctions(environment);
  return environment;
}

function addNumbers(environment: Environment): void {
  const operators: readonly (readonly [string, (left: number, right: number) => number])[] = [
    ["+", (left, right) => left + right],
    ["-", (left, right) => left - right],
    ["*", (left, right) => left * right],
    ["/", (left, right) => left / right],
  ];
  for (const [sign, apply] of operators) {
    environment.registerOperator(
      `double ${sign} int: double`,
      (left: number, right: bigint) => apply(left, Number(right)),
    );
    environment.registerOperator(
      `int ${sign} double: double`,
      (left: bigint, right: number) => apply(Number(left), right),
    );
  }
}

function addFunctions(environment: Environment): void {
  const sync = { async: false };
  const glob = (text: string, pattern: string) => compileGlob(pattern)(text);
  environment.registerFunction("glob(string, string): bool", glob, sync);
  environment.registerFunction("string.glob(string): bool", glob, sync);
  environment.registerFunction("string.lower(): string", lowerAscii, sync);
  environment.registerFunction("string.upper(): string", upperAscii, sync);
  environment.registerFunction("parts(string, string): list<string>", splitText, sync);
}

function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function upperAscii(text: string): string {
  return text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
}

function splitText(text: string, separator: string): string[] {
  const pieces = text.split(separator, PIECES_MAX + 1);
  if (pieces.length > PIECES_MAX) throw new Error(`More than ${PIECES_MAX} parts`);
  return pieces;
}

function refuseComparison(environment: Environment, left: string, right: string): void {
  environment.registerOperator(`${left} == ${right}: bool`, () => {
    throw new Error(`Cannot compare ${left} with ${right}`);
  });
}
