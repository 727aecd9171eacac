import ts from "typescript";
import { nearest } from "../../model/nearest.ts";
import { CALLERS } from "../../program/suggest.ts";
import { isUncertain } from "./certainty.ts";
import { calledNames, meantTool, toolsOfServer } from "./meant.ts";
import { isGiven } from "./probes.ts";
import { MISSING_GLOBALS, REMOVED_GLOBALS } from "./realm.ts";
import {
  describeKind,
  hasPromise,
  isOpaque,
  membersOf,
  once,
  type ProgramView,
  unwrap,
} from "./types.ts";

/**
 * Turns diagnostics of TypeScript into findings if they mean a failure at run time. It ignores all
 * others (incompatible types, possibly undefined, unused).
 */
export function checkDiagnostic(view: ProgramView, diagnostic: ts.Diagnostic): void {
  const rule = RULES.get(diagnostic.code);
  if (rule === undefined || diagnostic.start === undefined) return;
  const node = innermost(view.file, diagnostic.start, diagnostic.length ?? 0);
  const message = rule(view, node);
  if (message !== null) view.report(node, message);
}

type Rule = (view: ProgramView, node: ts.Node) => string | null;

/** Rules by the number of TypeScript's diagnostic. */
const RULES: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  ...[2304, 2552, 18004, 2580, 2581, 2582, 2583, 2584, 2585, 2591, 2592, 2593]
    .map((code): [number, Rule] => [code, unknownName]),
  ...[2349, 2348, 2351].map((code): [number, Rule] => [code, notCallable]),
  ...[2488, 2461, 2495, 2548, 2549].map((code): [number, Rule] => [code, notIterable]),
  [2588, constantAssigned],
  [2448, usedTooEarly],
  [2449, usedTooEarly],
  [2451, declaredTwice],
  [1308, () => "await works in async functions only; write async before this function"],
  [1103, () => "for await works in async functions only; write async before this function"],
  [1232, () => "Modules cannot be imported; use tools.* and plain JavaScript"],
  [1233, () => "A program exports nothing; return the result"],
  [1184, exported],
  [1155, () => "A const needs a value"],
]);

function unknownName(view: ProgramView, node: ts.Node): string | null {
  if (!ts.isIdentifier(node) || isInType(node)) return null;
  const name = node.text;
  if (isProbed(view, name)) return null;
  const remedy = MISSING_GLOBALS.get(name);
  if (remedy !== undefined) return `${name} does not exist here: ${remedy}`;
  if (isOnGlobal(view, name)) return null;
  if (isAssigned(node)) return `"${name}" is not declared; put const or let before it`;
  if (isAssignedSomewhere(view, name)) return null;
  const isServer = view.checker.resolveName("tools", view.main, ts.SymbolFlags.Value, false);
  if (isServer !== undefined && isServerName(view, isServer, name)) {
    return `"${name}" is not defined; write tools.${name}`;
  }
  const names = calledNames(node);
  const meant = names.length === 0 ? null : meantTool(view, names);
  if (meant !== null) return `"${name}" is not defined; write tools.${meant}({ … })`;
  if (CALLERS.includes(name)) return `"${name}" is not defined; ${CALL_FORM}`;
  const [near] = nearest(name, namesInScope(view, node), 1);
  if (near !== undefined) return `"${name}" is not defined; did you mean "${near}"?`;
  const called = calledMember(node);
  return called === null
    ? `"${name}" is not defined`
    : `"${name}" is not defined; a tool is called as tools.${name}.${called}(…)`;
}

const CALL_FORM = "a tool is called as tools.<server>.<tool>({ … })";

/** `x = 1`, `for (x of list)`, `[x, y] = pair`, `({ x } = row)`. */
function isAssigned(node: ts.Identifier): boolean {
  let at: ts.Node = node;
  while (isPatternPart(at.parent)) at = at.parent;
  const { parent } = at;
  if (ts.isForOfStatement(parent) || ts.isForInStatement(parent)) return parent.initializer === at;
  return ts.isBinaryExpression(parent) && parent.left === at &&
    parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
}

function isPatternPart(node: ts.Node): boolean {
  return ts.isArrayLiteralExpression(node) || ts.isObjectLiteralExpression(node) ||
    ts.isShorthandPropertyAssignment(node) || ts.isPropertyAssignment(node) ||
    ts.isSpreadElement(node) || ts.isSpreadAssignment(node);
}

