/**
 * Style that a machine can check: the import table, cycles, sizes, and the allowed places of some
 * uses.
 *
 * Each list of exceptions names a reason for every entry and should stay short.
 */
import assert from "node:assert/strict";
import ts from "typescript";
import { listFastTests } from "./import_fast_tests.ts";
import { COMPOSITION_ROOT, LAYERS, PACKAGES, ROOMS, SHARED_FILES } from "./tidy/layers.ts";
import {
  folderExists,
  listFiles,
  placeOf,
  readSources,
  readText,
  visit,
} from "./tidy/source_files.ts";

const LINES_MAX = 400;

/** Files directly in one folder; a folder with more needs subfolders. */
const FILES_MAX = 30;

/** Files over 400 lines, with the reason. */
const LONG_FILES: { readonly [path: string]: string } = {};

/** Files with the type `any`, with the reason. */
const ANY_FILES: { readonly [path: string]: string } = {
  "workers/realm/primordials.ts":
    "uncurries methods; the interface Primordials gives each its type",
};

/** The places that may use something that reaches outside: the start of their paths. */
const ALLOWED_PLACES: { readonly [use: string]: readonly string[] } = {
  "Deno.env": ["main.ts", "src/app.ts", "src/cli/", "src/config/"],
  "Deno.serve": [], // Deno's server ends when it cannot accept a connection
  "Deno.openKv": ["src/store/"],
  "Deno.Command": [
    "src/upstream/mcp/",
    "src/checker/",
    "src/sandbox/",
    "src/config/run_command.ts",
  ],
  "Deno.dlopen": ["src/sandbox/host/kernel/"],
  "Deno.connect": [
    "src/dial/",
    "src/audit/ship/sink_syslog.ts", // sends records outside; syslog does not know proxies
  ],
  "Deno.connectTls": [],
  "Deno.createHttpClient": ["src/dial/open_client.ts"], // a new client reads proxy variables
  "Deno.listen": ["src/dial/"],
  fetch: [
    "src/dial/send_request.ts",
    "src/cli/system_deps.ts", // to the running service on this machine
  ],
};

const code = readSources(["src", "workers", "main.ts"]);
const product = code.filter((file) => file.path !== "main.ts");
const others = readSources(["tests", "scripts", "bench"]);

