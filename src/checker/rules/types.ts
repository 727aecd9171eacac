import ts from "typescript";

/** The file of the tools' declarations. */
export const TOOLS_FILE = "/tools.d.ts";
/** The file of the program. */
export const PROGRAM_FILE = "/program.ts";

/** The view of a program that rules use. Each check makes a new one. */
export interface ProgramView {
  readonly checker: ts.TypeChecker;
  readonly file: ts.SourceFile;
  /** The function around the program. */
  readonly main: ts.ArrowFunction;
  /**
   * Tools that the code names, as `server.tool`; the service looked up all of them in the catalog.
   */
  readonly mentioned: ReadonlySet<string>;
  /** 1-based line and column of a node in the caller's code. */
  place(node: ts.Node): { readonly line: number; readonly column: number };
  /** Reports a mistake: the program does not do what its code says. */
  report(node: ts.Node, message: string, marks?: { readonly isMisspelling?: true }): void;
  /** Reports a probable mistake, which is not a reason to refuse the program. */
  advise(node: ts.Node, message: string): void;
  /** Cached answers to questions about the whole program, which many nodes ask. */
  readonly answers: Map<string, boolean>;
}

/** Asks each question once and caches the answer. */
export function once(view: ProgramView, question: string, ask: () => boolean): boolean {
  const known = view.answers.get(question);
  if (known !== undefined) return known;
  const answer = ask();
  view.answers.set(question, answer);
  return answer;
}

/** The tool that a signature or a type belongs to. */
export interface ToolName {
  /** `server.tool`, or `$search`. */
  readonly name: string;
  /** Number of results from which its result type was inferred; null for a declared type. */
  readonly observed: number | null;
}

export function isFlagged(type: ts.Type, flags: ts.TypeFlags): boolean {
  return (type.flags & flags) !== 0;
}

/** Types without usable information: any, unknown, never, type parameters and similar. */
export function isOpaque(type: ts.Type): boolean {
  return isFlagged(
    type,
    ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.Never | ts.TypeFlags.NonPrimitive |
      ts.TypeFlags.Instantiable | ts.TypeFlags.Void | ts.TypeFlags.Undefined | ts.TypeFlags.Null,
  );
}

/** The members of a union, or the type itself. */
export function membersOf(type: ts.Type): readonly ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

export function isPromise(type: ts.Type): boolean {
  const name = type.getSymbol()?.name;
  return (name === "Promise" || name === "PromiseLike") && isDeclaredOutside(type, PROGRAM_FILE);
}

/** Whether every possible value is a promise. */
export function isAlwaysPromise(type: ts.Type): boolean {
  return membersOf(type).every(isPromise);
}

export function hasPromise(type: ts.Type): boolean {
  return membersOf(type).some(isPromise);
}

/** The element type of an array or a tuple; undefined for any other type. */
export function elementOf(checker: ts.TypeChecker, type: ts.Type): ts.Type | undefined {
  if (!checker.isArrayType(type) && !checker.isTupleType(type)) return undefined;
  return checker.getIndexTypeOfType(type, ts.IndexKind.Number);
}

function isDeclaredOutside(type: ts.Type, path: string): boolean {
  return type.getSymbol()?.declarations?.every((declaration) =>
    declaration.getSourceFile().fileName !== path
  ) ?? false;
}

/** Whether a type is declared in the given file. */
export function isDeclaredIn(type: ts.Type, path: string): boolean {
  const declarations = [
    ...type.getSymbol()?.declarations ?? [],
    ...type.aliasSymbol?.declarations ?? [],
  ];
  return declarations.some((declaration) => declaration.getSourceFile().fileName === path);
}

/** The tool whose declaration contains a node of the tools' file. */
export function toolAround(node: ts.Node | undefined): ToolName | null {
  const names: string[] = [];
  let observed: number | null = null;
  for (let at = node; at !== undefined && !ts.isSourceFile(at); at = at.parent) {
    if (!ts.isMethodSignature(at) && !ts.isPropertySignature(at)) continue;
    if (names.length === 0 && !isCallable(at)) continue;
    if (names.length === 0) observed = observedCount(at);
    names.unshift(memberName(at.name));
  }
  if (node?.getSourceFile().fileName !== TOOLS_FILE || names.length === 0) return null;
  return { name: names.slice(-2).join("."), observed };
}

function isCallable(member: ts.MethodSignature | ts.PropertySignature): boolean {
  return ts.isMethodSignature(member) ||
    (member.type !== undefined && ts.isFunctionTypeNode(member.type));
}

export function memberName(name: ts.PropertyName): string {
  return ts.isIdentifier(name) || ts.isStringLiteralLike(name) ? name.text : name.getText();
}

