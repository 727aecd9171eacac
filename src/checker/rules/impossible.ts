import ts from "typescript";
import { nearest } from "../../model/nearest.ts";
import { isUncertain } from "./certainty.ts";
import {
  describeKind,
  describeType,
  elementOf,
  isFlagged,
  isOpaque,
  membersOf,
  type ProgramView,
  toolAround,
  unwrap,
} from "./types.ts";

/** Finds comparisons that have the same result for all values, so the author meant another one. */
export function checkComparison(view: ProgramView, node: ts.Node): void {
  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.kind;
    if (EQUAL.has(operator) || UNEQUAL.has(operator)) checkEquality(view, node);
    else if (ORDER.has(operator)) checkOrder(view, node);
    else if (operator === ts.SyntaxKind.InKeyword) checkIn(view, node);
  } else if (ts.isSwitchStatement(node)) checkSwitch(view, node);
  else if (ts.isCallExpression(node)) checkIncludes(view, node);
}

const EQUAL: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
]);
const UNEQUAL: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);
const STRICT: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);
const ORDER: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
]);

/** The full type of a variable or member, without the narrowing of an `if`. */
export function wholeType(view: ProgramView, expression: ts.Expression): ts.Type {
  const inner = unwrap(expression);
  const name = ts.isPropertyAccessExpression(inner) ? inner.name : inner;
  const symbol = ts.isIdentifier(name) ? view.checker.getSymbolAtLocation(name) : undefined;
  return symbol?.valueDeclaration === undefined && (symbol?.declarations ?? []).length === 0
    ? view.checker.getTypeAtLocation(inner)
    : view.checker.getTypeOfSymbol(symbol as ts.Symbol);
}

/** A value and the text that it is compared with: `x.status === "completed"`. */
interface TextComparison {
  readonly value: ts.Expression;
  readonly text: string;
}

function textComparison(node: ts.Expression): TextComparison | null {
  if (!ts.isBinaryExpression(node)) return null;
  const operator = node.operatorToken.kind;
  if (!EQUAL.has(operator) && !UNEQUAL.has(operator)) return null;
  const [left, right] = [unwrap(node.left), unwrap(node.right)];
  if (ts.isStringLiteralLike(right)) return { value: left, text: right.text };
  return ts.isStringLiteralLike(left) ? { value: right, text: left.text } : null;
}

/** The possible texts of a value; null if it can be any text or another type. */
function choicesOf(view: ProgramView, value: ts.Expression): readonly string[] | null {
  const members = membersOf(wholeType(view, value));
  const isText = (type: ts.Type): type is ts.StringLiteralType =>
    isFlagged(type, ts.TypeFlags.StringLiteral);
  if (members.length === 0 || !members.every(isText) || isUncertain(view, value)) return null;
  return members.map((member) => (member as ts.StringLiteralType).value);
}

function checkEquality(view: ProgramView, node: ts.BinaryExpression): void {
  const compared = textComparison(node);
  const choices = compared === null ? null : choicesOf(view, compared.value);
  if (compared === null || choices === null) return checkKinds(view, node);
  if (choices.includes(compared.text)) return;
  if (isHedged(view, node, compared, choices)) return;
  view.report(node, neverMessage(view, compared, choices));
}

function neverMessage(
  view: ProgramView,
  { value, text }: TextComparison,
  choices: readonly string[],
): string {
  const [near] = nearest(text, choices, 1);
  const meant = near === undefined
    ? `; it is ${describeType(view.checker, wholeType(view, value))}`
    : `; did you mean "${near}"?`;
  return `${subjectOf(view, value)} is never "${text}"${meant}`;
}

/** `"status" of "orders.list"` */
function subjectOf(view: ProgramView, value: ts.Expression): string {
  const name = ts.isPropertyAccessExpression(value) ? value.name : value;
  const symbol = ts.isIdentifier(name) ? view.checker.getSymbolAtLocation(name) : undefined;
  const tool = toolAround(symbol?.valueDeclaration ?? symbol?.declarations?.[0]);
  if (!ts.isIdentifier(name)) return "This";
  return tool === null ? `"${name.text}"` : `"${name.text}" of "${tool.name}"`;
}

