/**
 * Tasks and schemas of public benchmarks, which nobody here wrote, as programs over the whole service: every
 * result is the recorded one, every write arrives once, and the check has nothing against any of them.
 *
 * All of them at level `realm`; at the others, whose programs cost ten times as much, a sample by default and
 * all with `TOOLGATE_FULL=1`, as with `deno task bench tasks`.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { dataFolder } from "../search/data_folder.ts";
import { type Isolation, runSchemas, runTasks } from "./run_tasks.ts";
import { readBfcl, readTauBench, readWorkBench } from "./task_sets.ts";

/** Every which task of a set is taken. */
const LEVELS: readonly (readonly [Isolation, number])[] = [
  ["process", 7],
  ["worker", 7],
  ["realm", 1],
];
const isWhole = Deno.env.get("TOOLGATE_FULL") === "1";
const UNCHECKED_PART_MAX = 0.05;
/** Gold arguments that break their own schema. */
const FAULTY_PART_MAX = 0.02;
const folder = dataFolder();

if (folder === null) {
  console.log("Not tested here: the folder of public tasks is absent");
} else {
  for (const [isolation, step] of LEVELS) {
    for (const read of [readTauBench, readWorkBench]) {
      Deno.test(`${read.name.replace(/^read/, "")} gives the recorded results at level ${isolation}`, async () => {
        const set = await read(folder);
        const tasks = set.tasks.filter((_, index) => isWhole || index % step === 0);
        const report = await runTasks({ ...set, tasks }, isolation);
        deepStrictEqual(report.failures, []);
        ok(report.tasks > 0 && report.calls > 0);
        deepStrictEqual([report.equal, report.warnings], [report.tasks, 0]);
        ok(report.unchecked <= Math.ceil(report.tasks * UNCHECKED_PART_MAX));
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
