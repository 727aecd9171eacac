import ts from "typescript";
import { nearest } from "../../model/nearest.ts";
import { isUncertain } from "./certainty.ts";
import { joinMissing, joinUnknown } from "./join.ts";
import { isAdded } from "./probes.ts";
import type { ArgumentProblem } from "./problem.ts";
import {
  allowsNull,
  isClosed,
  isMarkedOpen,
  isOpen,
  isPlainObject,
  propertyNames,
  renderNeeds,
  requiredNames,
} from "./shapes.ts";
import {
  describeKind,
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
  TOOLS_FILE,
  unwrap,
} from "./types.ts";

/** Compares the expression of an argument with the type of its parameter. */
export function compareArgument(
  view: ProgramView,
  argument: ts.Expression,
  target: ts.Type,
): ArgumentProblem[] {
  const scope = { view, checker: view.checker, budget: { left: COMPARISONS_MAX } };
  return compareValue(scope, argument, target, []);
}

const COMPARISONS_MAX = 4_000;
const DEPTH_MAX = 8;

interface Scope {
  readonly view: ProgramView;
  readonly checker: ts.TypeChecker;
  readonly budget: { left: number };
}

/** A part of an argument, with its expected type. */
interface Part {
  readonly node: ts.Node;
  readonly target: ts.Type;
  /** Property names from the argument to the part. */
  readonly path: readonly string[];
}

/**
 * Compares an expression; descends into literals, so that each problem has the place of its value.
 */
function compareValue(
  scope: Scope,
  expression: ts.Expression,
  target: ts.Type,
  path: readonly string[],
): ArgumentProblem[] {
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
    return bestOf(each, path) ?? [wrongType(scope, { node: inner, target, path })];
  }
  if (ts.isArrayLiteralExpression(inner)) {
    const each = membersOf(target).map((member) => compareArray(scope, inner, member, path));
    return bestOf(each, path) ?? [wrongType(scope, { node: inner, target, path })];
  }
  const problems = compareTypes(scope, source, { node: inner, target, path });
  return problems.length > 0 && isUncertain(scope.view, inner) ? [] : problems;
}

/** The problems with the target that fits best; null if no target has the right kind. */
function bestOf(
  candidates: readonly ArgumentProblem[][],
  path: readonly string[],
): ArgumentProblem[] | null {
  const ofKind = candidates.filter((problems) =>
    problems.every((problem) => !isWrongKind(problem) || problem.path.length > path.length)
  );
  return ofKind.reduce<ArgumentProblem[] | null>(
    (best, problems) => best === null || weigh(problems) < weigh(best) ? problems : best,
    null,
  );
}

function isWrongKind({ kind }: ArgumentProblem): boolean {
  return kind === "type" || kind === "choice";
}

/** A value outside of a choice weighs most, because it often distinguishes alternatives. */
function weigh(problems: readonly ArgumentProblem[]): number {
  return problems.reduce((sum, { kind, names }) => {
    if (kind === "choice") return sum + 10;
    return sum + (kind === "type" ? 3 : names?.length ?? 1);
  }, 0);
}

function compareLiteral(
  scope: Scope,
  literal: ts.ObjectLiteralExpression,
  target: ts.Type,
  path: readonly string[],
): ArgumentProblem[] {
  const { checker } = scope;
  if (isOpaque(target)) return [];
  const whole: Part = { node: literal, target, path };
  if (!isPlainObject(checker, target)) return [wrongType(scope, whole)];
  const problems: ArgumentProblem[] = [];
  const given = givenNames(checker, literal);
  for (const property of literal.properties) {
    const name = staticName(property);
    if (name === null) continue;
    const wanted = checker.getPropertyOfType(target, name);
    if (wanted !== undefined) {
      const type = checker.getTypeOfSymbolAtLocation(wanted, literal);
      const value = valueOf(property);
      if (value === null) continue;
      const isNull = unwrap(value).kind === ts.SyntaxKind.NullKeyword;
      if (isNull && isDeclaredIn(target, TOOLS_FILE) && !allowsNull(wanted)) {
        const part = { node: value, target: type, path: [...path, name] };
        problems.push(nullProblem(scope, part, wanted));
      } else problems.push(...compareValue(scope, value, type, [...path, name]));
    } else if (isClosed(checker, target)) {
      const named = { ...whole, node: property.name ?? property };
      problems.push(unknownParameter(scope, named, name, given));
    }
  }
  const absent = missing(scope, whole, given, problems);
  const joined = joinUnknown(scope.checker, target, path, joinMissing(problems, absent));
  const strays = problems.filter(isStray).length;
  const known = literal.properties.length - strays;
  // Such a call is valid: report only names that resemble a known name.
  const isValid = isMarkedOpen(target) && absent.length === 0 && known > strays;
  return isValid ? joined.filter((problem) => !isStray(problem)) : joined;
}