/** `x.status === "done" || x.status === "paid"`: one of several guesses is right. */
function isHedged(
  view: ProgramView,
  node: ts.BinaryExpression,
  compared: TextComparison,
  choices: readonly string[],
): boolean {
  const joint = EQUAL.has(node.operatorToken.kind)
    ? ts.SyntaxKind.BarBarToken
    : ts.SyntaxKind.AmpersandAmpersandToken;
  let top: ts.Node = node;
  const isJoint = (at: ts.Node) =>
    ts.isParenthesizedExpression(at) ||
    (ts.isBinaryExpression(at) && at.operatorToken.kind === joint);
  while (isJoint(top.parent)) top = top.parent;
  const text = compared.value.getText(view.file);
  const others: string[] = [];
  const collect = (at: ts.Node): void => {
    if (ts.isParenthesizedExpression(at)) return collect(at.expression);
    if (ts.isBinaryExpression(at) && at.operatorToken.kind === joint) {
      collect(at.left);
      return collect(at.right);
    }
    const other = at === node || !ts.isExpression(at) ? null : textComparison(at);
    if (other !== null && other.value.getText(view.file) === text) others.push(other.text);
  };
  collect(top);
  return isCovered(compared.text, others, choices);
}

/** Whether a guess is harmless: another guess is right, and this one is not its misspelling. */
function isCovered(
  text: string,
  others: readonly string[],
  choices: readonly string[],
): boolean {
  const right = others.filter((other) => choices.includes(other));
  const [near] = nearest(text, choices, 1);
  return right.length > 0 && (near === undefined || right.includes(near));
}

/** `x.total === "100"`: a number is not a text. */
function checkKinds(view: ProgramView, node: ts.BinaryExpression): void {
  if (!STRICT.has(node.operatorToken.kind)) return;
  const sides = [unwrap(node.left), unwrap(node.right)] as const;
  if (sides.some((side) => ts.isIdentifier(side) && side.text === "NaN")) {
    return view.report(node, "Nothing equals NaN; use Number.isNaN(…)");
  }
  if (!sides.some((side) => isOfTool(view, side))) return;
  const kinds = sides.map((side) => kindsOf(wholeType(view, side)));
  const [left, right] = kinds;
  if (!left || !right || left.size === 0 || right.size === 0) return;
  if ([...left].some((kind) => right.has(kind))) return;
  if (sides.some((side) => isUncertain(view, side))) return;
  const [a, b] = sides.map((side) => describeKind(view.checker, wholeType(view, side)));
  const always = EQUAL.has(node.operatorToken.kind) ? "never equal" : "always different";
  view.report(node, `${capital(a ?? "")} and ${b} are ${always}`);
}

/** Whether a value is a field of a tool's result, whose type is declared. */
function isOfTool(view: ProgramView, value: ts.Expression): boolean {
  if (!ts.isPropertyAccessExpression(value)) return false;
  const symbol = view.checker.getSymbolAtLocation(value.name);
  return toolAround(symbol?.valueDeclaration ?? symbol?.declarations?.[0]) !== null;
}

const KINDS: readonly (readonly [ts.TypeFlags, string])[] = [
  [ts.TypeFlags.StringLike, "string"],
  [ts.TypeFlags.NumberLike, "number"],
  [ts.TypeFlags.BooleanLike, "boolean"],
  [ts.TypeFlags.BigIntLike, "bigint"],
  [ts.TypeFlags.Object, "object"],
];

/** Kinds of a type's values; empty if a part of the type is unknown. */
function kindsOf(type: ts.Type): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const member of membersOf(type)) {
    const kind = KINDS.find(([flag]) => isFlagged(member, flag))?.[1];
    if (kind === undefined || isOpaque(member)) return new Set();
    kinds.add(kind);
  }
  return kinds;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `x.date > new Date("2026-01-01")`: the text becomes NaN, so the comparison is always false. */
