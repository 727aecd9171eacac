import assert from "node:assert/strict";
import { openAuditLog } from "../../src/audit/audit_log.ts";
import { openKvStore } from "../../src/store/kv/kv_store.ts";
import { CONFIG, intent, outcome } from "./audit_fixture.ts";

Deno.test("every filter reads a small part of a log of 30,000 records, found or not", async () => {
  const store = await openKvStore(":memory:");
  const config = { ...CONFIG, payloads: "off" as const };
  const log = await openAuditLog({ store, chain: "main", config });
  for (let start = 0; start < 15_000; start += 2_500) {
    const calls = Array.from({ length: 2_500 }, (_, n) => start + n);
    await Promise.all(calls.flatMap((n) => {
      const call = `execution-${n >> 3}:${n & 7}`;
      const tool = `pay.tool_${n % 40}`;
      const sub = n === 7_000 ? "rare" : `user${n % 20}`;
      return [log.append(intent(call, tool, sub)), log.append(outcome(call, tool, sub))];
    }));
  }
  const from = performance.now();
  let scanned = 0;
  for await (const record of log.records()) scanned += record.seq >= 0 ? 1 : 0;
  const scanMs = performance.now() - from;
  assert.ok(scanned > 30_000);
  const at = Date.parse((await log.query({ principal: "rare" })).records[0]?.ts ?? "");
  const filters: [number, Parameters<typeof log.query>[0]][] = [
    [100, {}],
    [100, { principal: "user7" }],
    [2, { principal: "rare" }],
    [0, { principal: "nobody" }],
    [100, { tool: "pay.tool_13" }],
    [100, { tool: "*.tool_3?" }],
    [0, { tool: "*.none" }],
    [16, { execution: "execution-200" }],
    [0, { effect: "deny" }],
    [0, { kind: "policy.activate" }],
    [0, { principal: "user7", tool: "pay.tool_8" }],
    [1, { principal: "rare", kind: "call.outcome", tool: "pay.*" }],
    [1, { since: at, until: at + 1, principal: "rare", kind: "call.intent" }],
    [0, { until: at - 86_400_000 }],
  ];
  for (const [expected, filter] of filters) {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      const { records } = await log.query(filter);
      times.push(performance.now() - start);
      assert.equal(records.length, expected, JSON.stringify(filter));
    }
    const ms = times.sort((a, b) => a - b)[2] as number;
    assert.ok(ms < scanMs / 4, `${JSON.stringify(filter)}: ${ms} ms, a full scan ${scanMs} ms`);
  }
  await log.close();
  await store.close();
});
