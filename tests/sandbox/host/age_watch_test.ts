import assert from "node:assert/strict";
import { createAgeWatch } from "../../../src/sandbox/host/age_watch.ts";
import { createCpuMeter } from "../../../src/sandbox/host/cpu_meter.ts";

Deno.test("createAgeWatch() lets others go first once a program has computed for half a second", async () => {
  const counts = [499_999, 500_000];
  const { promise, resolve } = Promise.withResolvers<void>();
  const age = createAgeWatch({
    usedMicros: () => counts.shift() ?? 0,
    standBack: () => {
      resolve();
      return true;
    },
  });
  age.start();
  assert.ok(!age.isAged);
  await promise;
  assert.ok(age.isAged);
  assert.deepEqual(counts, []);
  // Nothing is left to watch, so no timer is left either.
  age.start();
});

Deno.test("createAgeWatch() watches nothing after stop()", () => {
  const age = createAgeWatch({ usedMicros: () => 1e9, standBack: () => true });
  age.start();
  age.stop();
  assert.ok(!age.isAged);
});

Deno.test("createCpuMeter() counts from its last start, or from the start of the process", () => {
  const meter = createCpuMeter();
  const all = meter.usedMicros();
  meter.restart();
  assert.ok(meter.usedMicros() < all);
  meter.reset();
  assert.ok(meter.usedMicros() >= all);
});
