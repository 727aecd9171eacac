/** What a program is told where the stack ends is so, and everything works afterwards. */
import assert from "node:assert/strict";
import type { Isolation } from "../../src/sandbox/host/host_settings.ts";
import type { SandboxCall } from "../../src/sandbox/run/sandbox_call.ts";
import { callTestTool, runCode, withPool } from "../sandbox/open_pool.ts";
import { FRAME_SIZES, type OutcomeReport, renderOutcomeWalk } from "./reachable_walk.ts";
import { WALK_LIMITS } from "./run_walks.ts";

const LIMITS = { ...WALK_LIMITS, toolCallsMax: 10_000 };
/** Every third size of a frame, from `first` on: the three forms have all of them together. */
const sizesFrom = (first: number) => FRAME_SIZES.filter((size) => size % 3 === first);
const FORMS: readonly { isolation: Isolation; jitless: boolean; sizes: readonly number[] }[] = [
  { isolation: "realm", jitless: false, sizes: sizesFrom(0) },
  { isolation: "worker", jitless: true, sizes: sizesFrom(1) },
  { isolation: "process", jitless: false, sizes: sizesFrom(2) },
];

/** Acts that write lines are programs of their own, for the sake of the limit of lines. */
const CONSOLE = ["log", "logText", "count", "countReset", "timeEnd", "group"];
const NAMES = [
  new RegExp(`^(?!(${CONSOLE.join("|")})$)`),
  ...CONSOLE.map((name) => new RegExp(`^${name}$`)),
];

for (const { isolation, jitless, sizes } of FORMS) {
  const mode = jitless ? "interpreted" : "with machine code";
  Deno.test(`what is refused where the stack ends did not happen at level ${isolation}, ${mode}`, async () => {
    await withPool({ isolation, jitless, limits: LIMITS }, async (pool) => {
      let made = 0;
      const onCall = (call: SandboxCall) => (made++, callTestTool(call));
      const problems: string[] = [];
      for (const names of NAMES) {
        const code = renderOutcomeWalk(sizes, names);
        const { error, resultJson, logs } = await runCode(pool, code, { limits: LIMITS, onCall });
        assert.equal(error, null);
        const report = JSON.parse(resultJson!) as OutcomeReport;
        problems.push(...report.problems);
        assert.ok(report.refused > 0 && report.done > 0);
        const lines = logs.map(({ text }) => text.replace(/: \d+ ms$/, ": N ms"));
        const at = lines.findIndex((line, index) => line !== report.lines[index]);
        if (at >= 0) problems.push(`line ${at} is "${lines[at]}", not "${report.lines[at]}"`);
        if (lines.length !== report.lines.length) {
          problems.push(`${lines.length} lines, not ${report.lines.length}`);
        }
      }
      assert.deepEqual(problems, []);
      assert.ok(made > 100);
      // The next program in the same host.
      const next = await runCode(pool, "return await tools.math.add({ a: 1, b: 2 })");
      assert.equal(next.resultJson, "3");
    });
  });
}
