import ts from "typescript";
import { nearest } from "../model/nearest.ts";
import {
  calledTool,
  elementOf,
  isAlwaysPromise,
  isDeclaredIn,
  isFlagged,
  isOpaque,
  listNames,
  membersOf,
  PROGRAM_FILE,
  type ProgramView,
  shorten,
  spellTool,
  toolOfType,
  TOOLS_FILE,
  unwrap,
} from "./checker_types.ts";

/**
 * Judges `receiver.name`, `receiver["name"]` and `const { name } = receiver`.
 *
 * Reported: tools and result fields that do not exist, members of a promise (a forgotten `await`),
 * members that no built-in has. Not reported: properties of the program's own objects, unless the
 * name is a misspelling of one.
 */
export function checkField(
  view: ProgramView,
  receiver: ts.Expression | ts.BindingElement | ts.VariableDeclaration,
  name: string,
  node: ts.Node,
): void {
  const { checker } = view;
  const type = checker.getTypeAtLocation(receiver);
  if (name === "" || isOpaque(type) || membersOf(type).some(isOpaque)) return;
  if (isAlwaysPromise(type)) return reportPromise(view, receiver, name, node);
  const members = membersOf(type);
  if (members.some((member) => hasMember(checker, member, name))) return;
  const message = members.length === 1
    ? judge(view, type, name, node)
    : judgeUnion(view, type, name);
  if (message !== null && !isProbe(node)) view.report(node, message);
}

function hasMember(checker: ts.TypeChecker, type: ts.Type, name: string): boolean {
  const apparent = checker.getApparentType(type);
  if (checker.getPropertyOfType(apparent, name) !== undefined) return true;
  const infos = checker.getIndexInfosOfType(apparent);
  return infos.some((info) => isFlagged(info.keyType, ts.TypeFlags.String) || /^\d+$/.test(name));
}

function judge(view: ProgramView, type: ts.Type, name: string, node: ts.Node): string | null {
  const level = toolsLevel(view.checker, type);
  if (level !== null) return judgeTool(view, type, level, name);
  if (toolOfType(type) !== null || isDeclaredIn(type, TOOLS_FILE)) {
    return unknownField(view.checker, [type], name);
  }
  const element = elementOf(view.checker, type);
  if (element !== undefined) return judgeBuiltIn(view, "Array", name);
  if (isDeclaredIn(type, PROGRAM_FILE)) return judgeOwn(view, type, name, node);
  return judgeBuiltIn(view, builtInName(view.checker, type), name);
}

function judgeUnion(view: ProgramView, type: ts.Type, name: string): string | null {
  const members = membersOf(type);
  const isResult = members.every((member) => isDeclaredIn(member, TOOLS_FILE));
  return isResult ? unknownField(view.checker, members, name) : null;
}

/** 0 for `tools`, 1 for a server of it, null for anything else; with the names on the way. */
function toolsLevel(checker: ts.TypeChecker, type: ts.Type): readonly string[] | null {
  const declaration = type.getSymbol()?.declarations?.find((node) =>
    node.getSourceFile().fileName === TOOLS_FILE
  );
  if (declaration === undefined) return null;
  const owner = declaration.parent;
  if (ts.isVariableDeclaration(owner)) return owner.name.getText() === "tools" ? [] : null;
  if (!ts.isPropertySignature(owner)) return null;
  const above = owner.parent;
  if (!ts.isTypeLiteralNode(above) && !ts.isInterfaceDeclaration(above)) return null;
  const level = toolsLevel(checker, checker.getTypeAtLocation(above));
  return level?.length === 0 ? [memberName(owner.name)] : null;
}

function memberName(name: ts.PropertyName): string {
  return ts.isIdentifier(name) || ts.isStringLiteralLike(name) ? name.text : name.getText();
}

/**
 * Only names that the catalog was asked for are known not to exist; the declarations hold no more
 * than what the program mentions.
 */
function judgeTool(
  view: ProgramView,
  type: ts.Type,
  level: readonly string[],
  name: string,
): string | null {
  if (name.startsWith("$")) return null;
  const known = view.checker.getPropertiesOfType(type).map((property) => property.name);
  const [server] = level;
  if (server === undefined) {
    const isMentioned = [...view.mentioned].some((tool) => tool.startsWith(spellTool(`${name}.`)));
    return isMentioned ? unknownTool(`server "${name}"`, name, known) : null;
  }
  if (!view.mentioned.has(spellTool(`${server}.${name}`))) return null;
  return unknownTool(`tool "${server}.${name}"`, name, known, `${server}.`);
}