Deno.test("imports follow the table of folders", () => {
  const wrong: string[] = [];
  for (const file of code) {
    for (const { target, isRelative } of file.imports) {
      const from = folderOf(file.path);
      if (!isRelative) {
        const places = PACKAGES[packageOf(target)];
        if (places !== undefined && !places.includes(from)) wrong.push(`${file.path}: ${target}`);
        continue;
      }
      if (!mayImport(from, file.path, target)) wrong.push(`${file.path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("imports between rooms of one folder follow the table of rooms", () => {
  const wrong: string[] = [];
  for (const file of product) {
    const folder = folderOf(file.path);
    const from = roomOf(file.path);
    if (from === "") continue;
    const siblings = ROOMS[folder]?.[from] ?? ROOMS[folder]?.["*"];
    if (siblings === undefined) wrong.push(`${file.path}: the room ${from} is not in the table`);
    for (const { target, isRelative } of file.imports) {
      if (!isRelative || folderOf(target) !== folder) continue;
      const to = roomOf(target);
      if (to === "" || to === from || siblings?.includes(to)) continue;
      wrong.push(`${file.path} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("no folder is a long list of files", () => {
  const counts = new Map<string, number>();
  for (const { path } of product) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  assert.deepEqual([...counts].filter(([, count]) => count > FILES_MAX), []);
});

Deno.test("imports name files that exist", () => {
  const known = new Set([...code, ...others].map((file) => file.path));
  const wrong = [...code, ...others].flatMap((file) =>
    file.imports.filter(({ isRelative, target }) =>
      isRelative && /\.tsx?$/.test(target) && !known.has(target)
    ).map(({ target }) => `${file.path} imports ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("imports make no cycle, types included", () => {
  const graph = new Map(code.map((file) => [
    file.path,
    file.imports.filter((entry) => entry.isRelative && !entry.isDynamic).map((entry) =>
      entry.target
    ),
  ]));
  assert.equal(findCycle(graph), null);
});

Deno.test("findCycle() finds a cycle and its way", () => {
  const graph = new Map([["a", ["b"]], ["b", ["c", "d"]], ["c", []], ["d", ["b"]]]);
  assert.equal(findCycle(graph), "b → d → b");
});

Deno.test("the code has no default export and no any", () => {
  const wrong: string[] = [];
  for (const file of [...code, ...others]) {
    visit(file.tree, (node) => {
      const isDefault = ts.isExportAssignment(node) ||
        (ts.canHaveModifiers(node) &&
          ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword));
      if (isDefault) wrong.push(`${placeOf(file, node)} default export`);
      const isAny = node.kind === ts.SyntaxKind.AnyKeyword;
      if (isAny && !Object.hasOwn(ANY_FILES, file.path)) wrong.push(`${placeOf(file, node)} any`);
    });
  }
  assert.deepEqual(wrong, []);
});

Deno.test("no file of the product is long without a reason", () => {
  const long = product.filter((file) => file.text.split("\n").length - 1 > LINES_MAX);
  assert.deepEqual(long.map((file) => file.path), Object.keys(LONG_FILES).toSorted());
});

Deno.test("what reaches outside stands in its places only", () => {
  const wrong: string[] = [];
  for (const file of code) {
    visit(file.tree, (node) => {
      const use = useOf(node);
      const places = use === null ? undefined : ALLOWED_PLACES[use];
      if (places === undefined || places.some((place) => file.path.startsWith(place))) return;
      wrong.push(`${placeOf(file, node)} ${use}`);
    });
  }
  assert.deepEqual(wrong, []);
});

Deno.test("no test is skipped, focused or left for later", () => {
  const wrong: string[] = [];
  for (const file of others.filter(({ path }) => path.startsWith("tests/"))) {
    visit(file.tree, (node) => {
      if (!ts.isCallExpression(node) || !isTestFunction(node.expression)) return;
      const name = node.expression.getText(file.tree);
      if (/\.(skip|only|ignore|todo)$/.test(name)) wrong.push(`${placeOf(file, node)} ${name}`);
      for (const argument of node.arguments) {
        if (!ts.isObjectLiteralExpression(argument)) continue;
        const names = argument.properties.map((property) => property.name?.getText(file.tree));
        if (names.includes("ignore") || names.includes("only")) wrong.push(placeOf(file, node));
      }
    });
  }
  assert.deepEqual(wrong, []);
});

Deno.test("deno task test runs the fast tests of every folder, each once", () => {
  const runners = others.filter(({ path }) => path.startsWith("tests/together/"));
  const run = runners.flatMap(({ text }) => {
    const [, list = ""] = /importFastTests\(\[([^\]]*)\]\)/.exec(text) ?? [];
    return [...list.matchAll(/"([^"]+)"/g)].map(([, folder]) => folder ?? "");
  });
  const folders = new Set(
    others.map(({ path }) => path.split("/")).filter(([top, , file]) =>
      top === "tests" && file !== undefined
    ).map(([, folder]) => folder ?? ""),
  );
  const withTests = [...folders].filter((folder) => listFastTests(folder).length > 0);
  const byOwnTask = ["build", "conformance", "e2e"];
  const about = "each folder with fast tests stands in one list of tests/together/";
  assert.deepEqual([...run, ...byOwnTask].toSorted(), withTests.toSorted(), about);
});

Deno.test("texts hold no unfinished remarks and no package registry's host", () => {
  const remark = new RegExp(
    `\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`,
  );
  const registry = new RegExp(
    ["registry\\.npm" + "js", "jsr\\.i" + "o", "//registry\\."].join("|"),
    "i",
  );
  const isText = (path: string) => /\.(tsx?|md|json|ya?ml|css|sh)$|\/run$/.test(path);
  const folders = ["src", "workers", "tests", "scripts", "bench", "policies", "docs", ".ci"];
  const paths = [
    ...folders.flatMap((folder) => listFiles(folder, isText)),
    ...["main.ts", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "deno.json", "package.json"],
  ];
  const wrong = paths.flatMap((path) =>
    readText(path).split("\n").flatMap((line, index) =>
      remark.test(line) || registry.test(line) ? [`${path}:${index + 1}`] : []
    )
  );
  assert.deepEqual(wrong, []);
});

Deno.test("every folder of src is in the import table and in README's architecture table", () => {
  const folders = new Set(
    code.filter((file) => file.path.startsWith("src/") && file.path.split("/").length > 2)
      .map((file) => folderOf(file.path)),
  );
  assert.deepEqual([...folders].filter((folder) => !Object.hasOwn(LAYERS, folder)), []);
  const table = architectureSection();
  const described = [...table.matchAll(/^\| `src\/(\w+)\/` +\|/gm)].map((match) => match[1] ?? "");
  assert.deepEqual(described.toSorted(), [...folders].toSorted());
});

Deno.test("README's architecture table names files and folders that exist", () => {
  const table = architectureSection();
  const named = [...table.matchAll(/^\| `([^`]+)` +\|/gm)].map((match) => match[1] ?? "");
  assert.ok(named.length > 15);
  for (const path of named) {
    if (path.endsWith("/")) assert.ok(folderExists(path), path);
    else assert.notEqual(readText(path), "", path);
  }
});

Deno.test("docs/architecture.md names files that exist", () => {
  const page = readText("docs/architecture.md");
  const named = [...page.matchAll(/`((?:[\w-]+\/)*[\w-]+\.tsx?)`/g)].map((match) => match[1] ?? "")
    .filter((name) => !/KIND|NAME/.test(name));
  const known = ["src", "workers", "tests"].flatMap((folder) => listFiles(folder, () => true));
  assert.ok(named.length > 40);
  const missing = named.filter((name) => !known.some((path) => `/${path}`.endsWith(`/${name}`)));
  assert.deepEqual(missing, []);
});

Deno.test("comments, messages and documents say is not a, and correct", () => {
  const unplain =
    /(?<!\b[Tt]here )\b(is|are|was|were) no (?!longer|more|such|other)\w|\bmend(s|ed|ing)?\b/i;
  const isText = (path: string) => /\.(tsx?|md)$/.test(path);
  const paths = [
    ...["src", "workers", "docs"].flatMap((folder) => listFiles(folder, isText)),
    ...["README.md", "CONTRIBUTING.md"],
  ];
  const wrong = paths.flatMap((path) =>
    readText(path).split("\n").flatMap((line, index) =>
      unplain.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : []
    )
  );
  assert.deepEqual(wrong, []);
});

function architectureSection(): string {
  return readText("README.md").split("\n## Architecture\n")[1]?.split("\n## ")[0] ?? "";
}

function folderOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  if (top !== "src") return top;
  return COMPOSITION_ROOT.includes(path) ? "app" : second;
}

/**
 * The folders between a folder of `src/` and the file: `host/kernel`; empty for a file directly in
 * it.
 */
function roomOf(path: string): string {
  const parts = path.split("/");
  return parts[0] === "src" ? parts.slice(2, -1).join("/") : "";
}

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0] ?? "";
}

function mayImport(from: string, path: string, target: string): boolean {
  const to = folderOf(target);
  if (from === to) return true;
  if (from === "main.ts") return ["cli", "sandbox", "checker"].includes(to);
  if (from === "workers") return target === "src/rpc/protocol.ts";
  if (from === "app") return to !== "cli" && to !== "main.ts";
  const isShared = SHARED_FILES.some(({ file, by }) => file === target && by.includes(from));
  return isShared || (LAYERS[from]?.includes(to) ?? assert.fail(`unknown folder of ${path}`));
}

/** The name of a use that `ALLOWED_PLACES` lists, or null. */
function useOf(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node)) {
    const owner = node.expression.getText();
    const name = node.name.text;
    if (owner === "Deno") return `Deno.${name}`;
    return owner === "globalThis" && name === "fetch" ? "fetch" : null;
  }
  const isFetchCall = ts.isCallExpression(node) && ts.isIdentifier(node.expression) &&
    node.expression.text === "fetch" && !isDeclaredHere(node.expression);
  return isFetchCall ? "fetch" : null;
}

/** True if `fetch` is a parameter or constant in a scope around its use: an injected dependency. */
function isDeclaredHere(use: ts.Identifier): boolean {
  for (let scope: ts.Node = use.parent; scope !== undefined; scope = scope.parent) {
    let found = false;
    if (ts.isFunctionLike(scope)) {
      found = scope.parameters.some((parameter) => /\bfetch\b/.test(parameter.name.getText()));
    } else if (ts.isBlock(scope)) {
      found = scope.statements.some((statement) =>
        ts.isVariableStatement(statement) &&
        statement.declarationList.declarations.some((declaration) =>
          /\bfetch\b/.test(declaration.name.getText())
        )
      );
    }
    if (found) return true;
  }
  return false;
}

function isTestFunction(expression: ts.Expression): boolean {
  const text = expression.getText();
  return /^(Deno\.test|test|it|describe)\b/.test(text) || /^\w+\.step\b/.test(text);
}

/** One cycle as `a → b → a`, or null. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string | null {
  const done = new Set<string>();
  const search = (node: string, way: readonly string[]): string | null => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node].join(" → ");
    if (done.has(node)) return null;
    for (const next of graph.get(node) ?? []) {
      const cycle = search(next, [...way, node]);
      if (cycle !== null) return cycle;
    }
    done.add(node);
    return null;
  };
  for (const node of graph.keys()) {
    const cycle = search(node, []);
    if (cycle !== null) return cycle;
  }
  return null;
}