/** An unknown name that does not resemble a known name and does not belong elsewhere. */
function isStray({ kind, near }: ArgumentProblem): boolean {
  return (kind === "unknown" || kind === "unknowns") && near === undefined;
}

function nullProblem(
  { checker }: Scope,
  { node, target, path }: Part,
  parameter: ts.Symbol,
): ArgumentProblem {
  const isOptional = (parameter.flags & ts.SymbolFlags.Optional) !== 0;
  const remedy = isOptional ? "; leave it out instead" : "";
  const text = `${describeType(checker, target)}, not null${remedy}`;
  return { node, path, kind: "type", text };
}

/** Names that an object literal sets, including spreads; null if it may contain more names. */
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

function unknownParameter(
  scope: Scope,
  { node, target, path }: Part,
  name: string,
  given: ReadonlySet<string> | null,
): ArgumentProblem {
  const known = propertyNames(scope.checker, target);
  const [near] = nearest(name, known.filter((other) => given?.has(other) !== true), 1);
  const text = near === undefined ? `; it takes ${listNames(known)}` : `; did you mean "${near}"?`;
  const problem = { node, path: [...path, name], kind: "unknown", text } as const;
  return near === undefined ? problem : { ...problem, near };
}

function missing(
  scope: Scope,
  { node, target, path }: Part,
  given: ReadonlySet<string> | null,
  others: readonly ArgumentProblem[],
): ArgumentProblem[] {
  if (given === null) return [];
  // A misspelt name is one mistake, not two.
  const meant = new Set(others.map((problem) => problem.near));
  const absent = requiredNames(scope.checker, target).filter((name) =>
    !given.has(name) && !meant.has(name) && !isAdded(scope.view, name)
  );
  if (absent.length === 0) return [];
  const text = renderNeeds(scope.checker, target, absent);
  return [{ node, path, kind: "missing", text, names: absent }];
}

function compareArray(
  scope: Scope,
  literal: ts.ArrayLiteralExpression,
  target: ts.Type,
  path: readonly string[],
): ArgumentProblem[] {
  if (isOpaque(target)) return [];
  const element = elementOf(scope.checker, target);
  if (element === undefined) return [wrongType(scope, { node: literal, target, path })];
  return literal.elements.slice(0, 50).flatMap((value, index) =>
    ts.isSpreadElement(value) || ts.isOmittedExpression(value)
      ? []
      : compareValue(scope, value, element, [...path, String(index)])
  );
}

function wrongType(
  scope: Scope,
  { node, target, path }: Part,
  source = scope.checker.getTypeAtLocation(node),
): ArgumentProblem {
  const { checker } = scope;
  const isChoice = membersOf(target).every(isLiteral);
  const actual = isChoice && membersOf(source).every(isLiteral)
    ? describeType(checker, source)
    : describeKind(checker, source);
  const text = `${describeType(checker, target)}, not ${actual}${suggestLiteral(source, target)}`;
  return { node, path, kind: isChoice ? "choice" : "type", text };
}

function isLiteral(type: ts.Type): boolean {
  return isFlagged(type, ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral);
}

function suggestLiteral(source: ts.Type, target: ts.Type): string {
  if (!source.isStringLiteral()) return "";
  const values = membersOf(target).flatMap((member) =>
    member.isStringLiteral() ? member.value : []
  );
  const [near] = nearest(source.value, values, 1);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}

