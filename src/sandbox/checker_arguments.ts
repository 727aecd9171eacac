import ts from "typescript";
import { nearest } from "../model/nearest.ts";
import {
  calledTool,
  describeType,
  elementOf,
  hasPromise,
  isDeclaredIn,
  isFlagged,
  isOpaque,
  listNames,
  membersOf,
  PROGRAM_FILE,
  type ProgramView,
  unwrap,
} from "./checker_types.ts";

/**
 * Compares the arguments of a tool call with the tool's declaration.
 *
 * TypeScript's own relation would reject programs that run: `{ status: "open" }` in a variable has
 * a `string` there. This one reports only what no value of the argument's type could satisfy.
 */
export function checkArguments(view: ProgramView, call: ts.CallExpression): void {
  const { checker } = view;
  const tool = calledTool(checker, call);
  const signature = checker.getResolvedSignature(call);
  if (tool === null || signature === undefined) return;
  if (call.arguments.some(ts.isSpreadElement)) return;
  const scope: Scope = { checker, budget: { left: COMPARISONS_MAX } };
  const parameters = signature.getParameters().map((parameter) => ({
    type: checker.getTypeOfSymbolAtLocation(parameter, call),
    isOptional: isOptionalParameter(parameter),
  }));
  const [first] = parameters;
  const [argument] = call.arguments;
  if (first && argument && parameters.length === 1 && call.arguments.length > 1) {
    return view.report(argument, positionalMessage(checker, tool.name, first.type));
  }
  for (const [index, { type, isOptional }] of parameters.entries()) {
    const given = call.arguments[index];
    const required = requiredNames(checker, type);
    if (given !== undefined) {
      for (const problem of compareValue(scope, given, type, [])) {
        view.report(problem.node, renderProblem(tool.name, problem));
      }
    } else if (!isOptional && (required.length > 0 || !hasOnlyOptional(type))) {
      view.report(call.expression, `"${tool.name}" needs ${needs(checker, type, required)}`);
    }
  }
}

const COMPARISONS_MAX = 4_000;
const DEPTH_MAX = 8;

interface Scope {
  readonly checker: ts.TypeChecker;
  readonly budget: { left: number };
}

/** One way in which an argument does not fit. */
interface Problem {
  readonly node: ts.Node;
  /** Names from the argument to the value. */
  readonly path: readonly string[];
  readonly kind: "missing" | "unknown" | "type" | "promise";
  readonly text: string;
  /** The parameter that was probably meant. */
  readonly near?: string;
}

function renderProblem(tool: string, problem: Problem): string {
  const name = problem.path.join(".");
  switch (problem.kind) {
    case "missing":
      return name === ""
        ? `"${tool}" needs ${problem.text}`
        : `"${name}" of "${tool}" needs ${problem.text}`;
    case "unknown":
      return `"${tool}" has no parameter "${name}"${problem.text}`;
    case "promise":
      return `${subject(tool, name)} is a Promise; put await before it`;
    case "type":
      return `${subject(tool, name)} must be ${problem.text}`;
  }
}

function subject(tool: string, name: string): string {
  return name === "" ? `The argument of "${tool}"` : `"${name}" of "${tool}"`;
}

function isOptionalParameter(parameter: ts.Symbol): boolean {
  const declaration = parameter.valueDeclaration;
  return declaration !== undefined && ts.isParameter(declaration) &&
    (declaration.questionToken !== undefined || declaration.dotDotDotToken !== undefined);
}

/** For `get_issue("acme", "gate", 5)` where one object is expected. */
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

function needs(checker: ts.TypeChecker, type: ts.Type, required: readonly string[]): string {
  if (required.length === 0) return describeType(checker, type);
  return `the parameter${required.length === 1 ? "" : "s"} ${listNames(required.map(quote))}`;
}

function quote(name: string): string {
  return `"${name}"`;
}

function hasOnlyOptional(type: ts.Type): boolean {
  return isOpaque(type) || isFlagged(type, ts.TypeFlags.Object);
}

