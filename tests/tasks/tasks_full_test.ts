/**
 * Tasks and schemas of public benchmarks, which nobody here wrote, as programs over the whole service: every
 * result is the recorded one, every write arrives once, and the check has nothing against any of them.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { dataFolder } from "../search/data_folder.ts";
import { type Isolation, runSchemas, runTasks } from "./run_tasks.ts";
import { readBfcl, readTauBench, readWorkBench } from "./task_sets.ts";

const LEVELS: readonly Isolation[] = ["process", "worker", "realm"];
/** Gold arguments that break their own schema. */
const FAULTY_PART_MAX = 0.02;
const folder = dataFolder();

if (folder === null) {
  console.log("Not tested here: the folder of public tasks is absent");
} else {
  for (const isolation of LEVELS) {
    for (const read of [readTauBench, readWorkBench]) {
      Deno.test(`${read.name} gives the recorded results at level ${isolation}`, async () => {
        const report = await runTasks(await read(folder), isolation);
        deepStrictEqual(report.failures, []);
        ok(report.tasks > 0 && report.calls > 0);
        deepStrictEqual([report.equal, report.warnings], [report.tasks, 0]);
      });
    }
  }

  Deno.test("every schema of BFCL lists and takes its call, and the check flags what the gate refuses", async () => {
    const { schemas, listed, accepted, refused, flagged } = await runSchemas(
      await readBfcl(folder),
    );
    strictEqual(listed, schemas);
    strictEqual(accepted + refused.length, schemas);
    ok(refused.length <= schemas * FAULTY_PART_MAX, JSON.stringify(refused));
    deepStrictEqual(flagged.toSorted(), refused.map(({ id }) => id).toSorted());
  });
}