function unknownTool(what: string, name: string, known: readonly string[], prefix = ""): string {
  const [near] = nearest(name, known, 1);
  if (near !== undefined) return `There is no ${what}; did you mean "${prefix}${near}"?`;
  return `There is no ${what}; find it with the search tool or tools.$search("…")`;
}

function unknownField(
  checker: ts.TypeChecker,
  types: readonly ts.Type[],
  name: string,
): string {
  const fields = [...new Set(types.flatMap((type) => checker.getPropertiesOfType(type)))];
  const names = [...new Set(fields.map((field) => field.name))];
  const tool = types.map(toolOfType).find((found) => found !== null) ?? null;
  const source = tool === null ? "this result" : `the result of "${tool.name}"`;
  const [near] = nearest(name, names, 1);
  const absent = tool?.observed
    ? `No "${name}" was seen in ${tool.observed} results of "${tool.name}"`
    : `No "${name}" in ${source}`;
  if (near !== undefined) return `${absent}; did you mean "${near}"?`;
  const list = fields.find((field) => isList(checker, field));
  if (name in Array.prototype && list !== undefined) {
    return `${absent}: it is an object, the list is in "${list.name}"`;
  }
  return names.length === 0 ? `${absent}: it is empty` : `${absent}; it has ${listNames(names)}`;
}

function isList(checker: ts.TypeChecker, field: ts.Symbol): boolean {
  const declaration = field.valueDeclaration;
  if (declaration === undefined) return false;
  return elementOf(checker, checker.getTypeOfSymbolAtLocation(field, declaration)) !== undefined;
}

/** The program's own object: a name that was never written and is near to one that was. */
function judgeOwn(
  view: ProgramView,
  type: ts.Type,
  name: string,
  node: ts.Node,
): string | null {
  const isLiteral = type.getSymbol()?.declarations?.every(ts.isObjectLiteralExpression) ?? false;
  if (!isLiteral || isWritten(view, name) || isWriteTarget(node)) return null;
  const names = view.checker.getPropertiesOfType(type).map((property) => property.name);
  const [near] = nearest(name, names, 1);
  return near === undefined ? null : `There is no "${name}" here; did you mean "${near}"?`;
}

/** Whether the program may add a property later. */
function isWritten(view: ProgramView, name: string): boolean {
  const { text } = view.file;
  if (/\]\s*(?:[-+*/|&?]{0,3}=(?!=)|\+\+|--)|Object\.(?:assign|define)/.test(text)) return true;
  const escaped = name.replaceAll(/[^\w]/g, "\\$&");
  return new RegExp(`\\.\\s*${escaped}\\s*(?:[-+*/|&?]{0,3}=(?!=)|\\+\\+|--)`).test(text);
}

function isWriteTarget(node: ts.Node): boolean {
  const access = node.parent;
  const parent = access?.parent;
  return parent !== undefined && ts.isBinaryExpression(parent) && parent.left === access &&
    parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
}

function builtInName(checker: ts.TypeChecker, type: ts.Type): string {
  if (isFlagged(type, ts.TypeFlags.StringLike)) return "String";
  if (isFlagged(type, ts.TypeFlags.NumberLike)) return "Number";
  if (isFlagged(type, ts.TypeFlags.BooleanLike)) return "Boolean";
  return checker.getApparentType(type).getSymbol()?.name ?? "";
}

/** What programs look for under another language's name. */
const EQUIVALENTS: ReadonlyMap<string, string> = new Map([
  ["Array.contains", "includes"],
  ["Array.size", "length"],
  ["Array.count", "length"],
  ["Array.add", "push"],
  ["Array.append", "push"],
  ["Array.each", "forEach"],
  ["Array.first", "at(0)"],
  ["Array.last", "at(-1)"],
  ["Array.unique", "new Set(list)"],
  ["Array.sum", "reduce((sum, n) => sum + n, 0)"],
  ["Array.groupBy", "Object.groupBy(list, key)"],
  ["String.contains", "includes"],
  ["String.size", "length"],
  ["String.format", "a template string"],
  ["Map.length", "size"],
  ["Map.put", "set"],
  ["Set.length", "size"],
  ["Set.push", "add"],
  ["Set.includes", "has"],
  ["Map.includes", "has"],
  ["Date.format", "toISOString() or Intl.DateTimeFormat"],
]);

