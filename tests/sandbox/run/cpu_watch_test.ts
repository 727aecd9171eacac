import assert from "node:assert/strict";
import { cpuPauseMs, createCpuWatch } from "../../../src/sandbox/run/cpu_watch.ts";

Deno.test("cpuPauseMs() asks more often as the limit comes nearer, within two bounds", () => {
  assert.deepEqual([10_000, 1_000, 400, 40, 0, -5].map(cpuPauseMs), [500, 500, 200, 20, 20, 20]);
});

Deno.test("createCpuWatch() asks again after each answer until the limit is passed", async () => {
  let asked = 0;
  let wake = () => {};
  const watch = createCpuWatch({
    cpuTimeMs: 40,
    ask: () => {
      asked++;
      wake();
    },
  });
  const nextQuestion = () => new Promise<void>((resolve) => wake = resolve);
  await nextQuestion();
  watch.note(40);
  assert.ok(watch.answered());
  await nextQuestion();
  watch.note(41);
  assert.ok(!watch.answered());
  assert.deepEqual([asked, watch.usedMs], [2, 41]);
  watch.close();
});
