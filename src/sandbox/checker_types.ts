import ts from "typescript";

/** Where the declarations of the tools are kept. */
export const TOOLS_FILE = "/tools.d.ts";
/** Where the program is kept. */
export const PROGRAM_FILE = "/program.ts";

/** What the rules look at. Made anew for each check. */
export interface ProgramView {
  readonly checker: ts.TypeChecker;
  readonly file: ts.SourceFile;
  /** The function around the program. */
  readonly main: ts.ArrowFunction;
  /** Tools that the code names, as `server.tool`: all of these were looked up in the catalog. */
  readonly mentioned: ReadonlySet<string>;
  /** 1-based line and column of a node in the caller's code. */
  place(node: ts.Node): { readonly line: number; readonly column: number };
  report(node: ts.Node, message: string): void;
}

/** The tool that a signature or a type belongs to. */
export interface ToolName {
  /** `server.tool`, or `$search`. */
  readonly name: string;
  /** Results that its result type was inferred from; null for a declared type. */
  readonly observed: number | null;
}

export function isFlagged(type: ts.Type, flags: ts.TypeFlags): boolean {
  return (type.flags & flags) !== 0;
}

/** Types of which nothing can be said: any, unknown, never, type parameters and the like. */
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

/** The element type if the type is an array or a tuple of one kind. */
export function elementOf(checker: ts.TypeChecker, type: ts.Type): ts.Type | undefined {
  if (!checker.isArrayType(type) && !checker.isTupleType(type)) return undefined;
  return checker.getIndexTypeOfType(type, ts.IndexKind.Number);
}

function isDeclaredOutside(type: ts.Type, path: string): boolean {
  return type.getSymbol()?.declarations?.every((declaration) =>
    declaration.getSourceFile().fileName !== path
  ) ?? false;
}

/** Whether a type is written in the given file. */
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
    names.unshift(nameText(at.name));
  }
  if (node?.getSourceFile().fileName !== TOOLS_FILE || names.length === 0) return null;
  return { name: names.slice(-2).join("."), observed };
}

function isCallable(member: ts.MethodSignature | ts.PropertySignature): boolean {
  return ts.isMethodSignature(member) ||
    (member.type !== undefined && ts.isFunctionTypeNode(member.type));
}

function nameText(name: ts.PropertyName): string {
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

/** Takes away what does not change a value: parentheses, `as`, `satisfies`, `!`. */
export function unwrap(expression: ts.Expression): ts.Expression {
  let inner = expression;
  while (
    ts.isParenthesizedExpression(inner) || ts.isAsExpression(inner) ||
    ts.isSatisfiesExpression(inner) || ts.isNonNullExpression(inner) ||
    ts.isTypeAssertionExpression(inner)
  ) inner = inner.expression;
  return inner;
}

/** A type in a few plain words. */
export function describeType(checker: ts.TypeChecker, type: ts.Type): string {
  if (isFlagged(type, ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral)) {
    return checker.typeToString(type);
  }
  if (isFlagged(type, ts.TypeFlags.BooleanLike)) return "true or false";
  if (isFlagged(type, ts.TypeFlags.StringLike)) return "a string";
  if (isFlagged(type, ts.TypeFlags.NumberLike)) return "a number";
  if (isFlagged(type, ts.TypeFlags.BigIntLike)) return "a bigint";
  if (type.isUnion()) return describeUnion(checker, type);
  const element = elementOf(checker, type);
  if (element !== undefined) {
    return `an array of ${shorten(checker.typeToString(element))}`;
  }
  if (isPromise(type)) return "a Promise";
  if (type.getCallSignatures().length > 0) return "a function";
  return `an object ${shorten(checker.typeToString(type))}`;
}

function describeUnion(checker: ts.TypeChecker, type: ts.UnionType): string {
  const isEnum = type.types.every((member) =>
    isFlagged(member, ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral)
  );
  const shown = type.types.slice(0, 12).map((member) =>
    isEnum ? checker.typeToString(member) : describeType(checker, member)
  );
  const more = type.types.length > shown.length ? ", …" : "";
  if (isEnum) return `one of ${shown.join(", ")}${more}`;
  return [...new Set(shown)].join(" or ") + more;
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
