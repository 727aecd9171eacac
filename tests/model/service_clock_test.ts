import assert from "node:assert/strict";
import { createServiceClock, describeJump } from "../../src/model/time/service_clock.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2026-12-01T12:00:00Z");

function machine(floorMs = 0) {
  const time = { wall: START_MS, monotonic: 1_000 };
  const told: string[] = [];
  const clock = createServiceClock({
    wall: () => time.wall,
    monotonic: () => time.monotonic,
    floorMs,
    onJump: (byMs, status) => told.push(describeJump(byMs, status)),
  });
  const pass = (ms: number): number => {
    time.wall += ms;
    time.monotonic += ms;
    return clock.now();
  };
  return { clock, told, pass, set: (byMs: number) => time.wall += byMs };
}

Deno.test("createServiceClock() is the machine's clock while that goes on", async () => {
  const { clock, told, pass } = machine();
  assert.equal(clock.now(), START_MS);
  assert.equal(pass(10 * HOUR_MS), START_MS + 10 * HOUR_MS);
  assert.deepEqual(told, []);
  assert.deepEqual(clock.status(), { aheadMs: 0, jumps: 0, lastJump: null });
  await clock.close();
});

Deno.test("createServiceClock() never goes back, goes on at half speed, and is caught up with", async () => {
  const { clock, told, pass, set } = machine();
  set(-HOUR_MS);
  const times = Array.from({ length: 100 }, () => pass(60_000));
  assert.ok(times.every((time, index) => time > (times[index - 1] ?? START_MS)));
  assert.equal(times[0], START_MS + 30_000);
  assert.deepEqual(told, [
    "The machine's clock is 60 min behind the time before; the service's time is ahead by 60 min " +
    "and goes at half speed until it has caught up",
  ]);
  assert.equal(clock.status().aheadMs, 10 * 60_000);
  pass(HOUR_MS);
  assert.equal(clock.now(), START_MS - HOUR_MS + 100 * 60_000 + HOUR_MS);
  assert.deepEqual(clock.status(), {
    aheadMs: 0,
    jumps: 1,
    lastJump: { at: "2026-12-01T11:01:00.000Z", byMs: -HOUR_MS },
  });
  await clock.close();
});

Deno.test("createServiceClock() follows forward at once and tells each jump once", async () => {
  const { clock, told, pass, set } = machine();
  set(24 * HOUR_MS);
  assert.equal(pass(1_000), START_MS + 24 * HOUR_MS + 1_000);
  pass(1_000);
  assert.deepEqual(told, ["The machine's clock went forward by 24 h, or the machine slept"]);
  set(-24 * HOUR_MS);
  pass(1_000);
  assert.equal(told.length, 2);
  // What the network's time does every day is not a jump.
  set(-1_500);
  pass(1_000);
  assert.equal(told.length, 2);
  await clock.close();
});

Deno.test("createServiceClock() begins not before the newest record of an earlier start", async () => {
  const { clock, told } = machine(START_MS + HOUR_MS);
  assert.equal(clock.now(), START_MS + HOUR_MS);
  assert.equal(told.length, 1);
  assert.equal(clock.status().lastJump?.byMs, -HOUR_MS);
  await clock.close();
});
