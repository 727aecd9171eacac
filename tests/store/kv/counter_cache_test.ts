import assert from "node:assert/strict";
import { createKvCounterCache } from "../../../src/store/kv/counter_cache.ts";
import { keysOf, withKv } from "./kv_fixture.ts";

Deno.test("a counter is loaded once, also when several ask at the same time", async () => {
  await withKv(async (kv) => {
    await kv.set(["n", "a"], new TextEncoder().encode("[50,7]"));
    const cache = createKvCounterCache(kv);
    const [one, two] = await Promise.all([cache.of("a"), cache.of("a")]);
    assert.equal(one, two);
    assert.equal(await cache.of("a"), one);
    assert.deepEqual([one?.begun, one?.value, one?.expiresAt], [true, 7, 50]);
    assert.equal((await cache.of("new")).begun, false);
  });
});

Deno.test("a counter that could not be read is read again", async () => {
  await withKv(async (kv) => {
    const cache = createKvCounterCache(kv);
    const get = kv.get.bind(kv);
    kv.get = () => Promise.reject(new Error("disk I/O error"));
    await assert.rejects(cache.of("a"), { code: "ERR_STORE" });
    kv.get = get;
    assert.equal((await cache.of("a")).value, 0);
  });
});

Deno.test("the oldest changes ride first, and an expiry's mark moves with it", async () => {
  await withKv(async (kv) => {
    await kv.set(["n", "a"], new TextEncoder().encode("[50,7]"));
    await kv.set(["e", 50, "n", "a"], new Uint8Array(0));
    const cache = createKvCounterCache(kv);
    for (const key of ["a", "b"]) {
      const counter = await cache.of(key);
      counter.expiresAt = 90;
      cache.touch(key, counter);
    }
    const operation = kv.atomic();
    const settle = cache.ride(operation, 1);
    assert.deepEqual([...cache.changed], ["b"]);
    settle((await operation.commit()).ok);
    assert.deepEqual([...cache.changed], ["b"]);
    assert.deepEqual(await keysOf(kv), [["e", 90, "n", "a"], ["n", "a"]]);
  });
});

Deno.test("expired counters are forgotten once they are written, not before", async () => {
  await withKv(async (kv) => {
    const cache = createKvCounterCache(kv);
    const counter = await cache.of("a");
    counter.expiresAt = 10;
    cache.touch("a", counter);
    cache.forgetExpired(10);
    assert.equal(await cache.of("a"), counter);
    const operation = kv.atomic();
    cache.ride(operation, 1)((await operation.commit()).ok);
    cache.forgetExpired(9);
    assert.equal(await cache.of("a"), counter);
    cache.forgetExpired(10);
    assert.notEqual(await cache.of("a"), counter);
  });
});
