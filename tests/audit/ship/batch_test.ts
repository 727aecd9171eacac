import assert from "node:assert/strict";
import { hashLine } from "../../../src/audit/audit_record.ts";
import { emptyChain, extendChain } from "../../../src/audit/chain/chain.ts";
import { gatherBatch, reduceBatch } from "../../../src/audit/ship/batch.ts";
import type { AuditEvent } from "../../../src/model/event.ts";
import { canonicalJson } from "../../../src/model/json/canonical_json.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";

async function storeWith(events: readonly AuditEvent[]) {
  const store = createMemoryStore();
  const { links } = extendChain(emptyChain("main"), events.map((event) => ({ event, ts: 1_000 })));
  await store.append(links.map(({ entry }) => entry));
  return { store, records: links.map(({ record }) => record) };
}

Deno.test("gatherBatch() ends at the bound of bytes, and takes one record in any case", async () => {
  const { store } = await storeWith([1, 2, 3].map((n) => ({ kind: "search", call: `e:${n}` })));
  const gather = async (bytesMax: number, first = 0, end = 3) => {
    const want = { chain: "main", first, end, bytesMax, format: "jsonl" } as const;
    const batch = await gatherBatch(store, want);
    return batch?.records.map(({ seq }) => seq).join("") ?? null;
  };
  const want = { chain: "main", first: 0, end: 2, bytesMax: Infinity, format: "jsonl" } as const;
  const { bytes = 0, lines = [] } = await gatherBatch(store, want) ?? {};
  assert.equal(bytes, Buffer.byteLength(lines.join("")));
  assert.deepEqual([await gather(bytes), await gather(bytes - 1), await gather(1)], [
    "01",
    "0",
    "0",
  ]);
  assert.deepEqual([await gather(Infinity), await gather(Infinity, 1, 2)], ["012", "1"]);
  assert.equal(await gather(Infinity, 3, 9), null);
});

Deno.test("reduceBatch() keeps what names a record and its outcome, and says what is left out", async () => {
  const long = "日".repeat(5_000);
  const { store, records } = await storeWith([{
    kind: "call.outcome",
    execution: "e",
    call: "e:0",
    actor: {
      sub: long,
      iss: "keys",
      client: "cli",
      groups: Array(50).fill("g"),
      scopes: ["execute"],
    },
    tool: { server: "pay", name: "refund" },
    decision: { effect: "deny", because: Array(50).fill("rule"), bundle: "b" },
    result: { status: "ERR_POLICY_DENIED" },
    err: { code: "ERR_POLICY_DENIED", message: "secret text" },
    detail: { over: "ask", limit: "refunds", text: long },
  }]);
  const want = { chain: "main", first: 0, end: 1, bytesMax: Infinity, format: "jsonl" } as const;
  const batch = await gatherBatch(store, want) ?? assert.fail();
  const { records: [reduced], lines, bytes, isReduced } = reduceBatch(batch);
  assert.ok(reduced !== undefined && isReduced);
  assert.ok(bytes === Buffer.byteLength(lines.join("")) && bytes < 4_000, `${bytes}`);
  const [record] = records;
  const line = canonicalJson(record);
  assert.equal(reduced.prev, record?.prev);
  assert.deepEqual([reduced.call, reduced.tool?.name, reduced.result], [
    "e:0",
    "refund",
    record?.result,
  ]);
  assert.deepEqual([reduced.actor?.sub.length, reduced.actor?.groups.length], [201, 10]);
  assert.deepEqual([reduced.decision?.because.length, reduced.err?.message], [10, "(left out)"]);
  const { leftOut, ...detail } = reduced.detail ?? {};
  assert.match(`${leftOut}`, /the log has it/);
  assert.deepEqual(detail, {
    limit: "refunds",
    over: "ask",
    wholeBytes: Buffer.byteLength(line),
    wholeSha256: hashLine(line),
  });
});
