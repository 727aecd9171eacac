import assert from "node:assert/strict";
import { createKvCounters } from "../../../src/store/kv/counters.ts";
import { keysOf, withKv } from "./kv_fixture.ts";

/** The sums that are stored, by key. */
async function storedSums(kv: Deno.Kv): Promise<{ [key: string]: number }> {
  const rows = await Array.fromAsync(kv.list<Uint8Array>({ prefix: ["n"] }));
  return Object.fromEntries(
    rows.map(({ key, value }) => [key[1], JSON.parse(new TextDecoder().decode(value))[1]]),
  );
}

Deno.test("a sum never passes its bound, however many add at once", async () => {
  await withKv(async (kv) => {
    const counters = createKvCounters({ kv, now: () => 0 });
    const adds = Array.from({ length: 30 }, () => counters.add("a", 1, { max: 10 }));
    const answers = await Promise.all(adds);
    assert.equal(answers.filter(({ ok }) => ok).length, 10);
    assert.deepEqual(await counters.add("a", 1, { max: 10 }), { ok: false, value: 10 });
    await counters.close();
    assert.deepEqual(await storedSums(kv), { a: 10 });
  });
});

Deno.test("a window begins with its first sum, and ends after its time", async () => {
  await withKv(async (kv) => {
    let now = 1_000;
    const counters = createKvCounters({ kv, now: () => now });
    await counters.add("a", 3, { ttlMs: 10 });
    now = 1_009;
    assert.equal((await counters.add("a", 1, { ttlMs: 10 })).value, 4);
    now = 1_010;
    assert.equal((await counters.add("a", 1, { ttlMs: 10 })).value, 1);
    await counters.close();
    assert.deepEqual((await keysOf(kv)).filter(([kind]) => kind === "e"), [["e", 1_020, "n", "a"]]);
  });
});

Deno.test("what rode in a commit that failed is written by the next one", async () => {
  await withKv(async (kv) => {
    const counters = createKvCounters({ kv, now: () => 0 });
    await counters.add("a", 1);
    counters.ride(kv.atomic())(false);
    await counters.add("b", 2);
    const operation = kv.atomic();
    const settle = counters.ride(operation);
    settle((await operation.commit()).ok);
    assert.deepEqual(await storedSums(kv), { a: 1, b: 2 });
    await counters.close();
  });
});

Deno.test("a change during a commit is not taken for written", async () => {
  await withKv(async (kv) => {
    const counters = createKvCounters({ kv, now: () => 0 });
    await counters.add("a", 1);
    const operation = kv.atomic();
    const settle = counters.ride(operation);
    await counters.add("a", 1);
    settle((await operation.commit()).ok);
    assert.deepEqual(await storedSums(kv), { a: 1 });
    await counters.close();
    assert.deepEqual(await storedSums(kv), { a: 2 });
  });
});

Deno.test("spill() leaves no more than one commit can carry along", async () => {
  await withKv(async (kv) => {
    const counters = createKvCounters({ kv, now: () => 0 });
    await Promise.all(Array.from({ length: 100 }, (_, n) => counters.add(`c${n}`, 1)));
    await counters.spill();
    const spilled = Object.keys(await storedSums(kv)).length;
    assert.ok(spilled >= 60, `${spilled}`);
    const operation = kv.atomic();
    counters.ride(operation)((await operation.commit()).ok);
    assert.equal(Object.keys(await storedSums(kv)).length, 100);
    await counters.close();
  });
});

Deno.test("a sum that nobody carries along is written soon, and goes on from there after a start", async () => {
  await withKv(async (kv) => {
    const counters = createKvCounters({ kv, now: () => 0 });
    const watched = kv.watch<[Uint8Array]>([["n", "a"]]).getReader();
    await watched.read(); // as it is now
    await counters.add("a", 5);
    await watched.read();
    await watched.cancel();
    assert.deepEqual(await storedSums(kv), { a: 5 });
    await counters.close();
    const next = createKvCounters({ kv, now: () => 0 });
    assert.deepEqual(await next.add("a", 6, { max: 10 }), { ok: false, value: 5 });
    await next.close();
  });
});
