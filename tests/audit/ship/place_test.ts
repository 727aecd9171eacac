import assert from "node:assert/strict";
import {
  advanceCursor,
  firstUnshipped,
  readCursor,
  readPlan,
  releaseLease,
  type ShipConfig,
  sinkId,
  takeLease,
  writePlan,
} from "../../../src/audit/ship/place.ts";
import type { Json } from "../../../src/model/json/json.ts";
import { keyOf } from "../../../src/store/keys.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";

const sinkTo = (to: string) => ({ to, format: "jsonl" }) as ShipConfig[number];

Deno.test("advanceCursor() moves one chain's cursor, and keeps the batches that come next", async () => {
  const store = createMemoryStore();
  await writePlan(store, "id", "a", { first: 0, ends: [3, 7] });
  await advanceCursor(store, { id: "id", chain: "a" }, { next: 4, rest: [7] });
  await advanceCursor(store, { id: "id", chain: "b" }, { next: 2, rest: [] });
  assert.deepEqual({ ...await readCursor(store, "id") }, { a: 4, b: 2 });
  assert.deepEqual(await readPlan(store, "id", "a"), { first: 4, ends: [7] });
  await advanceCursor(store, { id: "id", chain: "a" }, { next: 8, rest: [] });
  assert.equal(await readPlan(store, "id", "a"), null);
  assert.deepEqual({ ...await readCursor(store, "id") }, { a: 8, b: 2 });
});

Deno.test("what cannot be a cursor or a plan is as if nothing had been shipped", async () => {
  const store = createMemoryStore();
  for (const value of ["text", 5, { a: "4" }, []]) {
    await store.put([{ key: keyOf.auditCursor("id"), value }]);
    assert.deepEqual({ ...await readCursor(store, "id") }, {});
  }
  const plans: Json[] = [
    "text",
    {},
    { first: 1, ends: [] },
    { first: 1, ends: ["2"] },
    { first: "1", ends: [2] },
  ];
  for (const value of plans) {
    await store.put([{ key: keyOf.auditShipPlan("id", "a"), value }]);
    assert.equal(await readPlan(store, "id", "a"), null);
  }
});

Deno.test("firstUnshipped() is what the sink that is furthest behind has not got", async () => {
  const store = createMemoryStore();
  const [one, two] = [sinkTo("https://one"), sinkTo("https://two")];
  await advanceCursor(store, { id: sinkId(one), chain: "a" }, { next: 9, rest: [] });
  await advanceCursor(store, { id: sinkId(two), chain: "a" }, { next: 5, rest: [] });
  assert.equal(await firstUnshipped(store, [one, two], "a"), 5);
  assert.equal(await firstUnshipped(store, [one], "a"), 9);
  assert.equal(await firstUnshipped(store, [one, two], "b"), 0);
  assert.equal(await firstUnshipped(store, [one, sinkTo("https://new")], "a"), 0);
  assert.equal(await firstUnshipped(store, [], "a"), Infinity);
});

Deno.test("takeLease() gives a sink to one replica, until it gives it back or a minute has passed", async () => {
  const clock = { now: 0 };
  const store = createMemoryStore(() => clock.now);
  assert.equal(await takeLease(store, "id", "one"), true);
  assert.equal(await takeLease(store, "id", "two"), false);
  assert.equal(await takeLease(store, "id", "one"), true, "its holder takes it on");
  await releaseLease(store, "id", "two");
  assert.equal(await takeLease(store, "id", "two"), false);
  await releaseLease(store, "id", "one");
  assert.equal(await takeLease(store, "id", "two"), true);
  clock.now = 59_999;
  assert.equal(await takeLease(store, "id", "one"), false);
  clock.now = 60_001;
  assert.equal(await takeLease(store, "id", "one"), true);
});