function propertyNames(checker: ts.TypeChecker, type: ts.Type): string[] {
  return checker.getPropertiesOfType(type).map((property) => property.name);
}

function requiredNames(checker: ts.TypeChecker, type: ts.Type): string[] {
  if (isOpaque(type)) return [];
  return checker.getPropertiesOfType(type).filter((property) => !isOptional(property)).map((
    property,
  ) => property.name);
}

function isOptional(property: ts.Symbol): boolean {
  return (property.flags & ts.SymbolFlags.Optional) !== 0;
}

/** Compares an expression; goes into literals, so that a problem has the place of its own value. */
function compareValue(
  scope: Scope,
  expression: ts.Expression,
  target: ts.Type,
  path: readonly string[],
): Problem[] {
  if (scope.budget.left-- <= 0 || path.length > DEPTH_MAX) return [];
  const { checker } = scope;
  const inner = unwrap(expression);
  const source = checker.getTypeAtLocation(expression);
  if (isOpaque(source) || isOpaque(target)) return [];
  if (hasPromise(source) && !hasPromise(target)) {
    return [{ node: inner, path, kind: "promise", text: "" }];
  }
  if (ts.isConditionalExpression(inner)) {
    return [inner.whenTrue, inner.whenFalse].flatMap((branch) =>
      compareValue(scope, branch, target, path)
    );
  }
  if (ts.isObjectLiteralExpression(inner)) {
    const each = membersOf(target).map((member) => compareLiteral(scope, inner, member, path));
    return bestOf(each, path) ?? [wrongType(scope, inner, target, path)];
  }
  if (ts.isArrayLiteralExpression(inner)) {
    const each = membersOf(target).map((member) => compareArray(scope, inner, member, path));
    return bestOf(each, path) ?? [wrongType(scope, inner, target, path)];
  }
  return compareTypes(scope, source, target, inner, path);
}

/** The problems with the target that fits best; null if none is of the right kind. */
function bestOf(candidates: readonly Problem[][], path: readonly string[]): Problem[] | null {
  const ofKind = candidates.filter((problems) =>
    problems.every((problem) => problem.kind !== "type" || problem.path.length > path.length)
  );
  return ofKind.reduce<Problem[] | null>(
    (best, problems) => best === null || problems.length < best.length ? problems : best,
    null,
  );
}

function compareLiteral(
  scope: Scope,
  literal: ts.ObjectLiteralExpression,
  target: ts.Type,
  path: readonly string[],
): Problem[] {
  const { checker } = scope;
  if (isOpaque(target)) return [];
  if (!isPlainObject(checker, target)) return [wrongType(scope, literal, target, path)];
  const problems: Problem[] = [];
  const given = givenNames(checker, literal);
  for (const property of literal.properties) {
    const name = staticName(property);
    if (name === null) continue;
    const wanted = checker.getPropertyOfType(target, name);
    if (wanted !== undefined) {
      const type = checker.getTypeOfSymbolAtLocation(wanted, literal);
      const value = valueOf(property);
      if (value !== null) problems.push(...compareValue(scope, value, type, [...path, name]));
    } else if (isClosed(checker, target)) {
      problems.push(unknownParameter(scope, property.name ?? property, target, path, name, given));
    }
  }
  return [...problems, ...missing(scope, literal, target, path, given, problems)];
}

/** Names that an object literal gives, spreads included; null if more may be in it. */
function givenNames(
  checker: ts.TypeChecker,
  literal: ts.ObjectLiteralExpression,
): ReadonlySet<string> | null {
  const type = checker.getTypeAtLocation(literal);
  if (isOpaque(type) || isOpen(checker, type) || type.isUnion()) return null;
  const isOpenEnded = literal.properties.some((property) =>
    ts.isSpreadAssignment(property)
      ? isOpaque(checker.getTypeAtLocation(property.expression))
      : staticName(property) === null
  );
  return isOpenEnded ? null : new Set(propertyNames(checker, type));
}

