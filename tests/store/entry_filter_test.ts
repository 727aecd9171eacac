import assert from "node:assert/strict";
import {
  compileQuery,
  type EntryLabels,
  hasLabels,
  isInBounds,
  matchesLabels,
} from "../../src/store/entry_filter.ts";
import { formatCursor } from "../../src/store/scan_cursor.ts";
import type { ScanQuery } from "../../src/store/store.ts";

const ENTRY: EntryLabels = {
  seq: 7,
  ts: 1_000,
  principal: "ada",
  tool: "pay.refund",
  execution: "e1",
  kind: "call.outcome",
};

const matches = (query: ScanQuery, entry = ENTRY) => matchesLabels(compileQuery(query), entry);
const within = (query: ScanQuery) => isInBounds(compileQuery(query), "main", ENTRY);

Deno.test("every label that is asked for must be exactly so", () => {
  assert.ok(matches({}));
  assert.ok(
    matches({ principal: "ada", tool: "pay.refund", execution: "e1", kind: "call.outcome" }),
  );
  assert.ok(!matches({ principal: "ada", tool: "pay" }));
  assert.ok(!matches({ principal: "Ada" }));
  assert.ok(!matches({ effect: "deny" }));
  assert.ok(matches({ effect: "" }), "an absent label is an empty one");
});

Deno.test("a pattern is about names of tools, so that an entry without one never matches", () => {
  assert.ok(matches({ toolPattern: "pay.*" }));
  assert.ok(matches({ toolPattern: "*.ref?nd" }));
  assert.ok(!matches({ toolPattern: "pay" }));
  assert.ok(!matches({ toolPattern: "*" }, { ...ENTRY, tool: "" }));
});

Deno.test("times include their start and exclude their end, numbers exclude their bound", () => {
  assert.ok(within({ from: 1_000, to: 1_001, beforeSeq: 8 }));
  assert.ok(!within({ from: 1_001 }));
  assert.ok(!within({ to: 1_000 }));
  assert.ok(!within({ beforeSeq: 7 }));
});

Deno.test("after a cursor comes only what is older than its entry", () => {
  const after = (ts: number, log: string, seq: number) =>
    formatCursor({ ...ENTRY, ts, log, seq, body: "" });
  assert.ok(within({ after: after(1_000, "main", 8) }));
  assert.ok(!within({ after: after(1_000, "main", 7) }), "the entry of the cursor itself");
  assert.ok(!within({ after: after(1_000, "main", 6) }));
  assert.ok(within({ after: after(1_001, "a", 0) }));
  assert.ok(!within({ after: after(999, "z", 9) }));
  assert.ok(within({ after: after(1_000, "nain", 0) }), "logs of one time go down by name");
  assert.ok(!within({ after: after(1_000, "lain", 0) }));
  assert.throws(() => compileQuery({ after: "?" }), RangeError);
});

Deno.test("hasLabels() tells a search from a walk", () => {
  assert.equal(hasLabels(compileQuery({ log: "main", from: 1, to: 2, beforeSeq: 3 })), false);
  assert.equal(hasLabels(compileQuery({ kind: "search" })), true);
  assert.equal(hasLabels(compileQuery({ toolPattern: "*" })), true);
});
