/**
 * Search quality and speed, compared with other engines on the same catalogs and queries.
 *
 *     deno run -A --v8-flags=--expose-gc bench/search_bench.ts [quality] [scale] [safety]
 *
 * The catalogs and queries are public and not part of the project: the bench reads them from the
 * folder in `TOOLGATE_DATA`.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createToolStore, type ToolStore } from "../src/search/tool_store.ts";
import { createViews } from "../src/search/views.ts";
import type { CatalogSnapshot } from "../src/model/catalog.ts";
import {
  dataFolder,
  type DataQuery,
  type DataTool,
  readData,
  readScaleTools,
} from "../tests/search/data_folder.ts";
import { type DataSnapshot, snapshotOf } from "../tests/search/data_snapshot.ts";
import { evaluate, type Metrics, misspell, quantile } from "./search_metrics.ts";
import { createEngine, type EngineName } from "./search_peers.ts";

const SETS = ["sealtools", "bfcl", "livemcp", "stabletoolbench", "gateway", "restbench"] as const;
const ENGINES: readonly EngineName[] = [
  "toolgate",
  "minisearch",
  "fts5",
  "fts5 plain",
  "orama plain",
];

const folder = dataFolder();
if (folder === null) {
  console.log("The folder of public catalogs is absent: set TOOLGATE_DATA to it");
} else {
  const parts = Deno.args.length > 0 ? Deno.args : ["quality", "safety", "scale"];
  if (parts.includes("quality")) await quality(folder);
  if (parts.includes("safety")) await safety(folder);
  if (parts.includes("scale")) await scale(folder);
}

async function readSet(
  path: string,
  set: string,
): Promise<DataSnapshot & { queries: readonly DataQuery[] }> {
  const tools = await readData<DataTool[]>(path, `search/${set}/tools.json.gz`);
  const queries = await readData<DataQuery[]>(path, `search/${set}/queries.json`);
  return { ...snapshotOf(tools), queries };
}

async function quality(path: string): Promise<void> {
  const macro = new Map<EngineName, Metrics[]>();
  for (const set of SETS) {
    const { snapshot, keys, queries } = await readSet(path, set);
    console.log(`\n${set}: ${snapshot.tools.size} tools, ${queries.length} queries`);
    for (const name of ENGINES) {
      const engine = await createEngine(name, snapshot);
      const metrics = evaluate(
        queries,
        (query) => engine.rank(query).map((id) => keys.get(id) ?? ""),
      );
      engine.close();
      macro.set(name, [...macro.get(name) ?? [], metrics]);
      printMetrics(name, metrics);
    }
  }
  console.log(`\nmean of the ${SETS.length} sets`);
  for (const [name, list] of macro) {
    const mean = (of: (metrics: Metrics) => number) =>
      list.reduce((sum, metrics) => sum + of(metrics), 0) / list.length;
    printMetrics(name, {
      queries: 0,
      recall1: mean((metrics) => metrics.recall1),
      recall5: mean((metrics) => metrics.recall5),
      recall10: mean((metrics) => metrics.recall10),
      ndcg10: mean((metrics) => metrics.ndcg10),
      p50: mean((metrics) => metrics.p50),
      p95: mean((metrics) => metrics.p95),
    });
  }
}

function printMetrics(name: string, metrics: Metrics): void {
  const { recall1, recall5, recall10, ndcg10, p50, p95 } = metrics;
  console.log(
    `${name.padEnd(13)} recall@1 ${cell(recall1)}  @5 ${cell(recall5)}  @10 ${cell(recall10)}  ` +
      `nDCG@10 ${cell(ndcg10)}  p50 ${p50.toFixed(2)} ms  p95 ${p95.toFixed(2)} ms`,
  );
}

function cell(value: number): string {
  return value.toFixed(1).padStart(5);
}

/** Tests typing errors, exact names, and whether answers reveal hidden tools. */
async function safety(path: string): Promise<void> {
  console.log("\nquality under misspelling, exact names, hidden tools");
  for (const set of SETS) {
    const { snapshot, keys, queries } = await readSet(path, set);
    const engine = await createEngine("toolgate", snapshot);
    const rank = (query: string) => engine.rank(query).map((id) => keys.get(id) ?? "");
    const clean = evaluate(queries, rank).ndcg10;
    const wrong = queries.map((query, index) => ({
      ...query,
      query: misspell(query.query, index + 1),
    }));
    const loss = clean - evaluate(wrong, rank).ndcg10;
    console.log(
      `${set.padEnd(16)} nDCG@10 ${cell(clean)}  misspelt ${cell(clean - loss)}  loss ${
        cell(loss)
      }  exact names first ${exactNames(snapshot, engine.rank).toFixed(1)} %  leaks ${await leaks(
        snapshot,
        queries,
        keys,
      )}`,
    );
    engine.close();
  }
}

