import { deepStrictEqual, fail, ok, strictEqual } from "node:assert/strict";
import { createDiscoveryJobs } from "../../src/catalog/discovery_jobs.ts";

Deno.test("run() lists once more for all calls that come while a server is listed", async () => {
  let listings = 0;
  const gate = Promise.withResolvers<void>();
  const jobs = createDiscoveryJobs({
    onError: (_server, error) => fail(`${error}`),
    list: async () => {
      listings++;
      await gate.promise;
      return true;
    },
    everyMs: 60_000,
    now: Date.now,
  });
  const calls = [jobs.run("a"), jobs.run("a"), jobs.run("a"), jobs.run("a")];
  gate.resolve();
  await Promise.all(calls);
  strictEqual(listings, 2);
  await jobs.close();
});

Deno.test("run() slows down a server that gives notice without end", async () => {
  let listings = 0;
  const jobs = createDiscoveryJobs({
    onError: (_server, error) => fail(`${error}`),
    list: () => Promise.resolve(++listings > 0),
    everyMs: 60_000,
    now: () => 0,
  });
  for (let notice = 0; notice < 10; notice++) await jobs.run("a");
  strictEqual(listings, 10);
  const late = jobs.run("a");
  await jobs.run("b");
  strictEqual(listings, 11, "another server is not slowed down");
  await jobs.close();
  await late;
  strictEqual(listings, 11);
});

Deno.test("schedule() lists at once what is due, and what is not at its time", async () => {
  const listed: string[] = [];
  const both = Promise.withResolvers<void>();
  const jobs = createDiscoveryJobs({
    onError: (_server, error) => fail(`${error}`),
    list: (server) => {
      listed.push(server);
      if (listed.length === 2) both.resolve();
      return Promise.resolve(true);
    },
    everyMs: 60_000,
    now: () => 100_000,
  });
  jobs.schedule("later", 99_999);
  jobs.schedule("soon", 40_010);
  jobs.schedule("due", 10_000);
  // Timers that do not keep the process alive need something that does.
  const keeper = setTimeout(() => both.reject(new Error("Nothing was listed")), 5_000);
  await both.promise;
  clearTimeout(keeper);
  deepStrictEqual(listed, ["due", "soon"]);
  await jobs.close();
});

Deno.test("a listing that failed is tried again, later each time", async () => {
  const times: number[] = [];
  let now = 0;
  const third = Promise.withResolvers<void>();
  const realSetTimeout = globalThis.setTimeout;
  const waits: number[] = [];
  const jobs = createDiscoveryJobs({
    onError: (_server, error) => fail(`${error}`),
    list: () => {
      times.push(now);
      if (times.length === 3) third.resolve();
      return Promise.resolve(false);
    },
    everyMs: 60_000,
    now: () => now,
  });
  globalThis.setTimeout = ((handler: () => void, ms: number) => {
    waits.push(ms);
    return realSetTimeout(() => {
      now += ms;
      handler();
    }, 0);
  }) as typeof setTimeout;
  try {
    await jobs.run("a");
    const keeper = realSetTimeout(() => third.reject(new Error("Not tried again")), 5_000);
    await third.promise;
    clearTimeout(keeper);
  } finally {
    globalThis.setTimeout = realSetTimeout;
  }
  await jobs.close();
  ok(waits.length >= 2);
  deepStrictEqual(waits.slice(0, 2), [5_000, 10_000]);
});