/** Compares two types; reports a problem only if no value of the source fits the target. */
function compareTypes(scope: Scope, source: ts.Type, part: Part): ArgumentProblem[] {
  const { checker } = scope;
  const { target, path } = part;
  if (scope.budget.left-- <= 0 || path.length > DEPTH_MAX) return [];
  if (isOpaque(source) || isOpaque(target) || checker.isTypeAssignableTo(source, target)) return [];
  if (source.isUnion()) {
    const each = source.types.map((member) => compareTypes(scope, member, part));
    return each.some((problems) => problems.length === 0) ? [] : [
      wrongType(scope, part, source),
    ];
  }
  if (target.isUnion()) {
    const each = target.types.map((member) =>
      compareTypes(scope, source, { ...part, target: member })
    );
    if (each.some((problems) => problems.length === 0)) return [];
    return bestOf(each, path) ?? [wrongType(scope, part, source)];
  }
  if (isWidened(source, target) || hasJsonForm(checker, source)) return [];
  const from = elementOf(checker, source);
  const to = elementOf(checker, target);
  if (from !== undefined && to !== undefined) {
    const [problem] = compareTypes(scope, from, { ...part, target: to, path: [...path, ""] });
    const isWhole = problem !== undefined && isWrongKind(problem) &&
      problem.path.length === path.length + 1;
    return isWhole ? [wrongType(scope, part, source)] : problem === undefined ? [] : [problem];
  }
  if (from !== undefined || to !== undefined || !bothObjects(checker, source, target)) {
    return [wrongType(scope, part, source)];
  }
  return compareMembers(scope, source, part);
}

/**
 * `string` instead of a choice of strings: the type of a variable does not keep the exact string.
 */
function isWidened(source: ts.Type, target: ts.Type): boolean {
  const pairs = [
    [ts.TypeFlags.String, ts.TypeFlags.StringLike],
    [ts.TypeFlags.TemplateLiteral, ts.TypeFlags.StringLike],
    [ts.TypeFlags.Number, ts.TypeFlags.NumberLike],
    [ts.TypeFlags.BooleanLike, ts.TypeFlags.BooleanLike],
    [ts.TypeFlags.BigIntLike, ts.TypeFlags.StringLike],
  ] as const;
  return pairs.some(([from, to]) => isFlagged(source, from) && isFlagged(target, to));
}

/** Whether conversion to JSON changes the type: Date to string, Set to array, Map to object. */
function hasJsonForm(checker: ts.TypeChecker, source: ts.Type): boolean {
  return checker.getPropertyOfType(source, "toJSON") !== undefined ||
    JSON_FORMS.test(source.getSymbol()?.name ?? "");
}

const JSON_FORMS =
  /^(?:Map|Set|Date|RegExp|\w*Error|URL\w*|(?:Big)?(?:Ui|I)nt\d+\w*Array|Float\d+Array|ArrayBuffer|DataView)$/;

function bothObjects(checker: ts.TypeChecker, source: ts.Type, target: ts.Type): boolean {
  return isPlainObject(checker, source) && isPlainObject(checker, target) &&
    source.getCallSignatures().length === 0;
}

function compareMembers(scope: Scope, source: ts.Type, part: Part): ArgumentProblem[] {
  const { checker } = scope;
  const { node, target, path } = part;
  if (isOpen(checker, source)) return [];
  const problems: ArgumentProblem[] = [];
  const given = new Set(propertyNames(checker, source));
  for (const wanted of checker.getPropertiesOfType(target).slice(0, 200)) {
    const has = checker.getPropertyOfType(source, wanted.name);
    if (has === undefined) continue;
    const from = checker.getTypeOfSymbolAtLocation(has, node);
    const to = checker.getTypeOfSymbolAtLocation(wanted, node);
    const member = { node, target: to, path: [...path, wanted.name] };
    problems.push(...compareTypes(scope, from, member));
  }
  if (!isDeclaredIn(source, PROGRAM_FILE)) {
    return [...problems, ...missing(scope, part, given, problems)];
  }
  const guesses = misspelt(scope, part, given);
  const rest = missing(scope, part, given, guesses);
  const joined = joinMissing(guesses, rest).filter((problem) =>
    problem.kind === "missing" || problem.near !== undefined
  );
  return [...problems, ...joined];
}

/** Names in the program's own object that are probably misspelt parameters. */
function misspelt(
  scope: Scope,
  part: Part,
  given: ReadonlySet<string>,
): ArgumentProblem[] {
  if (!isClosed(scope.checker, part.target)) return [];
  const known = new Set(propertyNames(scope.checker, part.target));
  const unknown = [...given].filter((name) => !known.has(name)).slice(0, 50);
  return unknown
    .map((name) => unknownParameter(scope, part, name, given))
    .filter((problem) => problem.near !== undefined || unknown.length === 1);
}
