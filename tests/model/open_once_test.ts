import assert from "node:assert/strict";
import { openOnce } from "../../src/model/time/open_once.ts";

Deno.test("openOnce() opens at the first use, and once for all who wait", async () => {
  let opened = 0;
  const door = openOnce(() => Promise.resolve(++opened));
  assert.equal(opened, 0);
  assert.deepEqual(await Promise.all([door.get(), door.get()]), [1, 1]);
  assert.equal(await door.get(), 1);
});

Deno.test("openOnce() tries again after a failure, and tells each who waited for it", async () => {
  let tries = 0;
  const door = openOnce(async () => {
    tries++;
    await Promise.resolve();
    if (tries === 1) throw new Error("not yet");
    return "open";
  });
  const results = await Promise.allSettled([door.get(), door.get()]);
  assert.deepEqual(results.map(({ status }) => status), ["rejected", "rejected"]);
  assert.equal(door.current(), null);
  assert.equal(await door.get(), "open");
  assert.equal(tries, 2);
});

Deno.test("openOnce() knows what is open now, even if it is a false value", async () => {
  const door = openOnce(() => Promise.resolve(0));
  assert.equal(door.current(), null);
  const opening = door.get();
  assert.equal(door.current(), null);
  await opening;
  assert.equal(door.current(), 0);
});

Deno.test("settled() waits for an opening that runs, and never opens or fails", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  let opened = 0;
  const door = openOnce(() => {
    opened++;
    return promise;
  });
  assert.equal(await door.settled(), null);
  assert.equal(opened, 0);
  const opening = door.get();
  const settled = door.settled();
  resolve("open");
  assert.equal(await settled, "open");
  assert.equal(await opening, "open");

  const broken = openOnce(() => Promise.reject(new Error("broken")));
  const failed = broken.get();
  assert.equal(await broken.settled(), null);
  await assert.rejects(failed, /broken/);
});
