/**
 * Public benchmarks: runs tasks of tau-bench and WorkBench and schemas of BFCL from the data folder
 * (`TOOLGATE_DATA`, else `../shared/data`) on the whole service at each level of isolation. A task
 * counts if its results match the recorded ones, each call was made once, and the check gave no
 * warning.
 *
 * Run: deno run -A bench/tasks_bench.ts [process|worker|realm]
 */
import { dataFolder } from "../tests/search/data_folder.ts";
import { type Isolation, runSchemas, runTasks } from "../tests/tasks/run_tasks.ts";
import { readBfcl, readTauBench, readWorkBench } from "../tests/tasks/task_sets.ts";

const LEVELS: readonly Isolation[] = ["process", "worker", "realm"];
const [wanted] = Deno.args;
const levels = LEVELS.filter((level) => wanted === undefined || wanted === level);
const folder = dataFolder();
if (folder === null) {
  console.error("There is no data folder: set TOOLGATE_DATA, or put one at ../shared/data");
  Deno.exit(2);
}

let failures = 0;
console.log("set        level     tasks equal   calls warnings unchecked  s");
for (const read of [readTauBench, readWorkBench]) {
  const set = await read(folder);
  for (const level of levels) {
    const start = performance.now();
    const report = await runTasks(set, level);
    const { equal, tasks, calls, warnings, unchecked } = report;
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    const counts = `${equal} of ${tasks}`.padEnd(13);
    console.log(
      `${set.name.padEnd(10)} ${level.padEnd(9)} ${counts} ${String(calls).padStart(5)} ` +
        `${String(warnings).padStart(8)} ${String(unchecked).padStart(9)}  ${seconds}`,
    );
    for (const line of report.failures) console.log(`  ${line}`);
    failures += tasks - equal;
  }
}
const { schemas, listed, accepted, refused, flagged } = await runSchemas(await readBfcl(folder));
console.log(
  `BFCL: ${listed} of ${schemas} schemas listed, ${accepted} calls accepted; the check flags ` +
    `${flagged.length} of the ${refused.length} that the gate refuses:`,
);
const known = new Set(flagged);
for (const { id, message } of refused) {
  console.log(`  ${known.has(id) ? "flagged" : "MISSED "} ${id}: ${message}`);
}
const falseAlarms = flagged.filter((id) => !refused.some((entry) => entry.id === id));
for (const id of falseAlarms) console.log(`  FALSE ALARM ${id}`);
Deno.exit(failures === 0 && falseAlarms.length === 0 && known.size === refused.length ? 0 : 1);
