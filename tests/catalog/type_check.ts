import ts from "typescript";

const FILE = "/tools.d.ts";
const PROGRAM = "/program.ts";
const library = new Map<string, ts.SourceFile>();

/**
 * What TypeScript has to say about a declaration file, and about a program that uses it, under
 * `strict` and `lib.esnext`.
 *
 * @returns one line per diagnostic: line, code and message.
 */
export function diagnose(declarations: string, program = ""): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    lib: ["lib.esnext.d.ts"],
    types: [],
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
  };
  const folder = ts.getDefaultLibFilePath({}).replace(/[^/]+$/, "");
  const sources = new Map(
    [[FILE, declarations], [PROGRAM, `export {};${program}`] as const].map(([path, text]) => [
      path,
      ts.createSourceFile(path ?? "", text ?? "", ts.ScriptTarget.ESNext, true),
    ]),
  );
  const host: ts.CompilerHost = {
    fileExists: (path) => sources.has(path) || path.startsWith(folder),
    readFile: (path) => ts.sys.readFile(path),
    getSourceFile(path) {
      const known = sources.get(path) ?? library.get(path);
      if (known) return known;
      const text = path.startsWith(folder) ? ts.sys.readFile(path) : undefined;
      if (text === undefined) return undefined;
      const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
      library.set(path, file);
      return file;
    },
    getDefaultLibFileName: () => `${folder}lib.esnext.d.ts`,
    getDefaultLibLocation: () => folder.replace(/\/$/, ""),
    writeFile: () => {},
    getCurrentDirectory: () => "/",
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
  };
  const checked = ts.createProgram([FILE, PROGRAM], options, host);
  const diagnostics = [
    ...checked.getOptionsDiagnostics(),
    ...checked.getGlobalDiagnostics(),
    ...[...sources.values()].flatMap((source) => [
      ...checked.getSyntacticDiagnostics(source),
      ...checked.getSemanticDiagnostics(source),
    ]),
  ];
  return diagnostics.map((diagnostic) => {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ");
    const { file, start } = diagnostic;
    const line = file && start !== undefined
      ? file.getLineAndCharacterOfPosition(start).line + 1
      : 0;
    return `${line}: TS${diagnostic.code} ${text}`;
  });
}
