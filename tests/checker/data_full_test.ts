/**
 * Calls with arguments that the schemas of real catalogs allow raise no finding. A sample by default;
 * `TOOLGATE_FULL=1` takes every tool.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { declareTools } from "../../src/catalog/declare.ts";
import { createCheckService } from "../../src/checker/process/checker_service.ts";
import type { Tool } from "../../src/model/tool.ts";
import { dataFolder, type DataTool, readData } from "../search/data_folder.ts";
import { snapshotOf } from "../search/data_snapshot.ts";
import { sampleOf } from "./sample_arguments.ts";

const TOOLS_PER_PROGRAM = 10;
const SAMPLE = Deno.env.get("TOOLGATE_FULL") === "1" ? Infinity : 150;
const folder = dataFolder();
const service = createCheckService();

/** Calls each tool with the least and with all it takes. */
function findingsOf(tools: readonly Tool[]): string[] {
  const lines = tools.flatMap((tool) =>
    [false, true].map((optional) => {
      const args = JSON.stringify(sampleOf(tool.inputSchema, optional));
      return `await tools.${tool.id}(${args});`;
    })
  );
  return service.check(lines.join("\n"), declareTools(tools)).map(({ line, message }) =>
    `${message} in ${lines[line - 1]}`
  );
}

if (folder === null) {
  console.log("Not tested here: the folder of public catalogs is absent");
} else {
  for (const set of readdirSync(`${folder}/search`).filter((name) => name !== "scale")) {
    Deno.test(`check() has nothing against calls that the schemas of ${set} allow`, async () => {
      const list = await readData<DataTool[]>(folder, `search/${set}/tools.json.gz`);
      const step = Math.max(1, Math.floor(list.length / SAMPLE));
      const sample = list.filter((_, index) => index % step === 0);
      const tools = [...snapshotOf(sample).snapshot.tools.values()];
      ok(tools.length > 0);
      const found: string[] = [];
      for (let from = 0; from < tools.length; from += TOOLS_PER_PROGRAM) {
        found.push(...findingsOf(tools.slice(from, from + TOOLS_PER_PROGRAM)));
      }
      deepStrictEqual(found, []);
    });
  }
}
