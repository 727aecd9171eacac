import assert from "node:assert/strict";
import { placeEvent } from "../../../src/audit/audit_record.ts";
import { commitPayloads } from "../../../src/audit/payloads/payload_box.ts";
import type { PayloadLookup } from "../../../src/audit/payloads/payload_store.ts";
import { createPayloadChecker } from "../../../src/audit/verify/verify_payloads.ts";
import type { AuditEvent, AuditRecord } from "../../../src/model/event.ts";

const HOUR_MS = 3_600_000;
const NOW = 1_000 * HOUR_MS;
const { event, salted } = commitPayloads({ kind: "call.intent", call: "e:0" }, { args: "[1]" });

const record = (event: AuditEvent, seq = 1, ts = NOW): AuditRecord =>
  placeEvent(event, { chain: "main", seq, ts, prev: "" });

/** What the checker reports of these records, if the store answers so for each. */
async function check(answer: PayloadLookup, ...records: AuditRecord[]): Promise<string[]> {
  const problems: string[] = [];
  const unused = () => assert.fail("a check only reads");
  const checker = createPayloadChecker({
    store: { find: () => Promise.resolve(answer), keep: unused, pack: unused, erase: unused },
    retentionMs: 10 * HOUR_MS,
    now: () => NOW,
    report: (seq, message) => problems.push(`${seq}: ${message}`),
  });
  for (const one of records) await checker.check(one);
  checker.finish();
  return problems;
}

Deno.test("a payload is compared with what its record commits to", async () => {
  const found = { state: "found", payloads: salted } as const;
  assert.deepEqual(await check(found, record(event)), []);
  const other = commitPayloads({ kind: "call.intent" }, { args: "[2]" }).salted;
  assert.deepEqual(await check({ state: "found", payloads: other }, record(event)), [
    "1: The payload of record 1 is not what it commits to",
  ]);
  assert.deepEqual(
    await check({ state: "damaged", reason: "its key is not here" }, record(event)),
    [
      "1: The payload of record 1 was changed: its key is not here",
    ],
  );
});

Deno.test("a payload that is not there is reported, unless the chain or its age says why", async () => {
  const absent = { state: "absent" } as const;
  const gone = ["1: The payload of record 1 is not there"];
  assert.deepEqual(await check(absent, record(event)), gone);
  assert.deepEqual(await check(absent, record({ kind: "search" })), [], "it commits to nothing");
  const off = record({ kind: "admin", detail: { type: "audit.open", payloads: "off" } }, 0);
  const on = record({ kind: "admin", detail: { type: "audit.open", payloads: "encrypted" } }, 0);
  assert.deepEqual(await check(absent, off, record(event)), []);
  assert.deepEqual(await check(absent, off, on, record(event)), gone);
  const erased = (seq: number) =>
    record({ kind: "admin", detail: { type: "audit.erase", seq } }, 2);
  assert.deepEqual(await check(absent, record(event), erased(1)), []);
  assert.deepEqual(await check(absent, record(event), erased(7)), gone);
  assert.deepEqual(await check(absent, record({ ...event, detail: { payload: "not kept" } })), []);
  // Retention of ten hours, less one in which it may be gone already.
  assert.deepEqual(await check(absent, record(event, 1, NOW - 9 * HOUR_MS)), gone);
  assert.deepEqual(await check(absent, record(event, 1, NOW - 9 * HOUR_MS - 1)), []);
});
