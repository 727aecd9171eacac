import assert from "node:assert/strict";
import { openLiveExecutions } from "../../src/console/live_executions.ts";
import type { AuditEvent, AuditRecord } from "../../src/model/event.ts";
import { actor, chainOf, EXECUTIONS, SHOP_NOW, shopRecords } from "./shop_records.ts";

async function openOver(
  past: readonly AuditRecord[],
  now = () => SHOP_NOW,
  steadyNow: () => number = now,
) {
  let tell = (_: AuditRecord): void => {};
  let isFollowing = true;
  const live = await openLiveExecutions({
    now,
    steadyNow,
    queryAudit: () => Promise.resolve({ records: past.toReversed() }),
    followAudit(listener) {
      tell = listener;
      return () => isFollowing = false;
    },
  });
  return { live, tell: (record: AuditRecord) => tell(record), isFollowing: () => isFollowing };
}

function event(kind: AuditEvent["kind"], execution: string, more: Partial<AuditEvent> = {}) {
  return { at: SHOP_NOW, kind, execution, actor: actor("ada"), space: "default", ...more };
}

Deno.test("a fresh process shows what the log says, newest first", async () => {
  const { live } = await openOver(shopRecords());
  const list = live.list();
  assert.deepEqual(list.map(({ id, status }) => [id, status]), [
    [EXECUTIONS.running, "running"],
    [EXECUTIONS.failed, "error"],
    [EXECUTIONS.denied, "denied"],
    [EXECUTIONS.ok, "ok"],
  ]);
  assert.deepEqual(list[1]?.calls, { allow: 1, ask: 1, hidden: 1 });
  assert.equal(list[2]?.lastTool, "orders.update");
  assert.ok(Math.abs((list[3]?.cost ?? 0) - 0.004) < 1e-9);
  live.close();
});

Deno.test("an execution shows up, counts its calls once each, and ends", async () => {
  const { live, tell, isFollowing } = await openOver([]);
  const tool = { server: "orders", name: "list" };
  const decision = { effect: "allow" as const, because: ["read"], bundle: "" };
  const [start, intent, outcome, refused, end] = chainOf([
    event("execution.start", "e1"),
    event("call.intent", "e1", { call: "e1:0", tool, decision }),
    event("call.outcome", "e1", {
      call: "e1:0",
      tool,
      decision,
      result: { status: "ok" },
      cost: 2,
    }),
    event("call.outcome", "e1", {
      call: "e1:1",
      tool,
      decision: { ...decision, effect: "deny" },
    }),
    event("execution.end", "e1", { result: { status: "ok" } }),
  ]) as [AuditRecord, AuditRecord, AuditRecord, AuditRecord, AuditRecord];
  tell(start);
  assert.deepEqual(live.list().map(({ id, status }) => [id, status]), [["e1", "running"]]);
  for (const record of [intent, outcome, refused]) tell(record);
  assert.deepEqual(live.list()[0]?.calls, { allow: 1, deny: 1 });
  tell(end);
  assert.equal(live.list()[0]?.status, "ok");
  assert.equal(live.list()[0]?.cost, 2);
  assert.equal(live.list()[0]?.endedAtMs, SHOP_NOW);
  live.close();
  assert.equal(isFollowing(), false);
});

Deno.test("records that come while the past is read are taken once", async () => {
  const records = chainOf([event("execution.start", "e1"), event("execution.start", "e2")]);
  const [first, second] = records as [AuditRecord, AuditRecord];
  const live = await openLiveExecutions({
    now: () => SHOP_NOW,
    followAudit(listener) {
      queueMicrotask(() => {
        listener(first);
        listener(second);
      });
      return () => {};
    },
    queryAudit: () => Promise.resolve({ records: [first] }),
  });
  assert.deepEqual(live.list().map(({ id }) => id).toSorted(), ["e1", "e2"]);
  live.close();
});

Deno.test("an execution whose process died is lost, not running for ever", async () => {
  let now = SHOP_NOW;
  const { live } = await openOver(chainOf([event("execution.start", "e1")]), () => now);
  now += 15 * 60_000;
  assert.equal(live.list()[0]?.status, "running");
  now += 1;
  assert.equal(live.list()[0]?.status, "lost");
  live.close();
});

Deno.test("the newest hundred ended executions are kept, and not one more", async () => {
  const { live, tell } = await openOver([]);
  const records = chainOf(
    Array.from({ length: 101 }, (_, index) => [
      event("execution.start", `e${index}`),
      event("execution.end", `e${index}`, { result: { status: "ok" } }),
    ]).flat(),
  );
  for (const record of records) tell(record);
  const ids = live.list().map(({ id }) => id);
  assert.equal(ids.length, 100);
  assert.equal(ids.includes("e0"), false);
  assert.equal(ids.includes("e100"), true);
  live.close();
});

Deno.test("a log that cannot be read leaves no follower behind", async () => {
  let isFollowing = false;
  await assert.rejects(
    openLiveExecutions({
      now: () => 0,
      queryAudit: () => Promise.reject(new Error("away")),
      followAudit() {
        isFollowing = true;
        return () => isFollowing = false;
      },
    }),
    /away/,
  );
  assert.equal(isFollowing, false);
});

Deno.test("a clock that is set back changes neither times nor order, and ends nothing", async () => {
  let now = SHOP_NOW;
  let steady = 5_000;
  const { live, tell } = await openOver([], () => now, () => steady);
  tell(chainOf([event("execution.start", "e1")])[0] as AuditRecord);
  now -= 4 * 86_400_000;
  steady += 3_000;
  const [second] = chainOf([{ ...event("execution.start", "e2"), at: now }]);
  tell(second as AuditRecord);
  assert.deepEqual(live.list().map(({ id, tookMs }) => [id, tookMs]), [["e2", 0], ["e1", 3_000]]);
  const [end] = chainOf([{
    ...event("execution.end", "e1"),
    at: now,
    result: { status: "ok" },
    ms: { total: 3_210 },
  }]);
  tell(end as AuditRecord);
  assert.deepEqual(live.list().map(({ tookMs }) => tookMs), [0, 3_210]);
  steady += 15 * 60_000 + 1;
  assert.deepEqual(live.list().map(({ status, tookMs }) => [status, tookMs]), [
    ["lost", null],
    ["ok", 3_210],
  ]);
});
