/**
 * The o200k tokens that a model reads and writes with and without toolgate.
 *
 *     deno run -A bench/tokens_bench.ts
 *
 * The first part needs the folder of public catalogs (`TOOLGATE_DATA`), the second does not.
 */
import type { CatalogSnapshot } from "../src/model/catalog.ts";
import type { Tool } from "../src/model/tool.ts";
import { openCatalog } from "../src/catalog/catalog.ts";
import { executeTool, SEARCH_TOOL } from "../src/mcp/tool_definitions.ts";
import { createSearchIndex } from "../src/search/search_index.ts";
import type { Visible } from "../src/search/views.ts";
import { openStore } from "../src/store/open_store.ts";
import { createDemoUpstreams } from "../src/upstream/demo/demo_upstreams.ts";
import { countTokens } from "../src/usage/tokens.ts";
import {
  dataFolder,
  type DataQuery,
  type DataTool,
  readData,
} from "../tests/search/data_folder.ts";
import { snapshotOf } from "../tests/search/data_snapshot.ts";

const CONFIG = { limit: 5, namesMax: 15, tokensMax: 1_500 } as const;
const ALL: Visible = (tool) => ({
  access: tool.hints.readOnly === true || tool.http?.method === "GET" ? "read" : "write",
  effect: "allow",
});

const TWO_TOOLS = [SEARCH_TOOL, executeTool("")];
const twoTools = await countTokens(JSON.stringify(TWO_TOOLS));

const folder = dataFolder();
if (folder === null) {
  console.log("The folder of public catalogs is absent: set TOOLGATE_DATA to it");
} else await headline(folder);
await calendar();

async function headline(path: string): Promise<void> {
  const tools = await readData<DataTool[]>(path, "search/cloudflare/tools.json.gz");
  let full = 0;
  for (const { name, description, inputSchema } of tools) {
    full += await countTokens(JSON.stringify({ name, description, inputSchema }));
  }
  console.log(`${tools.length} operations of one API as MCP tools: ${format(full)} tokens`);
  const texts = TWO_TOOLS.map(({ description }) => description ?? "").join("\n");
  console.log(
    `search and execute: ${format(twoTools)} (descriptions alone ${
      format(await countTokens(texts))
    }), 1 : ${Math.round(full / twoTools)}`,
  );
  const queries = (await readData<(DataQuery & { subset: string })[]>(
    path,
    "search/gateway/queries.json",
  )).filter(({ id }) => id.startsWith("hand-"));
  await answers(tools, queries.filter(({ subset }) => subset === "cloudflare"));
  await answers(await readData<DataTool[]>(path, "search/gateway/tools.json.gz"), queries);
}

/** Tokens of search answers, over short labelled queries. */
async function answers(
  tools: readonly DataTool[],
  queries: readonly DataQuery[],
): Promise<void> {
  const { snapshot, keys } = snapshotOf(tools);
  const index = createSearchIndex({ snapshot: () => snapshot, config: CONFIG });
  const tokens: number[] = [];
  let shown = 0;
  for (const { query, relevant } of queries) {
    const answer = await index.search({ query }, ALL);
    tokens.push(await countTokens(answer.declarations));
    if (answer.hits.some(({ name }) => relevant.includes(keys.get(name) ?? ""))) shown++;
  }
  const mean = tokens.reduce((sum, count) => sum + count, 0) / tokens.length;
  console.log(
    `one search over ${snapshot.tools.size} tools: ${mean.toFixed(0)} tokens on average, ${
      Math.max(...tokens)
    } at most; it shows the tool in ${
      ((100 * shown) / queries.length).toFixed(0)
    } % of ${queries.length}`,
  );
}

interface Turn {
  /** The text that the model writes. */
  readonly written: string;
  /** The text that the model then reads. */
  readonly read: string;
}

