import assert from "node:assert/strict";
import { createUsageCache } from "../../src/console/usage_cache.ts";
import type { UsageForm } from "../../src/console/usage_form.ts";
import type { Usage } from "../../src/usage/kpi.ts";
import { openBrowser } from "./console_browser.ts";
import { consoleFixture, PEOPLE, usageRow } from "./console_fixture.ts";

const WEEK: UsageForm = { period: "7d", by: "principal" };
const NOON = Date.parse("2026-05-18T12:00:00Z");

function reportOf(size: number): Usage {
  return { total: usageRow("total", size), rows: [], days: [], tasksAreCut: false };
}

/** A count that ends when the test says so. */
function openCounter() {
  const clock = { now: NOON };
  const asked: string[] = [];
  const waiting: PromiseWithResolvers<Usage>[] = [];
  const cache = createUsageCache({
    now: () => clock.now,
    patienceMs: 5,
    usage(question) {
      asked.push(question.by);
      const count = Promise.withResolvers<Usage>();
      waiting.push(count);
      return count.promise;
    },
  });
  return { cache, clock, asked, waiting };
}

Deno.test("a page does not wait for a long count, and the count is made once", async () => {
  const { cache, asked, waiting } = openCounter();
  assert.equal(await cache.peek(WEEK), null);
  assert.equal(await cache.peek(WEEK), null);
  const whole = cache.get(WEEK);
  waiting[0]?.resolve(reportOf(3));
  assert.equal((await whole).report.total.calls, 183);
  assert.equal((await cache.peek(WEEK))?.report.total.calls, 183);
  assert.deepEqual(asked, ["principal"]);
});

Deno.test("a report is shown for a minute, then while the next is counted", async () => {
  const { cache, clock, asked, waiting } = openCounter();
  const first = cache.get(WEEK);
  await Promise.resolve();
  waiting[0]?.resolve(reportOf(1));
  await first;
  clock.now = NOON + 59_999;
  assert.equal((await cache.peek(WEEK))?.asOfMs, NOON);
  assert.equal(asked.length, 1);
  clock.now = NOON + 60_000;
  assert.equal((await cache.peek(WEEK))?.asOfMs, NOON);
  assert.equal(asked.length, 2);
  const second = cache.get(WEEK);
  waiting[1]?.resolve(reportOf(2));
  assert.equal((await second).asOfMs, NOON + 60_000);
});

Deno.test("a report that took long to count is shown for longer", async () => {
  const { cache, clock, asked, waiting } = openCounter();
  const first = cache.get(WEEK);
  await Promise.resolve();
  clock.now = NOON + 6_000;
  waiting[0]?.resolve(reportOf(1));
  await first;
  clock.now = NOON + 119_999;
  assert.equal((await cache.peek(WEEK))?.asOfMs, NOON);
  assert.equal(asked.length, 1);
  clock.now = NOON + 120_000;
  await cache.peek(WEEK);
  assert.equal(asked.length, 2);
  waiting[1]?.resolve(reportOf(1));
});

Deno.test("a report of yesterday is not shown as one of today", async () => {
  const { cache, clock, waiting } = openCounter();
  const first = cache.get(WEEK);
  await Promise.resolve();
  waiting[0]?.resolve(reportOf(1));
  await first;
  clock.now = NOON + 12 * 3_600_000;
  assert.equal(await cache.peek(WEEK), null);
  waiting[1]?.resolve(reportOf(1));
});

Deno.test("one report is counted at a time, and a failure stops no other", async () => {
  const { cache, asked, waiting } = openCounter();
  const byPrincipal = cache.get(WEEK);
  const byTool = cache.get({ ...WEEK, by: "tool" });
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(asked, ["principal"]);
  waiting[0]?.reject(new Error("away"));
  await assert.rejects(byPrincipal, /away/);
  waiting[1]?.resolve(reportOf(1));
  assert.equal((await byTool).report.total.calls, 61);
  assert.deepEqual(asked, ["principal", "tool"]);
  const again = cache.get(WEEK);
  await Promise.resolve();
  waiting[2]?.resolve(reportOf(2));
  assert.equal((await again).report.total.calls, 122);
});

Deno.test("the usage page says that counting goes on, and then has the figures", async () => {
  const count = Promise.withResolvers<Usage>();
  const fixture = await consoleFixture({
    anonymous: PEOPLE["key-ada"] ?? null,
    more: { usage: () => count.promise },
  });
  try {
    const browser = openBrowser(fixture.deps);
    const waitingPage = await browser.text("/console/usage?period=90d");
    assert.match(waitingPage, /Counting the records/);
    assert.match(waitingPage, /hx-get="\/console\/usage\/ready\?period=90d&amp;by=principal"/);
    const notYet = await browser.get("/console/usage/ready?period=90d");
    assert.equal(notYet.status, 204);
    count.resolve(reportOf(3));
    const ready = await browser.get("/console/usage/ready?period=90d");
    assert.equal(ready.headers.get("hx-refresh"), "true");
    assert.match(await browser.text("/console/usage?period=90d"), /183/);
  } finally {
    fixture.close();
  }
});