function observedCount(node: ts.Node): number | null {
  const text = node.getSourceFile().text.slice(node.pos, node.getEnd());
  const match = /observed in (\d{1,9}) results?/.exec(text);
  return match === null ? null : Number(match[1]);
}

/** The declared tool that a call calls. */
export function calledTool(checker: ts.TypeChecker, call: ts.CallExpression): ToolName | null {
  return toolAround(checker.getResolvedSignature(call)?.declaration);
}

/** The tool whose result a type is part of. */
export function toolOfType(type: ts.Type): ToolName | null {
  for (const declaration of type.getSymbol()?.declarations ?? []) {
    const tool = toolAround(declaration);
    if (tool !== null) return tool;
  }
  return null;
}

/** One spelling for `my-server.get-user` and `my_server.get_user`. */
export function spellTool(name: string): string {
  return name.replaceAll(/[^\p{ID_Continue}$.]/gu, "_");
}

/** Removes parts that do not change a value: parentheses, `as`, `satisfies`, `!`. */
export function unwrap(expression: ts.Expression): ts.Expression {
  let inner = expression;
  while (
    ts.isParenthesizedExpression(inner) || ts.isAsExpression(inner) ||
    ts.isSatisfiesExpression(inner) || ts.isNonNullExpression(inner) ||
    ts.isTypeAssertionExpression(inner)
  ) inner = inner.expression;
  return inner;
}

/** Describes an expected type in a few plain words. */
export function describeType(checker: ts.TypeChecker, type: ts.Type): string {
  if (type.isUnion() && !isFlagged(type, ts.TypeFlags.Boolean)) return describeUnion(checker, type);
  if (isLiteral(type)) return checker.typeToString(type);
  const element = elementOf(checker, type);
  if (element === undefined) {
    const isShaped = isFlagged(type, ts.TypeFlags.Object) &&
      checker.getPropertiesOfType(type).length > 0 && describeKind(checker, type) === "an object";
    return isShaped ? `an object ${describeShape(checker, type)}` : describeKind(checker, type);
  }
  const isShaped = isFlagged(element, ts.TypeFlags.Object) && !isFlagged(element, ANY_ARRAY);
  return isShaped && elementOf(checker, element) === undefined
    ? `an array of ${describeShape(checker, element)}`
    : describeKind(checker, type);
}

const ANY_ARRAY = ts.TypeFlags.Any | ts.TypeFlags.Unknown;

function isLiteral(type: ts.Type): boolean {
  return isFlagged(type, ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral);
}

function describeShape(checker: ts.TypeChecker, type: ts.Type): string {
  return shorten(checker.typeToString(type).replaceAll("; }", " }"));
}

function describeUnion(checker: ts.TypeChecker, type: ts.UnionType): string {
  const isChoice = type.types.every(isLiteral);
  const objects = type.types.filter((member) => describeKind(checker, member) === "an object");
  const describe = objects.length > 1 ? describeKind : describeType;
  const shown = type.types.slice(0, 12).map((member) => describe(checker, member));
  const more = type.types.length > shown.length ? ", …" : "";
  const choices = [...new Set(shown)];
  return isChoice ? `one of ${choices.join(", ")}${more}` : choices.join(" or ") + more;
}

const KINDS: readonly (readonly [ts.TypeFlags, string, string])[] = [
  [ts.TypeFlags.StringLike, "a string", "strings"],
  [ts.TypeFlags.NumberLike, "a number", "numbers"],
  [ts.TypeFlags.BooleanLike, "true or false", "booleans"],
  [ts.TypeFlags.BigIntLike, "a bigint", "bigints"],
];

/** The kind of a value: `a string`, `an array of objects`, `a function`. */
export function describeKind(checker: ts.TypeChecker, type: ts.Type): string {
  const kind = KINDS.find(([flag]) => membersOf(type).every((member) => isFlagged(member, flag)));
  if (kind !== undefined) return kind[1];
  const element = elementOf(checker, type);
  if (element !== undefined) return `an array${describeElements(element)}`;
  if (isPromise(type)) return "a Promise";
  if (type.getCallSignatures().length > 0) return "a function";
  return type.isUnion()
    ? [...new Set(type.types.map((member) => describeKind(checker, member)))].join(" or ")
    : "an object";
}

function describeElements(element: ts.Type): string {
  const members = membersOf(element);
  const kind = KINDS.find(([flag]) => members.every((member) => isFlagged(member, flag)));
  if (kind !== undefined) return ` of ${kind[2]}`;
  if (members.every(isPromise)) return " of Promises";
  return members.every((member) => isFlagged(member, ts.TypeFlags.Object)) ? " of objects" : "";
}

export function shorten(text: string, lengthMax = 120): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= lengthMax ? line : `${line.slice(0, lengthMax - 1)}…`;
}

/** `a, b, c` of at most twelve names. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(", ");
  return names.length > 12 ? `${shown}, …` : shown;
}