/** Asked of the engine itself, which may know more than the declarations do. */
function judgeBuiltIn(view: ProgramView, builtIn: string, name: string): string | null {
  const members = engineMembers(builtIn);
  if (members === null || name in members || isWritten(view, name)) return null;
  const equivalent = EQUIVALENTS.get(`${builtIn}.${name}`) ??
    nearest(name, Object.getOwnPropertyNames(members), 1)[0];
  const what = /^[AEIOU]/.test(builtIn) ? `An ${builtIn}` : `A ${builtIn}`;
  const remedy = equivalent === undefined ? "" : `; use ${equivalent}`;
  return builtIn in NAMESPACES
    ? `There is no ${builtIn}.${name}${remedy}`
    : `${what.toLowerCase().replace(/^a/, "A")} has no "${name}"${remedy}`;
}

const NAMESPACES: { readonly [name: string]: object } = Object.assign(Object.create(null), {
  Math,
  JSON,
  Reflect,
  Intl,
});
const INSTANCES: { readonly [name: string]: object } = Object.assign(Object.create(null), {
  Array: Array.prototype,
  ReadonlyArray: Array.prototype,
  String: String.prototype,
  Number: Number.prototype,
  Boolean: Boolean.prototype,
  Date: Date.prototype,
  Map: Map.prototype,
  Set: Set.prototype,
  RegExp: RegExp.prototype,
  ObjectConstructor: Object,
  ArrayConstructor: Array,
  PromiseConstructor: Promise,
});

function engineMembers(builtIn: string): object | null {
  return NAMESPACES[builtIn] ?? INSTANCES[builtIn] ?? null;
}

/**
 * A read that only asks whether something is there: `a.items ?? a.data`, `if (a.items)`,
 * `typeof a.items`, `Array.isArray(a.items)`.
 */
function isProbe(node: ts.Node): boolean {
  let at: ts.Node = ts.isIdentifier(node) || ts.isStringLiteralLike(node) ? node.parent : node;
  while (ts.isParenthesizedExpression(at.parent)) at = at.parent;
  const parent = at.parent;
  if (ts.isTypeOfExpression(parent) || ts.isPrefixUnaryExpression(parent)) return true;
  if (ts.isIfStatement(parent)) return true;
  if (ts.isConditionalExpression(parent)) return parent.condition === at;
  if (ts.isCallExpression(parent)) return parent.expression.getText() === "Array.isArray";
  if (!ts.isBinaryExpression(parent)) return false;
  const isChoice = [ts.SyntaxKind.QuestionQuestionToken, ts.SyntaxKind.BarBarToken].includes(
    parent.operatorToken.kind,
  );
  const other = unwrap(parent.left === at ? parent.right : parent.left);
  return isChoice && (ts.isPropertyAccessExpression(other) || ts.isIdentifier(other) ||
    ts.isBinaryExpression(other));
}

function reportPromise(
  view: ProgramView,
  receiver: ts.Expression | ts.BindingElement | ts.VariableDeclaration,
  name: string,
  node: ts.Node,
): void {
  if (name in Promise.prototype) return;
  view.report(node, promiseMessage(view, receiver, name));
}

/** Says where the `await` belongs: at the call, or where a variable got its value. */
export function promiseMessage(
  view: ProgramView,
  receiver: ts.Node,
  name: string,
): string {
  const expression = ts.isExpression(receiver) ? unwrap(receiver) : receiver;
  const use = name === "" ? "its value" : `"${name}"`;
  if (ts.isCallExpression(expression)) {
    const tool = calledTool(view.checker, expression)?.name;
    const call = shorten(expression.expression.getText(view.file), 60);
    const what = tool === undefined ? `${call}(…)` : `tools.${tool}(…)`;
    return `${what} gives a Promise; write (await ${call}(…)) to read ${use}`;
  }
  if (ts.isIdentifier(expression)) {
    const declaration = view.checker.getSymbolAtLocation(expression)?.valueDeclaration;
    const line = declaration === undefined ? null : lineOf(view, declaration);
    const where = line === null ? "" : ` where it gets its value (line ${line})`;
    return `"${expression.text}" is a Promise; add await${where} to read ${use}`;
  }
  return `This is a Promise; put await before it to read ${use}`;
}

/** 1-based line of the caller's code; null for a declaration elsewhere. */
function lineOf(view: ProgramView, node: ts.Node): number | null {
  if (node.getSourceFile() !== view.file) return null;
  return view.place(node).line;
}
