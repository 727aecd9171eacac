import assert from "node:assert/strict";
import { pause } from "../../src/model/time/pause.ts";

Deno.test("pause() waits its time, and says that it was not cut short", async () => {
  const startedAt = performance.now();
  // A pause alone does not keep the process alive.
  const other = new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(await pause(20, new AbortController().signal), true);
  assert.ok(performance.now() - startedAt >= 15);
  await other;
});

Deno.test("pause() ends at once with its signal, and does not begin after it", async () => {
  const stop = new AbortController();
  const waiting = pause(3_600_000, stop.signal);
  stop.abort();
  assert.equal(await waiting, false);
  assert.equal(await pause(3_600_000, stop.signal), false);
});