function staticName(property: ts.ObjectLiteralElementLike): string | null {
  const name = property.name;
  if (name === undefined || ts.isComputedPropertyName(name) || ts.isPrivateIdentifier(name)) {
    return null;
  }
  return name.text;
}

function valueOf(property: ts.ObjectLiteralElementLike): ts.Expression | null {
  if (ts.isPropertyAssignment(property)) return property.initializer;
  if (ts.isShorthandPropertyAssignment(property)) return property.name;
  return null;
}

function isOpen(checker: ts.TypeChecker, target: ts.Type): boolean {
  return checker.getIndexInfosOfType(target).length > 0;
}

/** Whether other names are mistakes. A tool that names no parameter may still take some. */
function isClosed(checker: ts.TypeChecker, target: ts.Type): boolean {
  return !isOpen(checker, target) && checker.getPropertiesOfType(target).length > 0;
}

function isPlainObject(checker: ts.TypeChecker, type: ts.Type): boolean {
  return isFlagged(type, ts.TypeFlags.Object | ts.TypeFlags.Intersection) &&
    elementOf(checker, type) === undefined;
}

function unknownParameter(
  scope: Scope,
  node: ts.Node,
  target: ts.Type,
  path: readonly string[],
  name: string,
  given: ReadonlySet<string> | null,
): Problem {
  const known = propertyNames(scope.checker, target);
  const [near] = nearest(name, known.filter((other) => given?.has(other) !== true), 1);
  const text = near === undefined ? `; it takes ${listNames(known)}` : `; did you mean "${near}"?`;
  const problem = { node, path: [...path, name], kind: "unknown", text } as const;
  return near === undefined ? problem : { ...problem, near };
}

function missing(
  scope: Scope,
  node: ts.Node,
  target: ts.Type,
  path: readonly string[],
  given: ReadonlySet<string> | null,
  others: readonly Problem[],
): Problem[] {
  if (given === null) return [];
  // A misspelt name is one mistake, not two.
  const meant = new Set(others.map((problem) => problem.near));
  const absent = requiredNames(scope.checker, target).filter((name) =>
    !given.has(name) && !meant.has(name)
  );
  if (absent.length === 0) return [];
  return [{ node, path, kind: "missing", text: needs(scope.checker, target, absent) }];
}

function compareArray(
  scope: Scope,
  literal: ts.ArrayLiteralExpression,
  target: ts.Type,
  path: readonly string[],
): Problem[] {
  if (isOpaque(target)) return [];
  const element = elementOf(scope.checker, target);
  if (element === undefined) return [wrongType(scope, literal, target, path)];
  return literal.elements.slice(0, 50).flatMap((value, index) =>
    ts.isSpreadElement(value) || ts.isOmittedExpression(value)
      ? []
      : compareValue(scope, value, element, [...path, String(index)])
  );
}

function wrongType(
  scope: Scope,
  node: ts.Expression,
  target: ts.Type,
  path: readonly string[],
): Problem {
  const source = scope.checker.getTypeAtLocation(node);
  const text = `${describeType(scope.checker, target)}, not ${
    describeSource(scope, source, target)
  }`;
  return { node, path, kind: "type", text: text + suggestLiteral(source, target) };
}

/** The value itself where a choice of values is wanted, else its kind. */
function describeSource(scope: Scope, source: ts.Type, target: ts.Type): string {
  const isChoice = membersOf(target).every((member) =>
    isFlagged(member, ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral)
  );
  if (isChoice) return describeType(scope.checker, source);
  return describeType(scope.checker, scope.checker.getBaseTypeOfLiteralType(source));
}

function suggestLiteral(source: ts.Type, target: ts.Type): string {
  if (!source.isStringLiteral()) return "";
  const values = membersOf(target).flatMap((member) =>
    member.isStringLiteral() ? member.value : []
  );
  const [near] = nearest(source.value, values, 1);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}

