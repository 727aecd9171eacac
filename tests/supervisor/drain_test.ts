import assert from "node:assert/strict";
import { createDrain } from "../../src/supervisor/drain.ts";

Deno.test("a drain waits for work that ends in time, and does not abort it", async () => {
  const drain = createDrain();
  const { promise, resolve } = Promise.withResolvers<string>();
  let signal: AbortSignal | null = null;
  const work = drain.track((stopping) => {
    signal = stopping;
    return promise;
  });
  const finished = drain.finish(60_000);
  assert.equal(drain.isDraining(), true);
  resolve("done");
  let wasAborted: boolean | null = null;
  work.then(() => wasAborted = signal!.aborted);
  await finished;
  assert.equal(await work, "done");
  assert.equal(wasAborted, false);
});

Deno.test("a drain aborts work that does not end in time, and waits for its end", async () => {
  const drain = createDrain();
  const order: string[] = [];
  const work = drain.track(async (stopping) => {
    await new Promise((resolve) => stopping.addEventListener("abort", resolve));
    order.push("aborted");
    await Promise.resolve();
    order.push("ended");
  });
  await drain.finish(0);
  order.push("finished");
  await work;
  assert.deepEqual(order, ["aborted", "ended", "finished"]);
});

Deno.test("a service that closes starts no new work and says when to try again", async () => {
  const drain = createDrain();
  let started = 0;
  const start = () => Promise.resolve(++started);
  assert.equal(await drain.track(start), 1);
  await drain.finish(0);
  await assert.rejects(drain.track(start), { code: "ERR_BUSY", retryAfterMs: 5_000 });
  assert.equal(started, 1);
});

Deno.test("work that fails is told to whoever waits for it, and holds up no drain", async () => {
  const drain = createDrain();
  const failing = drain.track(() => Promise.reject(new Error("broken")));
  await drain.finish(60_000);
  await assert.rejects(failing, /broken/);
});
