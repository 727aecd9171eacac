import assert from "node:assert/strict";
import { createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import {
  closeLargeBox,
  commitLargePayloads,
  commitOf,
  commitPayloads,
  matchesCommits,
  openBox,
} from "../../../src/audit/payloads/payload_box.ts";
import type { AuditRecord } from "../../../src/model/event.ts";

const TEXTS = [
  '{"b":1,"a":[2,"x"]}',
  JSON.stringify(Array.from({ length: 20_000 }, (_, index) => ({ z: index, a: `é${index}` }))),
  '"\\ud800"', // no canonical form
  "no JSON at all",
  "",
];

Deno.test("payloads of any size are committed to in the same way", async () => {
  for (const text of TEXTS) {
    const event = { kind: "call.outcome", result: { status: "ERR_X" } } as const;
    const payloads = { args: text, result: text, code: JSON.stringify(text) };
    const large = await commitLargePayloads(event, payloads);
    const { args, result, code } = large.salted;
    assert.ok(args && result && code);
    const commit = commitOf(...args);
    assert.deepEqual(large.event.args, commit);
    assert.deepEqual(large.event.result, { status: "ERR_X", ...commitOf(...result) });
    assert.notEqual(args[0], result[0]); // each has a salt of its own
    const small = commitPayloads(event, payloads);
    assert.deepEqual(large.event.code, small.event.code);
    const record = (from: typeof small) => from.event as unknown as AuditRecord;
    assert.ok(matchesCommits(record(large), large.salted));
    assert.ok(!matchesCommits(record(large), small.salted));
  }
});

Deno.test("closeLargeBox() makes a box as every other", async () => {
  const [key] = createAuditKeys().payloadKeys;
  assert.ok(key !== undefined);
  const contents = { args: ["00", "x".repeat(100_000)] };
  const box = await closeLargeBox(contents, "here", key);
  assert.deepEqual(openBox(box, "here", key), contents);
  assert.throws(() => openBox(box, "there", key));
});
