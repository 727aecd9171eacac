import assert from "node:assert/strict";
import { STAND_BACK } from "../../../src/sandbox/host/host_settings.ts";
import { sizeHost } from "../../../src/sandbox/pool/size_host.ts";
import { createUseRate } from "../../../src/sandbox/pool/use_rate.ts";
import { LIMITS } from "../open_pool.ts";

const OPTIONS = { isolation: "worker", limits: LIMITS } as const;

Deno.test("sizeHost() gives more Workers to a host that is used more, between two bounds", () => {
  const workers = (usesPerMs: number) => sizeHost(OPTIONS, "common", usesPerMs).workers;
  assert.deepEqual([0, 0.002, 0.0041, 0.008, 1].map(workers), [4, 4, 9, 16, 16]);
  assert.equal(sizeHost({ ...OPTIONS, workersPerHost: 2 }, "common", 1).workers, 2);
});

Deno.test("sizeHost() keeps hosts outside the common lane small and last in line", () => {
  for (const lane of ["watched", "slow"] as const) {
    const { workers, niceness } = sizeHost({ ...OPTIONS, workersPerHost: 8 }, lane, 1);
    assert.deepEqual({ workers, niceness }, { workers: 1, niceness: STAND_BACK });
  }
  assert.equal(sizeHost(OPTIONS, "common", 1).niceness, 0);
});

Deno.test("sizeHost() gives one Worker where Workers are not single-use, and the time of one program", () => {
  for (const isolation of ["process", "realm"] as const) {
    assert.equal(sizeHost({ ...OPTIONS, isolation }, "common", 1).workers, 1);
  }
  assert.equal(sizeHost({ ...OPTIONS, isolation: "process" }, "common", 0).cpuSeconds, 3 + 5);
  assert.equal(sizeHost(OPTIONS, "common", 0).cpuSeconds, 3 + 60);
});

Deno.test("sizeHost() interprets programs with the whole kernel layer unless told otherwise", () => {
  const settings = sizeHost(OPTIONS, "common", 0);
  assert.equal(settings.jitless, true);
  assert.deepEqual(Object.values(settings.kernel), [true, true, true, true]);
  assert.equal(sizeHost({ ...OPTIONS, jitless: false }, "common", 0).jitless, false);
  assert.equal(settings.memoryBudgetMb, 128 + 64 + 96);
});

Deno.test("createUseRate() nears the rate at which programs come", () => {
  let now = 0;
  const rate = createUseRate(() => now);
  assert.equal(rate.perMs(), 0);
  for (let count = 0; count < 200; count++) {
    now += 50;
    rate.note();
  }
  assert.ok(Math.abs(rate.perMs() - 0.02) < 1e-5, String(rate.perMs()));
});

Deno.test("createUseRate() takes programs of one moment as one a millisecond", () => {
  const rate = createUseRate(() => 0);
  for (let count = 0; count < 1_000; count++) rate.note();
  assert.ok(rate.perMs() <= 1);
});