function checkOrder(view: ProgramView, node: ts.BinaryExpression): void {
  const sides = [unwrap(node.left), unwrap(node.right)] as const;
  const isDate = (side: ts.Expression) =>
    view.checker.getTypeAtLocation(side).getSymbol()?.name === "Date";
  const date = sides.find((side) => mayBeDate(side) && isDate(side));
  const other = sides.find((side) => side !== date);
  if (date === undefined || other === undefined) return;
  const isText = ts.isStringLiteralLike(other) ||
    (isOfTool(view, other) && membersOf(wholeType(view, other)).every(isTextType));
  if (!isText || isUncertain(view, date) || isUncertain(view, other)) return;
  view.report(
    node,
    "A text and a Date never compare; put new Date(…) around the text, or compare two texts",
  );
}

/** Asking for the type of each part of a long chain would take quadratic time. */
function mayBeDate(side: ts.Expression): boolean {
  return ts.isIdentifier(side) || ts.isNewExpression(side) || ts.isPropertyAccessExpression(side);
}

function isTextType(type: ts.Type): boolean {
  return isFlagged(type, ts.TypeFlags.StringLike);
}

/** `"a" in ["a", "b"]` tests indexes, not values. */
function checkIn(view: ProgramView, node: ts.BinaryExpression): void {
  const left = unwrap(node.left);
  const right = unwrap(node.right);
  if (!ts.isIdentifier(right) && !ts.isArrayLiteralExpression(right)) return;
  const list = view.checker.getTypeAtLocation(right);
  if (elementOf(view.checker, list) === undefined || isUncertain(view, right)) return;
  const isName = ts.isStringLiteralLike(left)
    ? !/^(?:\d+|length)$/.test(left.text) && !(left.text in Array.prototype)
    : isOfTool(view, left) && membersOf(wholeType(view, left)).every(isTextType);
  if (isName) view.report(node, '"in" looks at the indexes of an array; use .includes(…)');
}

/** Reports a `switch` if no case is possible, or if a case is a misspelling of a possible text. */
function checkSwitch(view: ProgramView, node: ts.SwitchStatement): void {
  const value = unwrap(node.expression);
  const cases = node.caseBlock.clauses.flatMap((clause) => {
    if (!ts.isCaseClause(clause)) return [];
    const text = unwrap(clause.expression);
    return ts.isStringLiteralLike(text) ? [text] : [];
  });
  if (cases.length === 0) return;
  const choices = choicesOf(view, value);
  if (choices === null) return;
  const texts = cases.map(({ text }) => text);
  for (const each of cases) {
    if (choices.includes(each.text) || isCovered(each.text, texts, choices)) continue;
    view.report(each, neverMessage(view, { value, text: each.text }, choices));
  }
}

/** `["done", "completed"].includes(x.status)` and `statuses.includes("completed")`. */
function checkIncludes(view: ProgramView, call: ts.CallExpression): void {
  const callee = call.expression;
  const [argument] = call.arguments;
  if (!ts.isPropertyAccessExpression(callee) || argument === undefined) return;
  if (callee.name.text !== "includes" && callee.name.text !== "indexOf") return;
  const list = unwrap(callee.expression);
  const value = unwrap(argument);
  if (ts.isArrayLiteralExpression(list)) {
    const texts = list.elements.filter(ts.isStringLiteralLike).map(({ text }) => text);
    const [first] = texts;
    if (first === undefined || texts.length < list.elements.length) return;
    const choices = choicesOf(view, value);
    if (choices === null || texts.some((text) => choices.includes(text))) return;
    view.report(call, neverMessage(view, { value, text: first }, choices));
  } else if (ts.isStringLiteralLike(value)) {
    const element = elementOf(view.checker, view.checker.getTypeAtLocation(list));
    const members = element === undefined ? [] : membersOf(element);
    const isChoice = members.length > 0 &&
      members.every((member) => isFlagged(member, ts.TypeFlags.StringLiteral));
    if (!isChoice || element === undefined || isUncertain(view, list)) return;
    const choices = members.map((member) => (member as ts.StringLiteralType).value);
    if (choices.includes(value.text)) return;
    const what = describeType(view.checker, element);
    view.report(value, `Nothing in this list is "${value.text}"; each is ${what}`);
  }
}
