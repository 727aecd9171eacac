import "./no_system.ts";
import ts from "typescript";
import { checkArguments } from "../rules/arguments.ts";
import { checkField } from "../rules/fields.ts";
import { type CheckFinding, FINDINGS_MAX, MESSAGE_LENGTH_MAX } from "../protocol.ts";
import { LIBRARY_FILES } from "./library.ts";
import { mentionedTools } from "../mentions.ts";
import { checkDiagnostic, checkIdentifier, checkImport, checkServerCall } from "../rules/names.ts";
import {
  mainOf,
  parseErrorsOf,
  parseFile,
  parseProgram,
  placeInCode,
  resultFunctions,
  type ShapedProgram,
} from "../rules/program.ts";
import { explainSyntax } from "../../program/explain_syntax.ts";
import { NOTHING_RUNS } from "../../program/program_forms.ts";
import { checkComparison } from "../rules/impossible.ts";
import { checkMistakes } from "../rules/mistakes.ts";
import { checkPromises, checkResult } from "../rules/promises.ts";
import { REALM_DECLARATIONS } from "../rules/realm.ts";
import { PROGRAM_FILE, type ProgramView, shorten, spellTool, TOOLS_FILE } from "../rules/types.ts";

/** Checks programs one after another; keeps the parts that all checks share. */
export interface CheckService {
  /**
   * @param declaredOnly the declarations without types inferred from results, if they differ.
   * @returns at most `FINDINGS_MAX` findings in the order of the code.
   * @throws {RangeError} if the program is nested too deeply.
   */
  check(code: string, declarations: string, declaredOnly?: string): CheckFinding[];
}

const FINDINGS_KEPT_MAX = 200;
/** The first syntax error causes most of the later ones. */
const SYNTAX_FINDINGS_MAX = 1;
const SAME_MESSAGE_MAX = 3;

const LIBRARY_FILE = "/library.d.ts";
const REALM_FILE = "/realm.d.ts";
const FALLBACK_FILE = "/fallback.d.ts";

export function createCheckService(): CheckService {
  const files = createFiles();
  for (const [path, text] of libraryFiles()) files.set(path, text);
  files.set(REALM_FILE, REALM_DECLARATIONS);
  return {
    check(code, declarations, declaredOnly) {
      const shaped = parseProgram(code);
      if ("message" in shaped) {
        return [syntaxFinding(code, shaped)];
      }
      const checkWith = (text: string) => {
        files.set(TOOLS_FILE, text);
        files.set(FALLBACK_FILE, declaresTools(text) ? "" : "declare const tools: any;");
        files.put(shaped.file);
        return checkProgram(files.build(), code, shaped);
      };
      const findings = checkWith(declarations);
      if (declaredOnly === undefined || findings.length === 0) return findings;
      return markObserved(findings, checkWith(declaredOnly));
    },
  };
}

/**
 * Marks findings that disappear without the types inferred from results: they depend on results.
 */
function markObserved(
  findings: readonly CheckFinding[],
  declared: readonly CheckFinding[],
): CheckFinding[] {
  const keyOf = ({ line, column, message }: CheckFinding) => `${line}:${column} ${message}`;
  const known = new Set(declared.map(keyOf));
  return findings.map((finding) =>
    known.has(keyOf(finding)) ? finding : { ...finding, isObserved: true }
  );
}

/** Joins all files that are not modules into one, which is faster to load. */
function libraryFiles(): ReadonlyMap<string, string> {
  const isModule = (text: string) => /^export /m.test(text);
  const scripts = [...LIBRARY_FILES.values()].filter((text) => !isModule(text));
  const modules = [...LIBRARY_FILES].filter(([, text]) => isModule(text));
  return new Map([
    [LIBRARY_FILE, scripts.join("\n")],
    ...modules.map(([name, text]): [string, string] => [`/${name}`, text]),
  ]);
}

function declaresTools(declarations: string): boolean {
  return /\b(?:const|let|var)\s+tools\b/.test(declarations);
}

/** The files of a check. Files that did not change since the last check are not parsed again. */
function createFiles() {
  const files = new Map<string, ts.SourceFile>();
  let previous: ts.Program | undefined;
  const host: ts.CompilerHost = {
    getSourceFile: (path) => files.get(path),
    getDefaultLibFileName: () => LIBRARY_FILE,
    getCurrentDirectory: () => "/",
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
    writeFile: () => {},
    // The check never reads a file from outside, even if a program refers to it.
    fileExists: (path) => files.has(path),
    readFile: () => undefined,
    directoryExists: () => false,
  };
  return {
    set(path: string, text: string): void {
      if (files.get(path)?.text !== text) files.set(path, parseFile(path, text));
    },
    put: (file: ts.SourceFile) => void files.set(file.fileName, file),
    build(): ts.Program {
      previous = ts.createProgram({
        rootNames: [...files.keys()],
        options: OPTIONS,
        host,
        ...(previous === undefined ? {} : { oldProgram: previous }),
      });
      return previous;
    },
  };
}

/** As loose as TypeScript can be: the check judges what a program does, not its types. */
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleDetection: ts.ModuleDetectionKind.Legacy,
  strict: false,
  strictNullChecks: false,
  noImplicitAny: false,
  noImplicitThis: false,
  useUnknownInCatchVariables: false,
  allowUnreachableCode: true,
  allowUnusedLabels: true,
  noEmit: true,
  noLib: true,
  noResolve: true,
  types: [],
  skipLibCheck: true,
};