/** The share of tools found first by their own name, in each of four spellings. */
function exactNames(snapshot: CatalogSnapshot, rank: (query: string) => string[]): number {
  const tools = [...snapshot.tools.values()].filter((_, index) => index % 7 === 0).slice(0, 500);
  let first = 0;
  for (const tool of tools) {
    const words = tool.name.replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim();
    const joined = words.replaceAll(" ", "").toLowerCase();
    for (const query of [tool.name, `${tool.server}.${tool.name}`, words, joined]) {
      const best = snapshot.tools.get(rank(query)[0] ?? "");
      if (best && fold(best.name) === fold(tool.name)) first++;
    }
  }
  return (100 * first) / (tools.length * 4);
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/** Counts searches where hiding the matching tools changes more than their absence. */
async function leaks(
  snapshot: CatalogSnapshot,
  queries: readonly DataQuery[],
  keys: ReadonlyMap<string, string>,
): Promise<number> {
  const hidden = new Set(queries.slice(0, 200).flatMap((query) => query.relevant));
  const isHidden = (id: string) => hidden.has(keys.get(id) ?? "");
  const without = {
    ...snapshot,
    tools: new Map([...snapshot.tools].filter(([id]) => !isHidden(id))),
  };
  const [all, rest] = [await fill(snapshot), await fill(without)];
  const view = createViews().of(
    all.segments.values(),
    snapshot.tools,
    (tool) => isHidden(tool.id) ? null : { access: "read", effect: "allow" },
  );
  const plain = createViews().of(
    rest.segments.values(),
    without.tools,
    () => ({ access: "read", effect: "allow" }),
  );
  return queries.slice(0, 200).filter(({ query }) => {
    const seen = all.search(query, view, 50);
    const expected = rest.search(query, plain, 50);
    return seen.total !== expected.total ||
      JSON.stringify(seen.documents.map(({ id, score }) => [id, score])) !==
        JSON.stringify(expected.documents.map(({ id, score }) => [id, score]));
  }).length;
}

async function fill(snapshot: CatalogSnapshot): Promise<ToolStore> {
  const store = createToolStore();
  for (const [server, tools] of Map.groupBy(snapshot.tools.values(), (tool) => tool.server)) {
    await store.replace(server, tools, snapshot.servers);
  }
  return store;
}

async function scale(path: string): Promise<void> {
  const tools = await readScaleTools(path);
  const short = (await readSet(path, "gateway")).queries
    .filter(({ id }) => id.startsWith("hand-")).map(({ query }) => query);
  const long = [
    ...(await readSet(path, "livemcp")).queries,
    ...(await readSet(path, "stabletoolbench")).queries.slice(0, 100),
  ].map(({ query }) => query).filter((query) => query.length > 80);
  console.log(`\nspeed: ${short.length} short and ${long.length} long queries`);
  for (const count of (Deno.env.get("COUNTS") ?? "100,2500,10000,50000").split(",").map(Number)) {
    const { snapshot } = snapshotOf(tools.slice(0, count));
    const { store, line } = await buildMeasured(snapshot);
    console.log(`\n${count} tools of ${snapshot.servers.size} servers`);
    console.log(`toolgate      ${line}`);
    const view = createViews().of(
      store.segments.values(),
      snapshot.tools,
      () => ({ access: "read", effect: "allow" }),
    );
    const rank = (query: string) => store.search(query, view, 20);
    printTimes("toolgate", rank, short, long);
    await printUpdate(store, snapshot);
    for (const name of ["minisearch", "fts5", "orama plain"] as const) {
      // A query takes a second: a few are enough.
      const few = name === "orama plain" && count > 10_000 ? 20 : short.length;
      const startedAt = performance.now();
      const engine = await createEngine(name, snapshot);
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2);
      console.log(`${name.padEnd(13)} build ${seconds} s`);
      printTimes(name, engine.rank, short.slice(0, few), long.slice(0, few));
      engine.close();
    }
  }
}

async function buildMeasured(
  snapshot: CatalogSnapshot,
): Promise<{ store: ToolStore; line: string }> {
  const before = collected();
  const startedAt = performance.now();
  const stop = watchLoop();
  const store = await fill(snapshot);
  const blockedMs = stop();
  const seconds = (performance.now() - startedAt) / 1_000;
  const megabytes = (collected() - before) / 1_048_576;
  const line = `build ${seconds.toFixed(2)} s, ${megabytes.toFixed(0)} MB, loop blocked at most ${
    blockedMs.toFixed(0)
  } ms`;
  return { store, line };
}

function printTimes(
  name: string,
  rank: (query: string) => unknown,
  short: readonly string[],
  long: readonly string[],
): void {
  const time = (queries: readonly string[]) => {
    for (const query of queries.slice(0, 20)) rank(query);
    const times = queries.map((query) => {
      const startedAt = performance.now();
      rank(query);
      return performance.now() - startedAt;
    });
    return `p50 ${quantile(times, 0.5).toFixed(2)} p95 ${quantile(times, 0.95).toFixed(2)} ms`;
  };
  console.log(`${name.padEnd(13)} short ${time(short)}   long ${time(long)}`);
}

/** Measures an update: a server of 100 tools is listed again with other descriptions. */
async function printUpdate(store: ToolStore, snapshot: CatalogSnapshot): Promise<void> {
  const tools = [...snapshot.tools.values()].slice(0, 100).map((tool) => ({
    ...tool,
    server: "changed",
    id: `changed.${tool.identifier}`,
  }));
  const times: number[] = [];
  let blockedMs = 0;
  for (let round = 0; round < 10; round++) {
    const changed = tools.map((tool) => ({
      ...tool,
      description: `${tool.description} ${round}`,
    }));
    const startedAt = performance.now();
    const stop = watchLoop();
    await store.replace("changed", changed, snapshot.servers);
    times.push(performance.now() - startedAt);
    blockedMs = Math.max(blockedMs, stop());
  }
  store.drop("changed");
  console.log(
    `toolgate      list_changed of ${tools.length}: p50 ${quantile(times, 0.5).toFixed(1)} max ${
      quantile(times, 1).toFixed(1)
    } ms, loop blocked at most ${blockedMs.toFixed(0)} ms`,
  );
  await delay(0);
}

/** Measures the longest time for which the event loop was blocked. */
function watchLoop(): () => number {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return Math.max(longest, performance.now() - last);
  };
}

/** Bytes in use after garbage collection: the JavaScript heap and typed arrays. */
function collected(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
