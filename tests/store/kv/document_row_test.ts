import assert from "node:assert/strict";
import { decodeRow, encodeChange, isExpired } from "../../../src/store/kv/document_row.ts";
import { KV_COMMIT } from "../../../src/store/kv/commit.ts";
import { STORE_VALUE_BYTES_MAX } from "../../../src/store/store.ts";

Deno.test("a small value lies in its row, with its expiry", () => {
  for (const value of [{ a: [1, "é", null] }, "text", 0, false]) {
    const { row, chunks, expiresAt } = encodeChange({ key: "k", value, ttlMs: 5.5 }, 1_000);
    assert.ok(row !== null);
    assert.equal(chunks, null);
    assert.equal(expiresAt, 1_006);
    assert.deepEqual(decodeRow(row), { expiresAt: 1_006, value, chunks: null });
  }
});

Deno.test("a row that an earlier version wrote is read", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assert.deepEqual(decodeRow(bytes('[0,{"a":1}]')), {
    expiresAt: 0,
    value: { a: 1 },
    chunks: null,
  });
  assert.deepEqual(decodeRow(bytes('[7,null,"id",3]')), {
    expiresAt: 7,
    value: null,
    chunks: { id: "id", count: 3 },
  });
});

Deno.test("a value above the engine's bound is cut into chunks whose text is the value", () => {
  const value = "é".repeat(KV_COMMIT.valueBytesMax);
  const { row, chunks, parts, bytes } = encodeChange({ key: "k", value }, 1_000);
  assert.ok(row !== null && chunks !== null);
  assert.deepEqual(decodeRow(row), { expiresAt: 0, value: null, chunks });
  assert.equal(chunks.count, parts.length);
  assert.ok(parts.every((part) => part.length <= KV_COMMIT.valueBytesMax));
  const whole = new Uint8Array(bytes);
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  assert.equal(JSON.parse(new TextDecoder().decode(whole)), value);
});

Deno.test("the largest value in a row is one byte below the smallest in chunks", () => {
  const text = (length: number) => encodeChange({ key: "k", value: "x".repeat(length) }, 0);
  const frame = '[0,""]'.length;
  assert.equal(text(KV_COMMIT.valueBytesMax - frame).chunks, null);
  assert.notEqual(text(KV_COMMIT.valueBytesMax - frame + 1).chunks, null);
});

Deno.test("a deletion has no row, and a value above the store's bound is refused", () => {
  assert.equal(encodeChange({ key: "k", value: null, ttlMs: 5 }, 0).row, null);
  const value = "x".repeat(STORE_VALUE_BYTES_MAX);
  assert.throws(() => encodeChange({ key: "k", value }, 0), RangeError);
});

Deno.test("a row expires at its time; one without a time never", () => {
  const row = { expiresAt: 10, value: 1, chunks: null };
  assert.deepEqual([9, 10, 11].map((now) => isExpired(row, now)), [false, true, true]);
  assert.equal(isExpired({ ...row, expiresAt: 0 }, Infinity), false);
});
