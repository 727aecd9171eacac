import assert from "node:assert/strict";
import { placeEvent, RECORD_BYTES_MAX } from "../../src/audit/audit_record.ts";
import { normalizeEvent } from "../../src/audit/normalize_event.ts";
import type { AuditEvent } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json/canonical_json.ts";

const CALL: AuditEvent = { kind: "call.outcome", call: "e:0", execution: "e" };

function lineOf(event: AuditEvent): string {
  const place = { chain: "c".repeat(64), seq: 999_999_999, ts: 0, prev: "0".repeat(64) };
  return canonicalJson(placeEvent(event, place));
}

Deno.test("normalizeEvent() hands on an event that fits, as it is", () => {
  const event: AuditEvent = { ...CALL, detail: { list: [1, null, "x"], text: "日本" } };
  assert.equal(normalizeEvent(event), event);
});

Deno.test("normalizeEvent() makes a record within its bytes of any event, and keeps the call", () => {
  // One byte, three, four, six as an escape, and text that has no canonical form.
  for (const unit of ["x", "日", "😀", "\u0001", "\ud800"]) {
    for (const length of [1, 100, 2_000, 10_000, 40_000]) {
      for (const count of [0, 3, 40]) {
        const text = unit.repeat(length);
        const key = text.slice(0, 100);
        const members = Array.from({ length: count }, (_, n) => [`${n}${key}`, text]);
        const event = { ...CALL, detail: { text, members: Object.fromEntries(members) } };
        const normal = normalizeEvent(event);
        const line = lineOf(normal);
        assert.ok(Buffer.byteLength(line) <= RECORD_BYTES_MAX, `${unit} ${length} ${count}`);
        assert.deepEqual([normal.kind, normal.call, normal.execution], [CALL.kind, "e:0", "e"]);
        assert.equal(canonicalJson(JSON.parse(line)), line);
      }
    }
  }
});

Deno.test("normalizeEvent() replaces what has no canonical form", () => {
  const odd = { ...CALL, detail: { text: "a\ud800b", "k\udfff": 1, number: Infinity } };
  assert.deepEqual(normalizeEvent(odd).detail, { text: "a\ufffdb", "k\ufffd": 1, number: null });
});

Deno.test("normalizeEvent() cuts more sternly until it fits, and says so", () => {
  const many = Array.from({ length: 1_000 }, (_, n) => `${n} ${"x".repeat(400)}`);
  const { detail } = normalizeEvent({ ...CALL, detail: { many } });
  assert.equal(detail?.cut, true);
  assert.ok(Array.isArray(detail?.many));
  assert.equal(detail.many.length, 20);
  assert.equal(`${detail.many[0]}`.length, 301);
});

Deno.test("normalizeEvent() keeps the kind alone of an event that is all members", () => {
  const members = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, n) => [`member ${n}`, "x".repeat(60)]),
  );
  const event = { ...CALL, ...members } as AuditEvent;
  assert.deepEqual(normalizeEvent(event), { kind: "call.outcome", detail: { cut: true } });
});
