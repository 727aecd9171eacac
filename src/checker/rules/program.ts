import ts from "typescript";
import { programForms } from "../../program/program_forms.ts";
import { PROGRAM_FILE } from "./types.ts";

/** A program as the checker reads it: inside a function, on the caller's own lines. */
export interface ShapedProgram {
  readonly file: ts.SourceFile;
  /** Inserted columns; see `programForms`. */
  readonly edits: Edits;
  /** Lines of the caller's code. */
  readonly lines: number;
}

/** A place in the caller's own code, 1-based. */
export interface CodePlace {
  readonly line: number;
  readonly column: number;
}

type Edits = readonly (readonly [number, number, number])[];

/** A program that cannot be split into tokens, or that does nothing. */
export interface Unreadable extends CodePlace {
  readonly message: string;
}

/** Parses a program in the form in which the sandbox would run it. */
export function parseProgram(code: string): ShapedProgram | Unreadable {
  const found = programForms(code);
  if (!found.ok) return { message: found.message, line: found.line, column: found.column };
  let shaped: ShapedProgram | null = null;
  for (const { text, edits, lines } of found.forms) {
    shaped = { file: parseFile(PROGRAM_FILE, text), edits, lines };
    if (parseErrorsOf(shaped.file).length === 0) return shaped;
  }
  // No form parses: the last has the fewest additions, so its errors are the caller's own.
  return shaped ?? { message: "There is no program", line: 1, column: 1 };
}

export function parseFile(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, {
    languageVersion: ts.ScriptTarget.ESNext,
    jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
  });
}

/** Reads an undeclared field of TypeScript; otherwise each form would need a `ts.Program`. */
export function parseErrorsOf(file: ts.SourceFile): readonly ts.DiagnosticWithLocation[] {
  const { parseDiagnostics } = file as { parseDiagnostics?: readonly ts.DiagnosticWithLocation[] };
  return parseDiagnostics ?? [];
}

/** Turns a place of the shaped text into one of the caller's code. */
export function placeInCode(shaped: ShapedProgram, line: number, column: number): CodePlace {
  if (line > shaped.lines) return { line: shaped.lines, column: 1 };
  let place = column;
  for (const [editLine, editColumn, columns] of shaped.edits.toReversed()) {
    if (editLine !== line || place < editColumn) continue;
    place = Math.max(editColumn, place - columns);
  }
  return { line, column: place };
}

/** The function around the program; it is the only statement of the file. */
export function mainOf(file: ts.SourceFile): ts.ArrowFunction | null {
  const [statement] = file.statements;
  if (statement === undefined || !ts.isExpressionStatement(statement)) return null;
  const { expression } = statement;
  if (!ts.isParenthesizedExpression(expression)) return null;
  return ts.isArrowFunction(expression.expression) ? expression.expression : null;
}

/**
 * The functions whose return values are the result of the program: the function around the program,
 * and a function that is the whole program.
 */
export function resultFunctions(main: ts.ArrowFunction): ReadonlySet<ts.Node> {
  const functions = new Set<ts.Node>([main]);
  if (!ts.isBlock(main.body)) return functions;
  for (const statement of main.body.statements) {
    const value = resultValue(statement);
    if (value === null) continue;
    if (ts.isArrowFunction(value) || ts.isFunctionExpression(value)) functions.add(value);
    const callee = ts.isCallExpression(value) && value.arguments.length === 0
      ? value.expression
      : null;
    const called = callee === null || !ts.isIdentifier(callee)
      ? undefined
      : declaredFunction(main.body, callee.text);
    if (called !== undefined) functions.add(called);
  }
  return functions;
}

/** `function name(…) {…}` or `const name = (…) => …` among the statements of the program. */
function declaredFunction(body: ts.Block, name: string): ts.Node | undefined {
  for (const statement of body.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name?.text === name) return statement;
    if (!ts.isVariableStatement(statement)) continue;
    for (const declaration of statement.declarationList.declarations) {
      const value = bare(declaration.initializer);
      if (!ts.isIdentifier(declaration.name) || declaration.name.text !== name) continue;
      if (value !== null && (ts.isArrowFunction(value) || ts.isFunctionExpression(value))) {
        return value;
      }
    }
  }
}

/** What `return value` or `$out = value` (from `export default`) gives. */
function resultValue(statement: ts.Statement): ts.Expression | null {
  if (ts.isReturnStatement(statement)) return bare(statement.expression);
  if (!ts.isExpressionStatement(statement)) return null;
  const { expression } = statement;
  const isOut = ts.isBinaryExpression(expression) && ts.isIdentifier(expression.left) &&
    expression.left.text === "$out";
  return isOut ? bare(expression.right) : null;
}

function bare(expression: ts.Expression | undefined): ts.Expression | null {
  let inner = expression ?? null;
  while (inner !== null && ts.isParenthesizedExpression(inner)) inner = inner.expression;
  return inner;
}
