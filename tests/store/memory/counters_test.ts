import assert from "node:assert/strict";
import { createMemoryCounters } from "../../../src/store/memory/counters.ts";

Deno.test("a refused sum changes nothing, and a window ends with its time", async () => {
  let now = 0;
  const counters = createMemoryCounters(() => now);
  assert.deepEqual(await counters.add("a", 7, { max: 10, ttlMs: 10 }), { ok: true, value: 7 });
  assert.deepEqual(await counters.add("a", 4, { max: 10 }), { ok: false, value: 7 });
  assert.deepEqual(await counters.add("a", 3, { max: 10 }), { ok: true, value: 10 });
  now = 10;
  counters.removeExpired();
  assert.deepEqual(await counters.add("a", 1), { ok: true, value: 1 });
  await assert.rejects(counters.add("é", 1), RangeError);
});