/** Whether some value of one type is a value of the other; a problem only if none is. */
function compareTypes(
  scope: Scope,
  source: ts.Type,
  target: ts.Type,
  node: ts.Expression,
  path: readonly string[],
): Problem[] {
  const { checker } = scope;
  if (scope.budget.left-- <= 0 || path.length > DEPTH_MAX) return [];
  if (isOpaque(source) || isOpaque(target) || checker.isTypeAssignableTo(source, target)) return [];
  if (source.isUnion()) {
    const each = source.types.map((member) => compareTypes(scope, member, target, node, path));
    return each.some((problems) => problems.length === 0) ? [] : [
      wrongType(scope, node, target, path),
    ];
  }
  if (target.isUnion()) {
    const each = target.types.map((member) => compareTypes(scope, source, member, node, path));
    if (each.some((problems) => problems.length === 0)) return [];
    return bestOf(each, path) ?? [wrongType(scope, node, target, path)];
  }
  if (isWidened(source, target) || hasJsonForm(checker, source)) return [];
  const from = elementOf(checker, source);
  const to = elementOf(checker, target);
  if (from !== undefined && to !== undefined) {
    return compareTypes(scope, from, to, node, [...path, "0"]).slice(0, 1);
  }
  if (from !== undefined || to !== undefined || !bothObjects(checker, source, target)) {
    return [wrongType(scope, node, target, path)];
  }
  return compareMembers(scope, source, target, node, path);
}

/** `string` where one of some strings is wanted: a variable's type forgets which one it holds. */
function isWidened(source: ts.Type, target: ts.Type): boolean {
  const pairs = [
    [ts.TypeFlags.String, ts.TypeFlags.StringLike],
    [ts.TypeFlags.TemplateLiteral, ts.TypeFlags.StringLike],
    [ts.TypeFlags.Number, ts.TypeFlags.NumberLike],
    [ts.TypeFlags.BooleanLike, ts.TypeFlags.BooleanLike],
  ] as const;
  return pairs.some(([from, to]) => isFlagged(source, from) && isFlagged(target, to));
}

/** A Date becomes a string on the way, a URL too. */
function hasJsonForm(checker: ts.TypeChecker, source: ts.Type): boolean {
  return checker.getPropertyOfType(source, "toJSON") !== undefined;
}

function bothObjects(checker: ts.TypeChecker, source: ts.Type, target: ts.Type): boolean {
  return isPlainObject(checker, source) && isPlainObject(checker, target) &&
    source.getCallSignatures().length === 0;
}

function compareMembers(
  scope: Scope,
  source: ts.Type,
  target: ts.Type,
  node: ts.Expression,
  path: readonly string[],
): Problem[] {
  const { checker } = scope;
  if (isOpen(checker, source)) return [];
  const problems: Problem[] = [];
  const given = new Set(propertyNames(checker, source));
  for (const wanted of checker.getPropertiesOfType(target).slice(0, 200)) {
    const has = checker.getPropertyOfType(source, wanted.name);
    if (has === undefined) continue;
    const from = checker.getTypeOfSymbolAtLocation(has, node);
    const to = checker.getTypeOfSymbolAtLocation(wanted, node);
    problems.push(...compareTypes(scope, from, to, node, [...path, wanted.name]));
  }
  if (isDeclaredIn(source, PROGRAM_FILE)) {
    problems.push(...misspelt(scope, node, target, path, given));
  }
  return [...problems, ...missing(scope, node, target, path, given, problems)];
}

/** Names in an object of the program's own that are near to one the tool takes and does not get. */
function misspelt(
  scope: Scope,
  node: ts.Node,
  target: ts.Type,
  path: readonly string[],
  given: ReadonlySet<string>,
): Problem[] {
  if (!isClosed(scope.checker, target)) return [];
  const known = new Set(propertyNames(scope.checker, target));
  const unknown = [...given].filter((name) => !known.has(name)).slice(0, 50);
  return unknown
    .map((name) => unknownParameter(scope, node, target, path, name, given))
    .filter((problem) => problem.near !== undefined);
}
