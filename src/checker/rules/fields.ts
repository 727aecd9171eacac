import ts from "typescript";
import { nearest } from "../../model/nearest.ts";
import { promiseMessage } from "./awaits.ts";
import { judgeBuiltIn } from "./built_ins.ts";
import { otherTypes } from "./certainty.ts";
import { hasFallback, isAdded, isAskedFor, isGiven, isProbed, isTried } from "./probes.ts";
import {
  elementOf,
  isAlwaysPromise,
  isDeclaredIn,
  isFlagged,
  isOpaque,
  listNames,
  memberName,
  membersOf,
  PROGRAM_FILE,
  type ProgramView,
  spellTool,
  type ToolName,
  toolOfType,
  TOOLS_FILE,
} from "./types.ts";

/**
 * Judges `receiver.name`, `receiver["name"]` and `const { name } = receiver`.
 *
 * Reported: tools and result fields that do not exist, members of a promise (a forgotten `await`),
 * members that a built-in lacks. Not reported: properties of the program's own objects, unless the
 * name is a misspelling of one.
 *
 * @param node the name; findings get its place.
 */
export function checkField(
  view: ProgramView,
  receiver: ts.Node,
  name: string,
  node: ts.Node,
): void {
  const { checker } = view;
  const type = checker.getTypeAtLocation(receiver);
  const members = membersOf(type);
  if (name === "" || isOpaque(type) || members.some(isOpaque)) return;
  if (isAlwaysPromise(type)) {
    if (!(name in Promise.prototype)) view.report(node, promiseMessage(view, receiver, name));
    return;
  }
  if (members.some((member) => hasMember(checker, member, name))) return;
  const judgement = members.length === 1 ? judge(view, type, name) : judgeUnion(view, type, name);
  if (judgement === null || isAdded(view, name) || isProbed(view, node.parent)) return;
  const others = otherTypes(view, receiver);
  const mayHave = (other: ts.Type) => isOpaque(other) || hasMember(checker, other, name);
  if (others === null || others.some(mayHave)) return;
  // The program has a fallback if this field does not exist.
  const { message, ...marks } = judgement;
  if (hasFallback(node.parent) || isTried(view, node)) view.advise(node, message);
  else view.report(node, message, marks);
}

/** The mistake in a name. */
interface Judgement {
  readonly message: string;
  /** The name nearly equals the name of a result field. */
  readonly isMisspelling?: true;
}

function hasMember(checker: ts.TypeChecker, type: ts.Type, name: string): boolean {
  const apparent = checker.getApparentType(type);
  if (checker.getPropertyOfType(apparent, name) !== undefined) return true;
  const infos = checker.getIndexInfosOfType(apparent);
  return infos.some((info) => isFlagged(info.keyType, ts.TypeFlags.String) || /^\d+$/.test(name));
}

function judge(view: ProgramView, type: ts.Type, name: string): Judgement | null {
  const isField = toolsPath(view.checker, type) === null &&
    (type.getCallSignatures().length === 0 || toolOfType(type) === null) &&
    isDeclaredIn(type, TOOLS_FILE);
  if (isField) return unknownField(view.checker, [type], name);
  const message = judgeOther(view, type, name);
  return message === null ? null : { message };
}

/** Judges a member that is not a field of a result. */
function judgeOther(view: ProgramView, type: ts.Type, name: string): string | null {
  const path = toolsPath(view.checker, type);
  if (path !== null) return judgeTool(view, type, path, name);
  const tool = type.getCallSignatures().length > 0 ? toolOfType(type) : null;
  if (tool !== null) return judgeFunction(tool, name);
  const element = elementOf(view.checker, type);
  if (element !== undefined) return judgeArray(element, name);
  if (isDeclaredIn(type, PROGRAM_FILE)) return judgeOwn(view, type, name);
  return judgeBuiltIn(builtInName(view.checker, type), name);
}

function judgeUnion(view: ProgramView, type: ts.Type, name: string): Judgement | null {
  const members = membersOf(type);
  const isResult = members.every((member) => isDeclaredIn(member, TOOLS_FILE));
  return isResult ? unknownField(view.checker, members, name) : null;
}

/** An empty path for `tools`, the name for a server, null for any other type. */
function toolsPath(checker: ts.TypeChecker, type: ts.Type): readonly string[] | null {
  const declaration = type.getSymbol()?.declarations?.find((node) =>
    node.getSourceFile().fileName === TOOLS_FILE
  );
  if (declaration === undefined) return null;
  const owner = declaration.parent;
  if (ts.isVariableDeclaration(owner)) return owner.name.getText() === "tools" ? [] : null;
  if (!ts.isPropertySignature(owner) || !ts.isTypeLiteralNode(owner.parent)) return null;
  const above = toolsPath(checker, checker.getTypeAtLocation(owner.parent));
  return above?.length === 0 ? [memberName(owner.name)] : null;
}

/**
 * The declarations contain only tools that the program mentions. So a name certainly does not exist
 * only if the service looked it up in the catalog.
 */
