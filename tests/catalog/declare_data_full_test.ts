/**
 * Declarations of real catalogs. A sample by default; `TOOLGATE_FULL=1` takes every tool.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { declareTool, declareTools } from "../../src/catalog/declare.ts";
import { parseListing } from "../../src/catalog/parse_listing.ts";
import type { Tool } from "../../src/model/tool.ts";
import { dataFolder, type DataTool, readData } from "../search/data_folder.ts";
import { snapshotOf } from "../search/data_snapshot.ts";
import { parseDocument } from "../../src/upstream/openapi/load_document.ts";
import { readOperations } from "../../src/upstream/openapi/read_operations.ts";
import { listingOf, openFixture } from "./catalog_fixture.ts";
import { diagnose } from "./type_check.ts";

const folder = dataFolder();
const isFull = Deno.env.get("TOOLGATE_FULL") === "1";
const SAMPLE = 150;

if (folder === null) {
  console.log("Not tested here: the folder of public catalogs is absent");
} else {
  for (const set of readdirSync(`${folder}/search`)) {
    if (set === "scale") continue;
    Deno.test(`declareTools() type-checks for the tools of ${set}`, async () => {
      const list = await readData<DataTool[]>(folder, `search/${set}/tools.json.gz`);
      const step = isFull ? 1 : Math.max(1, Math.floor(list.length / SAMPLE));
      const sample = list.filter((_, index) => index % step === 0);
      const tools = [...snapshotOf(sample).snapshot.tools.values()];
      ok(tools.length >= Math.min(list.length, SAMPLE));
      deepStrictEqual(diagnose(declareTools(tools)), []);
      deepStrictEqual(diagnose(wrapped(tools, "signatures")), []);
      deepStrictEqual(diagnose(wrapped(tools, "full")), []);
    });
  }

  Deno.test("an OpenAPI document is catalogued whole and type-checks", async () => {
    const name = "cloudflare-2024-08-07.json.gz";
    const document = await parseDocument(await Deno.readFile(`${folder}/openapi/${name}`), name);
    const { operations } = await readOperations(document, {
      variables: {},
      documentUrl: null,
      baseUrl: null,
    });
    const step = isFull ? 1 : Math.floor(operations.length / SAMPLE);
    const sample = operations.filter((_, index) => index % step === 0);
    const { catalog } = await openFixture({ api: listingOf(...sample) });
    await catalog.refresh();
    const { tools, quarantined } = catalog.snapshot();
    deepStrictEqual(quarantined, []);
    strictEqual(tools.size, sample.length);
    deepStrictEqual(diagnose(declareTools([...tools.values()])), []);
    await catalog.close();
  });

  for (const file of readdirSync(`${folder}/mcp`)) {
    const server = file.replace(".json", "");
    Deno.test(`a real listing of ${server} is catalogued whole and type-checks`, async () => {
      const raw = await readData<{ tools: unknown[] }>(folder, `mcp/${file}`);
      const listing = { title: "", identity: "", resources: [], prompts: [], skipped: [], ...raw };
      deepStrictEqual((await parseListing(server, listing)).quarantined, []);
      const { catalog } = await openFixture({ [server]: listing });
      await catalog.refresh();
      const tools = [...catalog.snapshot().tools.values()];
      ok(tools.length >= raw.tools.length);
      deepStrictEqual(diagnose(declareTools(tools)), []);
      await catalog.close();
    });
  }
}

function wrapped(tools: readonly Tool[], detail: "signatures" | "full"): string {
  const servers = Map.groupBy(tools, (tool) => tool.serverIdentifier);
  const members = [...servers].map(([server, list]) =>
    `${server}: {\n${list.map((tool) => declareTool(tool, { detail })).join("\n")}\n};`
  );
  return `declare const tools: {\n${members.join("\n")}\n};`;
}
