import ts from "typescript";
import { compareArgument } from "./compare.ts";
import { isTried } from "./probes.ts";
import { renderProblem } from "./problem.ts";
import { isPlainObject, propertyNames, renderNeeds, requiredNames } from "./shapes.ts";
import {
  calledTool,
  isFlagged,
  isOpaque,
  listNames,
  membersOf,
  type ProgramView,
} from "./types.ts";

/**
 * Compares the arguments of a tool call with the tool's declaration.
 *
 * TypeScript's own comparison would reject programs that run: in a variable, `{ status: "open" }`
 * has the type `string` there. This comparison reports only types of which no value could fit.
 */
export function checkArguments(view: ProgramView, call: ts.CallExpression): void {
  const { checker } = view;
  const tool = calledTool(checker, call);
  const signature = checker.getResolvedSignature(call);
  if (tool === null || signature === undefined) return;
  if (call.arguments.some(ts.isSpreadElement)) return;
  const parameters = signature.getParameters().map((parameter) => ({
    type: checker.getTypeOfSymbolAtLocation(parameter, call),
    isOptional: isOptionalParameter(parameter),
  }));
  const say = isTried(view, call) ? view.advise : view.report;
  const [first] = parameters;
  const [argument] = call.arguments;
  if (first && argument && parameters.length === 1 && isPositional(checker, call, first.type)) {
    return say(argument, positionalMessage(checker, tool.name, first.type));
  }
  for (const [index, { type, isOptional }] of parameters.entries()) {
    const given = call.arguments[index];
    const required = requiredNames(checker, type);
    if (given !== undefined) {
      for (const problem of compareArgument(view, given, type)) {
        say(problem.node, renderProblem(tool.name, problem));
      }
    } else if (!isOptional && (required.length > 0 || !hasOnlyOptional(type))) {
      say(call.expression, `"${tool.name}" needs ${renderNeeds(checker, type, required)}`);
    }
  }
}

function isOptionalParameter(parameter: ts.Symbol): boolean {
  const declaration = parameter.valueDeclaration;
  return declaration !== undefined && ts.isParameter(declaration) &&
    (declaration.questionToken !== undefined || declaration.dotDotDotToken !== undefined);
}

/**
 * Whether a call is `get_issue("acme", "gate", 5)` or `get_issue("acme")` instead of one object.
 */
function isPositional(checker: ts.TypeChecker, call: ts.CallExpression, target: ts.Type): boolean {
  const [argument] = call.arguments;
  if (argument === undefined || call.arguments.length > 1) return call.arguments.length > 1;
  const type = checker.getTypeAtLocation(argument);
  return propertyNames(checker, target).length > 0 && isPlainObject(checker, target) &&
    membersOf(type).every((member) =>
      isFlagged(member, ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike)
    );
}

/** The message for `get_issue("acme", "gate", 5)` if the tool expects one object. */
function positionalMessage(checker: ts.TypeChecker, tool: string, type: ts.Type): string {
  const names = parameterNames(checker, type);
  return `"${tool}" takes one object with named parameters: ${
    names === "" ? "{}" : `{ ${names} }`
  }`;
}

function parameterNames(checker: ts.TypeChecker, type: ts.Type): string {
  const required = requiredNames(checker, type);
  const names = required.length > 0 ? required : propertyNames(checker, type);
  return listNames(names) + (names.length < propertyNames(checker, type).length ? ", …" : "");
}

function hasOnlyOptional(type: ts.Type): boolean {
  return isOpaque(type) || isFlagged(type, ts.TypeFlags.Object);
}
