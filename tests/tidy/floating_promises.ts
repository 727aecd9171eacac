import ts from "typescript";

/** A promise that no code waits for, so that its failure is lost. */
export interface Floating {
  readonly path: string;
  readonly line: number;
  /** The statement, or the call that receives an async function. */
  readonly text: string;
}

const AMBIENT = "/ambient.d.ts";
/** Declarations that the platform's own leave to those of Node. */
const TIMERS = `
interface Timeout { readonly timeout: unique symbol }
declare function setTimeout(callback: () => void, ms?: number): Timeout;
declare function setInterval(callback: () => void, ms?: number): Timeout;
declare function setImmediate(callback: () => void): Timeout;
declare function clearTimeout(timer?: Timeout): void;
declare function clearInterval(timer?: Timeout): void;
declare function clearImmediate(timer?: Timeout): void;
`;

/**
 * Finds floating promises by types.
 *
 * A statement that is a promise must end in `.catch(f)` or `.then(a, b)`, or be kept. A function
 * that returns a promise must not be passed where its result is dropped (a timer, a listener).
 *
 * @param files paths, or texts by path.
 * @param platform the declarations of the platform, as `deno types` prints them.
 */
export function findFloating(
  files: readonly string[],
  platform: string,
  texts: ReadonlyMap<string, string> = new Map(),
): Floating[] {
  const virtual = new Map([...texts, [AMBIENT, TIMERS], ["/platform.d.ts", platform]]);
  const options: ts.CompilerOptions = {
    lib: ["lib.esnext.d.ts"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ESNext,
    jsx: ts.JsxEmit.Preserve,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists(path);
  host.getSourceFile = (path, ...rest) => {
    const text = virtual.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  };
  const program = ts.createProgram([...files, ...virtual.keys()], options, host);
  const checker = program.getTypeChecker();
  const found: Floating[] = [];
  for (const file of program.getSourceFiles()) {
    if (file.isDeclarationFile) continue;
    const report = (node: ts.Node) => {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      const text = node.getText(file).replaceAll(/\s+/g, " ");
      found.push({ path: file.fileName, line: line + 1, text });
    };
    const visit = (node: ts.Node): void => {
      if (ts.isExpressionStatement(node) && floats(checker, node.expression)) report(node);
      if (ts.isVoidExpression(node) && floats(checker, node.expression)) report(node);
      if (ts.isCallExpression(node) && throwsAway(checker, node)) report(node);
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}

function floats(checker: ts.TypeChecker, expression: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(expression)) return floats(checker, expression.expression);
  // Kept: other code waits for the promise. `void` is checked separately.
  if (ts.isAwaitExpression(expression) || ts.isVoidExpression(expression)) return false;
  if (ts.isBinaryExpression(expression)) return false;
  if (!isPromise(checker.getTypeAtLocation(expression))) return false;
  if (!ts.isCallExpression(expression)) return true;
  const { expression: callee, arguments: given } = expression;
  if (!ts.isPropertyAccessExpression(callee)) return true;
  return !((callee.name.text === "catch" && given.length === 1) ||
    (callee.name.text === "then" && given.length === 2));
}

/** Whether a function that returns a promise is passed where the callee drops its result. */
function throwsAway(checker: ts.TypeChecker, call: ts.CallExpression): boolean {
  const parameters = checker.getResolvedSignature(call)?.getParameters() ?? [];
  return call.arguments.some((argument, index) => {
    if (ts.isObjectLiteralExpression(argument) || ts.isSpreadElement(argument)) return false;
    const gives = checker.getTypeAtLocation(argument).getCallSignatures();
    const parameter = parameters[Math.min(index, parameters.length - 1)];
    if (parameter === undefined || !gives.some((one) => isPromise(one.getReturnType()))) {
      return false;
    }
    const wanted = checker.getNonNullableType(checker.getTypeOfSymbolAtLocation(parameter, call));
    const results = wanted.getCallSignatures().map((signature) => signature.getReturnType());
    return results.length > 0 && results.every((type) => (type.flags & ts.TypeFlags.Void) !== 0);
  });
}

function isPromise(type: ts.Type): boolean {
  if (type.isUnion()) return type.types.some(isPromise);
  if ((type.flags & ts.TypeFlags.Any) !== 0) return false;
  return type.getProperty("then") !== undefined && type.getProperty("catch") !== undefined;
}
