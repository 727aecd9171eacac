/**
 * Tasks over a real catalog of 2,589 operations: the answer of one search is all that a program needs
 * to be written and checked.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import { createSearchIndex } from "../../src/search/search_index.ts";
import { estimateTokens } from "../../src/usage/tokens.ts";
import { diagnose } from "../catalog/type_check.ts";
import { dataFolder, type DataTool, readData } from "./data_folder.ts";
import { snapshotOf } from "./data_snapshot.ts";
import { SEARCH_CONFIG } from "./search_fixture.ts";

const TASKS: readonly (readonly [query: string, program: string])[] = [
  [
    "list zones",
    `const zones = await tools.cloudflare.zones_list({ status: "active", per_page: 50 });
    export const names: string[] = zones.map((zone) => zone.id);`,
  ],
  [
    "create a dns record",
    `await tools.cloudflare.dns_records_create({
      params: { zone_id: "z", name: "www.example.com", ttl: 300, type: "A", content: "192.0.2.1" },
    });`,
  ],
  [
    "purge cached files of a zone",
    `await tools.cloudflare.cache_purge({ params: { zone_id: "z", files: ["https://a.example/"] } });`,
  ],
  [
    "list kv namespaces",
    `const all = await tools.cloudflare.kv_namespaces_list({ account_id: "a", order: "title" });
    export const titles: string[] = all.map(({ title }) => title);`,
  ],
  [
    "write a value to a key of a kv namespace",
    `await tools.cloudflare.kv_namespaces_values_update({
      account_id: "a", namespace_id: "n", keyName: "k", value: "v",
    });`,
  ],
  [
    "list r2 buckets",
    `const { buckets } = await tools.cloudflare.r2_buckets_list({ account_id: "a" });
    export const old = buckets?.filter(({ creation_date }) => creation_date! < "2026");`,
  ],
  [
    "create a queue",
    `const queue = await tools.cloudflare.queues_create({ account_id: "a", queue_name: "q" });
    export const consumers: number | undefined = queue.consumers_total_count;`,
  ],
  [
    "delete a worker script",
    `await tools.cloudflare.workers_scripts_delete({ account_id: "a", scriptName: "s", force: true });`,
  ],
  [
    "deployments of a pages project",
    `const list = await tools.cloudflare.pages_projects_deployments_list({
      account_id: "a", projectName: "p", env: "production",
    });
    export const first: string | undefined = list[0]?.created_on;`,
  ],
  [
    "firewall access rules that block an address",
    `const rules = await tools.cloudflare.firewall_accessRules_list({ zone_id: "z", mode: "block" });
    export const ids: string[] = rules.map((rule) => rule.id);`,
  ],
];

const folder = dataFolder();
if (folder === null) {
  console.log("Not tested here: the folder of public catalogs is absent");
} else {
  Deno.test("the answer of one search is enough for a program that type-checks", async () => {
    const list = await readData<DataTool[]>(folder, "search/cloudflare/tools.json.gz");
    const { snapshot } = snapshotOf(list);
    const index = createSearchIndex({ snapshot: () => snapshot, config: SEARCH_CONFIG });
    const tokens: number[] = [];
    for (const [query, program] of TASKS) {
      const { declarations } = await index.search({ query }, (tool) => ({
        access: tool.http?.method === "GET" ? "read" : "write",
        effect: "allow",
      }));
      deepStrictEqual(diagnose(declarations, program), [], query);
      tokens.push(estimateTokens(declarations));
    }
    const mean = tokens.reduce((sum, count) => sum + count, 0) / tokens.length;
    ok(mean < 1_400 && Math.max(...tokens) <= SEARCH_CONFIG.tokensMax, `${tokens}`);
  });
}
