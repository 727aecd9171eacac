import ts from "typescript";
import { nearest } from "../model/nearest.ts";
import { MISSING_GLOBALS } from "./checker_realm.ts";
import {
  describeType,
  isOpaque,
  membersOf,
  PROGRAM_FILE,
  type ProgramView,
} from "./checker_types.ts";

/**
 * Turns those of TypeScript's own diagnostics into findings that stand for a failure at run time.
 * All others (types that do not fit each other, possibly undefined, unused) are left out.
 */
export function checkDiagnostic(view: ProgramView, diagnostic: ts.Diagnostic): void {
  const rule = RULES.get(diagnostic.code);
  if (rule === undefined || diagnostic.start === undefined) return;
  const node = innermost(view.file, diagnostic.start, diagnostic.length ?? 0);
  const message = rule(view, node);
  if (message !== null) view.report(node, message);
}

type Rule = (view: ProgramView, node: ts.Node) => string | null;

/** By TypeScript's number. */
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
  const isServer = view.checker.resolveName("tools", view.main, ts.SymbolFlags.Value, false);
  if (isServer !== undefined && isServerName(view, isServer, name)) {
    return `"${name}" is not defined; write tools.${name}`;
  }
  const [near] = nearest(name, namesInScope(view, node), 1);
  return near === undefined
    ? `"${name}" is not defined`
    : `"${name}" is not defined; did you mean "${near}"?`;
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

/** A module that an `import` names or would load. */
export function checkImport(view: ProgramView, call: ts.CallExpression): void {
  if (call.expression.kind !== ts.SyntaxKind.ImportKeyword) return;
  view.report(call, "Modules cannot be imported; use tools.* and plain JavaScript");
}

/** `typeof fetch` asks before it uses. */
function isProbed(view: ProgramView, name: string): boolean {
  return new RegExp(`typeof\\s+${name.replaceAll("$", "\\$")}\\b`).test(view.file.text);
}

function* namesInScope(view: ProgramView, node: ts.Node): Generator<string> {
  for (const symbol of view.checker.getSymbolsInScope(node, ts.SymbolFlags.Value)) {
    if (!symbol.name.startsWith("__")) yield symbol.name;
  }
}

function notCallable(view: ProgramView, node: ts.Node): string | null {
  const expression = calleeOf(node);
  if (expression === null) return null;
  const type = view.checker.getTypeAtLocation(expression);
  const isCallable = membersOf(type).some((member) =>
    isOpaque(member) || member.getCallSignatures().length > 0 ||
    (member.getConstructSignatures().length > 0 && ts.isNewExpression(expression.parent)) ||
    member.getSymbol()?.name === "Function"
  );
  if (isCallable) return null;
  const name = expression.getText(view.file).slice(0, 60);
  if (type.getConstructSignatures().length > 0) return `${name} needs new before it`;
  return `${name} is ${describeType(view.checker, type)}, it cannot be called`;
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
  if (members.some((member) => member.getSymbol()?.name === "Promise")) return null;
  if (members.length > 1) return null;
  const fields = view.checker.getPropertiesOfType(type);
  const list = fields.find((field) =>
    view.checker.isArrayType(view.checker.getTypeOfSymbolAtLocation(field, node))
  );
  const what = describeType(view.checker, type);
  return list === undefined
    ? `This is ${what}, it cannot be iterated; use Object.entries(…) for an object`
    : `This is an object, it cannot be iterated; its list is in "${list.name}"`;
}

function constantAssigned(_view: ProgramView, node: ts.Node): string | null {
  return `"${node.getText()}" is a const; declare it with let to change it`;
}

function usedTooEarly(_view: ProgramView, node: ts.Node): string | null {
  return `"${node.getText()}" is used before its declaration`;
}

function declaredTwice(_view: ProgramView, node: ts.Node): string | null {
  if (node.getSourceFile().fileName !== PROGRAM_FILE) return null;
  return `"${node.getText()}" is declared twice; rename one`;
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
