import ts from "typescript";

const ROOT = new URL("../../", import.meta.url);

/** One TypeScript file of the repository, read and parsed once. */
export interface SourceFile {
  /** Path from the root of the repository: `src/app.ts`. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

export interface Import {
  /** Path from the root for a relative import, else the specifier itself. */
  readonly target: string;
  readonly isRelative: boolean;
  /** `import(…)`: loaded when it runs, so it does not close a cycle. */
  readonly isDynamic: boolean;
}

/** Every file below a folder whose path passes `isWanted`; paths start at the repository root. */
export function listFiles(folder: string, isWanted: (path: string) => boolean): string[] {
  const found: string[] = [];
  const walk = (path: string) => {
    for (const entry of readFolder(path)) {
      const child = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory) walk(child);
      else if (isWanted(child)) found.push(child);
    }
  };
  walk(folder);
  return found.toSorted();
}

export function folderExists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, ROOT)).isDirectory;
  } catch {
    return false;
  }
}

export function readText(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** Reads and parses every TypeScript file below the folders. */
export function readSources(folders: readonly string[]): SourceFile[] {
  const paths = folders.flatMap((folder) =>
    folder.endsWith(".ts") ? [folder] : listFiles(folder, (path) => /\.tsx?$/.test(path))
  );
  return paths.map((path) => {
    const text = readText(path);
    const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    return { path, text, tree, imports: importsOf(path, tree) };
  });
}

/** Calls back for every node, parents first. */
export function visit(node: ts.Node, each: (node: ts.Node) => void): void {
  each(node);
  ts.forEachChild(node, (child) => visit(child, each));
}

/** `path:line` of a node. */
export function placeOf(file: SourceFile, node: ts.Node): string {
  const { line } = file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree));
  return `${file.path}:${line + 1}`;
}

function readFolder(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(new URL(`${path}/`, ROOT))];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function importsOf(path: string, tree: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (specifier: ts.Node | undefined, isDynamic: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const isRelative = specifier.text.startsWith(".");
    const target = isRelative
      ? new URL(specifier.text, `file:///${path}`).pathname.slice(1)
      : specifier.text;
    imports.push({ target, isRelative, isDynamic });
  };
  visit(tree, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, false);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], true);
    }
  });
  return imports;
}
