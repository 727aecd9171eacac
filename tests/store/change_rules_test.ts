import assert from "node:assert/strict";
import {
  checkChanges,
  checkEntries,
  checkKey,
  checkValueBytes,
} from "../../src/store/change_rules.ts";
import {
  type LogEntry,
  STORE_BODY_BYTES_MAX,
  STORE_CHANGES_MAX,
  STORE_KEY_BYTES_MAX,
  STORE_VALUE_BYTES_MAX,
} from "../../src/store/store.ts";

function entry(seq: number, change: Partial<LogEntry> = {}): LogEntry {
  return {
    log: "r",
    seq,
    ts: 1_000 + seq,
    principal: "p",
    tool: "t",
    execution: "e",
    body: "{}",
    ...change,
  };
}

Deno.test("a key is 1 to 1,024 printable ASCII characters", () => {
  for (const key of ["a", " ~", "a/b%20c", "k".repeat(STORE_KEY_BYTES_MAX)]) checkKey(key);
  for (const key of ["", "é", "a\nb", "a\0", "a\x7f", "k".repeat(STORE_KEY_BYTES_MAX + 1)]) {
    assert.throws(() => checkKey(key), RangeError, JSON.stringify(key.slice(0, 20)));
  }
});

Deno.test("the error for a key does not repeat a long one", () => {
  assert.throws(() => checkKey("é".repeat(100_000)), ({ message }: Error) => message.length < 300);
});

Deno.test("changes are bounded and change each key once", () => {
  const many = Array.from({ length: STORE_CHANGES_MAX + 1 }, (_, n) => ({ key: `${n}`, value: n }));
  checkChanges(many.slice(1));
  checkChanges([]);
  assert.throws(() => checkChanges(many), /101 changes.*100 is the most/);
  const twice = [{ key: "a", value: 1 }, { key: "b", value: 1 }, { key: "a", value: null }];
  assert.throws(() => checkChanges(twice), /"a" twice/);
  assert.throws(() => checkChanges([{ key: "", value: 1 }]), RangeError);
});

Deno.test("a value may have its bound in bytes and not one more", () => {
  checkValueBytes("k", STORE_VALUE_BYTES_MAX);
  assert.throws(() => checkValueBytes("k", STORE_VALUE_BYTES_MAX + 1), /"k".*is the most/);
});

Deno.test("entries are one consecutive run of one log, and their time never goes back", () => {
  checkEntries([entry(5), entry(6, { ts: 1_005 }), entry(7)], [{ key: "k", value: 1 }]);
  const refused: readonly (readonly LogEntry[])[] = [
    [],
    [entry(5), entry(7)],
    [entry(5), entry(5)],
    [entry(5), entry(6, { log: "q" })],
    [entry(5), entry(6, { ts: 1_004 })],
    [entry(5, { ts: -1 })],
    [entry(5, { ts: 1.5 })],
    [entry(5, { ts: NaN })],
  ];
  for (const entries of refused) assert.throws(() => checkEntries(entries, []), RangeError);
});

Deno.test("a body is bounded by its bytes, not by its characters", () => {
  checkEntries([entry(0, { body: "x".repeat(STORE_BODY_BYTES_MAX) })], []);
  checkEntries([entry(0, { body: "é".repeat(STORE_BODY_BYTES_MAX / 2) })], []);
  for (
    const body of ["x".repeat(STORE_BODY_BYTES_MAX + 1), "é".repeat(STORE_BODY_BYTES_MAX / 2 + 1)]
  ) {
    assert.throws(() => checkEntries([entry(0, { body })], []), /body too large/);
  }
});

Deno.test("documents beside entries expect no revision", () => {
  for (const expect of [null, "1"]) {
    assert.throws(
      () => checkEntries([entry(0)], [{ key: "k", value: 1, expect }]),
      /expect a revision/,
    );
  }
});