function judgeTool(
  view: ProgramView,
  type: ts.Type,
  path: readonly string[],
  name: string,
): string | null {
  if (name.startsWith("$") || isAskedFor(view, name)) return null;
  const known = view.checker.getPropertiesOfType(type).map((property) => property.name);
  const [server] = path;
  if (server === undefined) {
    const isMentioned = [...view.mentioned].some((tool) => tool.startsWith(spellTool(`${name}.`)));
    return isMentioned ? unknownTool(`server "${name}"`, name, known, "") : null;
  }
  const isMentioned = view.mentioned.has(spellTool(`${server}.${name}`));
  return isMentioned ? unknownTool(`tool "${server}.${name}"`, name, known, `${server}.`) : null;
}

function unknownTool(
  what: string,
  name: string,
  known: readonly string[],
  prefix: string,
): string {
  const [near] = nearest(name, known, 1);
  return near === undefined
    ? `There is no ${what}; find it with the search tool or tools.$search("…")`
    : `There is no ${what}; did you mean "${prefix}${near}"?`;
}

/** A member of a tool itself, as in `tools.orders.list.map(…)`. */
function judgeFunction(tool: ToolName, name: string): string | null {
  if (name in Function.prototype) return null;
  const call = `await tools.${tool.name}({ … })`;
  return `tools.${tool.name} is not called here; write (${call}).${name}`;
}

/** Fewer results may not have shown every field yet. */
const OBSERVED_MIN = 3;
/** Shorter names resemble each other by chance. */
const OBSERVED_NAME_LENGTH_MIN = 3;

function unknownField(
  checker: ts.TypeChecker,
  types: readonly ts.Type[],
  name: string,
): Judgement | null {
  const fields = types.flatMap((type) => checker.getPropertiesOfType(type));
  const names = [...new Set(fields.map((field) => field.name))];
  const tool = types.map(toolOfType).find((found) => found !== null) ?? null;
  const absent = tool === null
    ? `No "${name}" in this result`
    : tool.observed === null
    ? `No "${name}" in the result of "${tool.name}"`
    : `No "${name}" in the ${tool.observed} results of "${tool.name}" seen so far`;
  const [near] = nearest(name, names, 1);
  const isNear = near !== undefined &&
    (tool?.observed == null || name.length >= OBSERVED_NAME_LENGTH_MIN);
  if (isNear) return { message: `${absent}; did you mean "${near}"?`, isMisspelling: true };
  if (tool?.observed && tool.observed < OBSERVED_MIN) return null;
  const list = fields.find((field) => isField(checker, field, isListType));
  if (name in Array.prototype && list !== undefined) {
    return { message: `${absent}: it is an object, the list is in "${list.name}"` };
  }
  const text = fields.find((field) => isField(checker, field, isTextType));
  if (name in String.prototype && text !== undefined && names.length <= 3) {
    return { message: `${absent}: it is an object, the text is in "${text.name}"` };
  }
  const rest = names.length === 0 ? ": it is empty" : `; it has ${listNames(names)}`;
  return { message: absent + rest };
}

function isField(
  checker: ts.TypeChecker,
  field: ts.Symbol,
  test: (checker: ts.TypeChecker, type: ts.Type) => boolean,
): boolean {
  const declaration = field.valueDeclaration;
  if (declaration === undefined) return false;
  return test(checker, checker.getTypeOfSymbolAtLocation(field, declaration));
}

function isListType(checker: ts.TypeChecker, type: ts.Type): boolean {
  return elementOf(checker, type) !== undefined;
}

function isTextType(_checker: ts.TypeChecker, type: ts.Type): boolean {
  return isFlagged(type, ts.TypeFlags.String);
}

/** Judges a member of an array, such as `.items` of a result that is itself the list. */
function judgeArray(element: ts.Type, name: string): string | null {
  const message = judgeBuiltIn("Array", name);
  const isResult = message !== null && isDeclaredIn(element, TOOLS_FILE);
  return isResult && !message.includes(";")
    ? `This is already the list, an array; leave out "${name}"`
    : message;
}

const OWN_NAME_LENGTH_MIN = 4;

/** Reports a name that the program never sets, but that resembles a name of its own object. */
function judgeOwn(view: ProgramView, type: ts.Type, name: string): string | null {
  const isLiteral = type.getSymbol()?.declarations?.every(ts.isObjectLiteralExpression) ?? false;
  if (!isLiteral || name.length < OWN_NAME_LENGTH_MIN || isGiven(view, name)) return null;
  const names = view.checker.getPropertiesOfType(type).map((property) => property.name);
  const [near] = nearest(name, names, 1);
  return near === undefined ? null : `There is no "${name}" here; did you mean "${near}"?`;
}

function builtInName(checker: ts.TypeChecker, type: ts.Type): string {
  if (isFlagged(type, ts.TypeFlags.StringLike)) return "String";
  if (isFlagged(type, ts.TypeFlags.NumberLike)) return "Number";
  if (isFlagged(type, ts.TypeFlags.BooleanLike)) return "Boolean";
  return checker.getApparentType(type).getSymbol()?.name ?? "";
}