function checkProgram(
  program: ts.Program,
  code: string,
  shaped: ShapedProgram,
): CheckFinding[] {
  const file = program.getSourceFile(PROGRAM_FILE);
  if (file === undefined) return [];
  const collected = createCollector(file, shaped);
  const syntax = parseErrorsOf(file);
  if (syntax.length > 0) {
    for (const diagnostic of syntax.slice(0, SYNTAX_FINDINGS_MAX)) collected.addSyntax(diagnostic);
    return collected.findings().map((finding) => syntaxFinding(code, finding));
  }
  const main = mainOf(file);
  if (main === null) return [];
  const view: ProgramView = {
    checker: program.getTypeChecker(),
    file,
    main,
    mentioned: new Set(mentionedTools(code).map(spellTool)),
    place: collected.place,
    report: collected.report,
    advise: collected.advise,
    answers: new Map(),
  };
  for (const diagnostic of program.getSemanticDiagnostics(file)) checkDiagnostic(view, diagnostic);
  checkTree(view);
  return collected.findings();
}

/** The real cause of a syntax error if it is known, or else the parser's message. */
function syntaxFinding(code: string, { line, column, message }: CheckFinding): CheckFinding {
  if (message.startsWith(NOTHING_RUNS)) return { line, column, message };
  const known = explainSyntax(code);
  return known === null
    ? { line, column, message: `This does not parse: ${message}` }
    : { line: known.line, column: known.column, message: `${known.message}. ${known.hint}` };
}

type FindingMarks = Pick<CheckFinding, "isAdvice" | "isMisspelling">;

function createCollector(file: ts.SourceFile, shaped: ShapedProgram) {
  const found = new Map<string, CheckFinding>();
  const repeated = new Map<string, number>();
  const placeAt = (offset: number) => {
    const { line, character } = file.getLineAndCharacterOfPosition(offset);
    return placeInCode(shaped, line + 1, character + 1);
  };
  const add = (offset: number, message: string, marks: FindingMarks = {}): void => {
    const place = placeAt(offset);
    const key = `${place.line}:${place.column}`;
    const times = repeated.get(message) ?? 0;
    if (found.has(key) || found.size >= FINDINGS_KEPT_MAX || times >= SAME_MESSAGE_MAX) return;
    repeated.set(message, times + 1);
    const text = shorten(message, MESSAGE_LENGTH_MAX);
    found.set(key, { ...place, message: text, ...marks });
  };
  return {
    place: (node: ts.Node) => placeAt(node.getStart(file)),
    report: (node: ts.Node, message: string, marks: FindingMarks = {}) =>
      add(node.getStart(file), message, marks),
    advise: (node: ts.Node, message: string) =>
      add(node.getStart(file), message, { isAdvice: true }),
    addSyntax(diagnostic: ts.Diagnostic) {
      const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ");
      add(diagnostic.start ?? 0, text.replace(/\.$/, ""));
    },
    findings: () =>
      [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column)
        .slice(0, FINDINGS_MAX),
  };
}

/** Visits every node of the program once. */
function checkTree(view: ProgramView): void {
  const results = resultFunctions(view.main);
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node)) return;
    if (ts.isDecorator(node)) view.report(node, "Decorators are not supported");
    if (ts.isAutoAccessorPropertyDeclaration(node)) {
      view.report(node, "accessor fields are not supported");
    }
    if (ts.isFunctionLike(node) && results.has(node)) checkParameters(view, node);
    checkPromises(view, node);
    checkComparison(view, node);
    checkMistakes(view, node);
    if (ts.isCallExpression(node)) {
      checkImport(view, node);
      checkServerCall(view, node);
      checkArguments(view, node);
    } else if (ts.isIdentifier(node)) checkIdentifier(view, node);
    else if (ts.isPropertyAccessExpression(node)) {
      checkField(view, node.expression, node.name.text, node.name);
    } else if (ts.isElementAccessExpression(node)) {
      const key = node.argumentExpression;
      if (ts.isStringLiteralLike(key)) checkField(view, node.expression, key.text, key);
    } else if (ts.isObjectBindingPattern(node)) checkPattern(view, node);
    else if (ts.isReturnStatement(node) && node.expression && results.has(functionAround(node))) {
      checkResult(view, node.expression);
    } else if (ts.isArrowFunction(node) && results.has(node) && !ts.isBlock(node.body)) {
      checkResult(view, node.body);
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(view.main.body, visit);
}

/** Reports parameters of the program's function, because the sandbox passes no arguments. */
function checkParameters(view: ProgramView, node: ts.SignatureDeclaration): void {
  const [parameter] = node.parameters;
  if (parameter === undefined || parameter.initializer || parameter.dotDotDotToken) return;
  // If the program itself calls its declared function, it may pass arguments.
  const isCalledByForm = view.file.text.endsWith("();})");
  const isDeclared = ts.isFunctionDeclaration(node) || ts.isVariableDeclaration(node.parent);
  if (parameter.questionToken || (isDeclared && !isCalledByForm)) return;
  view.report(
    parameter,
    "The program is called without arguments; leave this parameter out, tools is always there",
  );
}

function functionAround(node: ts.Node): ts.Node {
  let at = node;
  while (!ts.isSourceFile(at) && !ts.isFunctionLike(at)) at = at.parent;
  return at;
}

function checkPattern(view: ProgramView, pattern: ts.ObjectBindingPattern): void {
  const owner = pattern.parent;
  const receiver = ts.isVariableDeclaration(owner) && owner.initializer ? owner.initializer : owner;
  for (const element of pattern.elements) {
    const name = element.propertyName ?? element.name;
    if (element.dotDotDotToken || element.initializer) continue;
    if (ts.isIdentifier(name) || ts.isStringLiteralLike(name)) {
      checkField(view, receiver, name.text, name);
    }
  }
}