/** Whether the program may set this name on `globalThis`, so that it exists everywhere. */
function isOnGlobal(view: ProgramView, name: string): boolean {
  return /\bglobalThis\b/.test(view.file.text) && isGiven(view, name);
}

/** Whether the program assigns this name: then the finding stands only there. */
function isAssignedSomewhere(view: ProgramView, name: string): boolean {
  const visit = (node: ts.Node): boolean =>
    (ts.isIdentifier(node) && node.text === name && isAssigned(node)) ||
    (ts.forEachChild(node, visit) ?? false);
  return once(view, `assigned ${name}`, () => visit(view.main));
}

/** `list` in `orders.list(…)`. */
function calledMember(node: ts.Identifier): string | null {
  const access = node.parent;
  const isCalled = ts.isPropertyAccessExpression(access) && access.expression === node &&
    ts.isCallExpression(access.parent) && access.parent.expression === access;
  return isCalled ? access.name.text : null;
}

function isServerName(view: ProgramView, tools: ts.Symbol, name: string): boolean {
  const type = view.checker.getTypeOfSymbolAtLocation(tools, view.main);
  return view.checker.getPropertyOfType(type, name) !== undefined;
}

function isInType(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined && !ts.isStatement(at); at = at.parent) {
    if (ts.isTypeNode(at)) return true;
  }
  return ts.isTypeNode(node.parent) || ts.isTypeAliasDeclaration(node.parent);
}

/** Reports a dynamic `import(…)`. */
export function checkImport(view: ProgramView, call: ts.CallExpression): void {
  if (call.expression.kind !== ts.SyntaxKind.ImportKeyword) return;
  view.report(call, "Modules cannot be imported; use tools.* and plain JavaScript");
}

/** `tools.orders(…)`, `tools.orders_list(…)`, `tools["orders.list"](…)`: only a tool is a function. */
export function checkServerCall(view: ProgramView, call: ts.CallExpression): void {
  const key = serverKey(view, call.expression);
  if (key !== null) view.report(key, notATool(view, key.text, unwrap(call.expression)));
}

/** The called name, if it stands in the place of a server. */
function serverKey(
  view: ProgramView,
  called: ts.Expression,
): ts.Identifier | ts.StringLiteralLike | null {
  const callee = unwrap(called);
  const key = ts.isPropertyAccessExpression(callee)
    ? callee.name
    : ts.isElementAccessExpression(callee)
    ? callee.argumentExpression
    : null;
  if (key === null || !(ts.isIdentifier(key) || ts.isStringLiteralLike(key))) return null;
  if (ts.isElementAccessExpression(callee) && ts.isIdentifier(key)) return null;
  const { expression } = callee as ts.PropertyAccessExpression | ts.ElementAccessExpression;
  if (key.text.startsWith("$") || !ts.isIdentifier(expression)) return null;
  if (expression.text !== "tools") return null;
  const symbol = view.checker.getSymbolAtLocation(expression);
  return symbol?.declarations?.some((at) => at.getSourceFile() === view.file) ? null : key;
}

function notATool(view: ProgramView, name: string, callee: ts.Expression): string {
  const own = toolsOfServer(view, name);
  const written = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
    ? `tools.${name}`
    : `tools["${name}"]`;
  if (own.length > 0) {
    return `${written} is a server; call one of its tools: tools.${own[0]}({ … })`;
  }
  const helper = HELPERS.get(name.replaceAll("_", "").toLowerCase());
  if (helper !== undefined) return `There is no ${written}; write ${helper}`;
  const [literal] = calledNames(callee);
  const meant = meantTool(view, literal === undefined ? [name] : [literal, name]);
  return meant === null
    ? `There is no ${written}; ${CALL_FORM}`
    : `There is no ${written}; write tools.${meant}({ … })`;
}

/** Helpers under their names in other hosts, with their names here. */
const HELPERS: ReadonlyMap<string, string> = new Map([
  ...["search", "find", "searchtools", "findtools"]
    .map((name): [string, string] => [name, 'tools.$search("…")']),
  ...["describe", "help", "schema", "describetool", "gettool", "gettoolschema"]
    .map((name): [string, string] => [name, 'tools.$describe("<server>.<tool>")']),
  ...["list", "listtools", "gettools", "keys", "all", "tools"]
    .map((name): [string, string] => [name, "Object.keys(tools)"]),
]);

