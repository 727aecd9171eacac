import assert from "node:assert/strict";
import { createStrayErrors } from "../../src/http/server/stray_errors.ts";

function fixture() {
  const logged: { readonly cause: string; readonly notLoggedBefore?: number }[] = [];
  const counted: string[] = [];
  const clock = { now: Date.parse("2026-05-01T00:00:00Z") };
  const stray = createStrayErrors({
    log: (_level, _message, fields) => logged.push(fields as unknown as typeof logged[number]),
    now: () => clock.now,
    mask: (text) => text.replaceAll("s3cret-value", "***"),
    count: (origin) => counted.push(origin),
  });
  return { logged, counted, clock, stray };
}

Deno.test("a stray error is logged with its stack and without secrets, counted and dated", () => {
  const { logged, counted, stray } = fixture();
  assert.deepEqual(stray.status(), { count: 0, lastAt: null });
  stray.note("promise", new Error("with s3cret-value", { cause: new Error("inner") }));
  assert.match(logged[0]?.cause ?? "", /^Error: with \*\*\*\n +at /);
  assert.match(logged[0]?.cause ?? "", /Caused by: Error: inner$/);
  assert.deepEqual(counted, ["promise"]);
  assert.deepEqual(stray.status(), { count: 1, lastAt: "2026-05-01T00:00:00.000Z" });
});

Deno.test("a storm of stray errors is counted whole and logged in part", () => {
  const { logged, counted, clock, stray } = fixture();
  for (let n = 0; n < 5_000; n++) stray.note("exception", `storm ${n}`);
  assert.equal(logged.length, 10);
  assert.equal(counted.length, 5_000);
  clock.now += 60_000;
  stray.note("exception", "after");
  assert.deepEqual(logged.at(-1), {
    origin: "exception",
    cause: "after",
    notLoggedBefore: 4_990,
  });
  assert.equal(stray.status().count, 5_001);
});

Deno.test("whatever is thrown can be noted", () => {
  const { logged, stray } = fixture();
  const odd = {
    toString() {
      throw new Error("never");
    },
  };
  for (const thrown of [undefined, null, Symbol("s"), odd, Object.create(null)]) {
    stray.note("promise", thrown);
  }
  assert.equal(logged.length, 5);
});
