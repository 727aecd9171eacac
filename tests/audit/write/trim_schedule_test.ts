import assert from "node:assert/strict";
import { startTrimSchedule } from "../../../src/audit/write/trim_schedule.ts";

Deno.test("trim() runs one at a time, and its failure is its caller's alone", async () => {
  const events: string[] = [];
  const answers = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  const schedule = startTrimSchedule({
    async trim() {
      const answer = answers[events.filter((event) => event === "begin").length];
      events.push("begin");
      return await answer?.promise.finally(() => events.push("end")) ?? 0;
    },
    firstTrimMs: 3_600_000,
    trimEveryMs: 3_600_000,
    onError: () => assert.fail("no trim of the schedule"),
  });
  const first = assert.rejects(schedule.trim(), /disk/);
  const second = schedule.trim();
  answers[1]?.resolve(3);
  answers[0]?.reject(new Error("disk"));
  await first;
  assert.equal(await second, 3);
  assert.deepEqual(events, ["begin", "end", "begin", "end"]);
  await schedule.close();
});

Deno.test("the schedule trims again and again, tells failures, until it is closed", async () => {
  const twice = Promise.withResolvers<void>();
  const errors: unknown[] = [];
  let count = 0;
  const schedule = startTrimSchedule({
    trim() {
      if (++count === 2) twice.resolve();
      return count === 1 ? Promise.reject(new Error("disk")) : Promise.resolve(0);
    },
    firstTrimMs: 1,
    trimEveryMs: 1,
    onError: (error) => errors.push(error),
  });
  // Its timers keep no process alive, so the test has one of its own.
  const alive = setTimeout(() => twice.reject(new Error("no second trim within 10 s")), 10_000);
  await twice.promise;
  clearTimeout(alive);
  await schedule.close();
  assert.match(`${errors}`, /^Error: disk$/);
});