/** Reports names of ECMAScript that the sandbox removes. */
export function checkIdentifier(view: ProgramView, node: ts.Identifier): void {
  const remedy = REMOVED_GLOBALS.get(node.text);
  if (remedy === undefined || isProbed(view, node.text) || isMemberName(node)) return;
  const symbol = view.checker.getSymbolAtLocation(node);
  if (symbol?.declarations?.some((at) => at.getSourceFile() === view.file)) return;
  const isGenerator = node.text === "Function" &&
    !(ts.isCallExpression(node.parent) || ts.isNewExpression(node.parent));
  if (!isGenerator) view.report(node, `${node.text} does not exist here: ${remedy}`);
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    (ts.isBindingElement(parent) && parent.propertyName === node);
}

/** Whether the program tests a name before use, as in `typeof fetch`. */
function isProbed(view: ProgramView, name: string): boolean {
  const probe = new RegExp(`typeof\\s+${name.replaceAll("$", "\\$")}\\b`);
  return once(view, `typeof ${name}`, () => probe.test(view.file.text));
}

function* namesInScope(view: ProgramView, node: ts.Node): Generator<string> {
  for (const symbol of view.checker.getSymbolsInScope(node, ts.SymbolFlags.Value)) {
    if (!symbol.name.startsWith("__")) yield symbol.name;
  }
}

function notCallable(view: ProgramView, node: ts.Node): string | null {
  const expression = calleeOf(node);
  if (expression === null || serverKey(view, expression) !== null) return null;
  const type = view.checker.getTypeAtLocation(expression);
  const isCallable = membersOf(type).some((member) =>
    isOpaque(member) || member.getCallSignatures().length > 0 ||
    (member.getConstructSignatures().length > 0 && ts.isNewExpression(expression.parent)) ||
    member.getSymbol()?.name === "Function"
  );
  if (isCallable || isUncertain(view, expression)) return null;
  const name = expression.getText(view.file).slice(0, 60);
  if (type.getConstructSignatures().length > 0) return `${name} needs new before it`;
  return `${name} is ${describeKind(view.checker, type)}, it cannot be called`;
}

/** The called expression of the call that a diagnostic is about. */
function calleeOf(node: ts.Node): ts.Expression | null {
  for (let at = node; at !== undefined && !ts.isStatement(at); at = at.parent) {
    if (ts.isCallExpression(at) || ts.isNewExpression(at)) return at.expression;
  }
  return null;
}

function notIterable(view: ProgramView, node: ts.Node): string | null {
  const type = view.checker.getTypeAtLocation(node);
  const members = membersOf(type);
  if (members.some(isOpaque)) return null;
  if (members.length > 1 || hasPromise(type)) return null;
  if (ts.isExpression(node) && isUncertain(view, node)) return null;
  const fields = view.checker.getPropertiesOfType(type);
  const list = fields.find((field) =>
    view.checker.isArrayType(view.checker.getTypeOfSymbolAtLocation(field, node))
  );
  const what = describeKind(view.checker, type);
  const remedy = list !== undefined
    ? `; its list is in "${list.name}"`
    : what === "an object"
    ? "; use Object.entries(…)"
    : "";
  return `This is ${what}, it cannot be iterated${remedy}`;
}

function constantAssigned(_view: ProgramView, node: ts.Node): string | null {
  return `"${node.getText()}" is a const; declare it with let to change it`;
}

function usedTooEarly(_view: ProgramView, node: ts.Node): string | null {
  return `"${node.getText()}" is used before its declaration`;
}

/** TypeScript reports both places of a name; a finding stands only at the second. */
function declaredTwice(view: ProgramView, node: ts.Node): string | null {
  const name = node.getText(view.file);
  const start = node.getStart(view.file);
  const isEarlier = (other: ts.Node): boolean => {
    if (other.pos >= start) return false;
    const isName = ts.isIdentifier(other) && other.text === name && other.end < start &&
      (ts.isVariableDeclaration(other.parent) || ts.isBindingElement(other.parent) ||
        ts.isFunctionDeclaration(other.parent) || ts.isClassDeclaration(other.parent)) &&
      other.parent.name === other;
    return isName || (ts.forEachChild(other, isEarlier) ?? false);
  };
  return isEarlier(view.main) ? `"${name}" is declared already; use another name` : null;
}

function exported(_view: ProgramView, node: ts.Node): string | null {
  return node.getText() === "export" ? "A program exports nothing; return the result" : null;
}

/** The smallest node that covers a range. */
export function innermost(file: ts.SourceFile, start: number, length: number): ts.Node {
  let found: ts.Node = file;
  const visit = (node: ts.Node): void => {
    if (node.getStart(file) > start || node.end < start + length) return;
    found = node;
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return found;
}
