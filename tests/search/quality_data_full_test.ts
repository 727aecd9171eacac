/**
 * Search quality on public labelled queries. A part of the queries by default; `TOOLGATE_FULL=1`
 * takes all of them.
 */
import { ok, strictEqual } from "node:assert/strict";
import { evaluate, misspell } from "../../bench/search_metrics.ts";
import { createEngine } from "../../bench/search_peers.ts";
import { dataFolder, type DataQuery, type DataTool, readData } from "./data_folder.ts";
import { snapshotOf } from "./data_snapshot.ts";

const folder = dataFolder();
const isFull = Deno.env.get("TOOLGATE_FULL") === "1";

/** Per cent, a point below what is reached: a change that costs more than noise shows here. */
const NDCG_MIN: ReadonlyMap<string, number> = new Map([
  ["sealtools", 95],
  ["bfcl", 78],
  ["livemcp", 48],
  ["stabletoolbench", 73],
  ["gateway", 57.5],
  ["restbench", 56],
]);

if (folder === null) {
  console.log("Not tested here: the folder of public catalogs is absent");
} else if (isFull) {
  for (const [set, ndcgMin] of NDCG_MIN) {
    Deno.test(`queries of ${set} find their tools, above tuned full-text search`, async () => {
      const { queries, rank } = await openSet(folder, set, "toolgate");
      const peer = await openSet(folder, set, "fts5");
      const { ndcg10 } = evaluate(queries, rank);
      ok(ndcg10 >= ndcgMin, `nDCG@10 ${ndcg10}`);
      ok(ndcg10 > evaluate(queries, peer.rank).ndcg10);
      const wrong = queries.map((query, index) => ({
        ...query,
        query: misspell(query.query, index + 1),
      }));
      const loss = ndcg10 - evaluate(wrong, rank).ndcg10;
      ok(loss <= 3, `misspelling costs ${loss}`);
    });
  }
} else {
  Deno.test("queries of real MCP servers and APIs find their tools", async () => {
    const { queries, rank } = await openSet(folder, "livemcp", "toolgate");
    const { ndcg10 } = evaluate(queries, rank);
    ok(ndcg10 >= (NDCG_MIN.get("livemcp") ?? 0), `nDCG@10 ${ndcg10}`);
    const rest = await openSet(folder, "restbench", "toolgate");
    ok(evaluate(rest.queries, rest.rank).ndcg10 >= (NDCG_MIN.get("restbench") ?? 0));
  });
}

async function openSet(path: string, set: string, engineName: "toolgate" | "fts5") {
  const tools = await readData<DataTool[]>(path, `search/${set}/tools.json.gz`);
  const queries = await readData<DataQuery[]>(path, `search/${set}/queries.json`);
  const { snapshot, keys } = snapshotOf(tools);
  strictEqual(snapshot.tools.size, tools.length);
  const engine = await createEngine(engineName, snapshot);
  return { queries, rank: (query: string) => engine.rank(query).map((id) => keys.get(id) ?? "") };
}