/** Puts events into a calendar: one call each, and one program for all. */
async function calendar(): Promise<void> {
  const upstreams = createDemoUpstreams();
  const catalog = await openCatalog({
    store: await openStore("memory:"),
    servers: [...upstreams.keys()],
    listTools: async (server) => {
      const upstream = upstreams.get(server);
      if (upstream === undefined) throw new Error(`No server ${server}`);
      return await upstream.list(AbortSignal.timeout(5_000));
    },
    config: { refreshEveryMs: 3_600_000, pins: "enforce" },
    aliases: {},
    audit: () => Promise.resolve(),
    log: () => {},
  });
  await catalog.ready();
  const snapshot = catalog.snapshot();
  const all = [...snapshot.tools.values()];
  const own = all.filter((tool) => tool.server === "calendar");
  for (const tools of [own, all]) {
    console.log(`\nputting events into a calendar, beside ${tools.length} tools as they are`);
    const definitions = await countTokens(JSON.stringify(tools.map(toMcp)));
    for (const count of [1, 31]) {
      const classic = await total(definitions, callsOneByOne(count));
      printSaved(count, classic, await total(twoTools, await oneProgram(snapshot, count)));
    }
  }
  await catalog.close();
}

interface Total {
  /** Tokens in the context at the end. */
  readonly context: number;
  /** Tokens sent to the model and written by it in all turns. */
  readonly billed: number;
}

function printSaved(count: number, classic: Total, program: Total): void {
  for (const measure of ["context", "billed"] as const) {
    const saved = 100 * (1 - program[measure] / classic[measure]);
    const what = measure === "context" ? "in the context at the end" : "over all turns";
    console.log(
      `${String(count).padStart(2)} ${count === 1 ? "event " : "events"} ${what.padEnd(25)}  ` +
        `calls ${format(classic[measure]).padStart(8)}  ` +
        `program ${format(program[measure]).padStart(6)}  ${saved.toFixed(0)} % saved`,
    );
  }
}

function toMcp({ name, title, description, inputSchema, outputSchema }: Tool) {
  return { name, title, description, inputSchema, outputSchema };
}

function eventOf(day: number) {
  const date = `2026-08-${String(day).padStart(2, "0")}`;
  return {
    title: "Stand-up",
    start: `${date}T09:00:00Z`,
    end: `${date}T09:15:00Z`,
    attendees: ["ada@example.com", "bob@example.com"],
  };
}

function callsOneByOne(count: number): Turn[] {
  return Array.from({ length: count }, (_, index) => {
    const event = eventOf(index + 1);
    return {
      written: JSON.stringify({ name: "createEvent", arguments: event }),
      read: JSON.stringify({ id: `evt-${String(index).padStart(5, "0")}`, ...event, place: "" }),
    };
  });
}

async function oneProgram(snapshot: CatalogSnapshot, count: number): Promise<Turn[]> {
  const index = createSearchIndex({ snapshot: () => snapshot, config: CONFIG });
  const query = "create a calendar event";
  const answer = await index.search({ query, limit: 1 }, ALL);
  const loop = count === 1
    ? `const { id } = await tools.calendar.createEvent(${JSON.stringify(eventOf(1))});\nreturn id;`
    : `const ids = [];
for (let day = 1; day <= ${count}; day++) {
  const date = \`2026-08-\${String(day).padStart(2, "0")}\`;
  const event = await tools.calendar.createEvent({
    title: "Stand-up", start: \`\${date}T09:00:00Z\`, end: \`\${date}T09:15:00Z\`,
    attendees: ["ada@example.com", "bob@example.com"],
  });
  ids.push(event.id);
}
return { created: ids.length };`;
  const result = count === 1 ? '"evt-00000"' : JSON.stringify({ created: count });
  return [
    {
      written: JSON.stringify({ name: "search", arguments: { query, limit: 1 } }),
      read: answer.declarations,
    },
    { written: JSON.stringify({ name: "execute", arguments: { code: loop } }), read: result },
  ];
}

async function total(definitions: number, turns: readonly Turn[]): Promise<Total> {
  let context = definitions;
  let billed = 0;
  for (const { written, read } of turns) {
    const output = await countTokens(written);
    billed += context + output;
    context += output + await countTokens(read);
  }
  // Add the last turn, where the model says that it is done.
  return { context, billed: billed + context };
}

function format(count: number): string {
  return count.toLocaleString("en");
}
