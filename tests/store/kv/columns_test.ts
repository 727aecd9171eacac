import assert from "node:assert/strict";
import { compileQuery, isInBounds, matchesLabels } from "../../../src/store/entry_filter.ts";
import {
  areColumnsOf,
  decodeColumns,
  encodeColumns,
  encodeTerms,
  matchColumns,
  mayMatch,
} from "../../../src/store/kv/columns.ts";
import { labels } from "../../../src/store/kv/log_state.ts";
import type { ScanQuery } from "../../../src/store/store.ts";
import { entriesOf } from "./kv_fixture.ts";

const RUN = entriesOf(100, 200).map((entry) =>
  labels({ ...entry, ...(entry.seq % 7 === 0 ? { effect: "deny" } : {}) })
);
const QUERIES: readonly ScanQuery[] = [
  { principal: "p1" },
  { principal: "p1", tool: "t0" },
  { effect: "deny", from: 1_120, to: 1_180 },
  { toolPattern: "t?", beforeSeq: 150 },
  { execution: "e30" },
  { kind: "" },
  {},
];

Deno.test("columns find what the entries themselves say, the newest first", () => {
  const columns = decodeColumns(encodeColumns(RUN));
  for (const query of QUERIES) {
    const filter = compileQuery(query);
    const wanted = RUN.filter((entry) =>
      isInBounds(filter, "r", entry) && matchesLabels(filter, entry)
    ).map(({ seq }) => seq).reverse();
    assert.ok(wanted.length > 0);
    assert.deepEqual(matchColumns(columns, filter, "r"), wanted, JSON.stringify(query));
  }
  assert.deepEqual(matchColumns(columns, compileQuery({ tool: "none" }), "r"), []);
  assert.deepEqual(matchColumns(columns, compileQuery({ toolPattern: "x*" }), "r"), []);
});

Deno.test("terms never hide a run that holds a match, and tell most that do not", () => {
  const terms = encodeTerms(RUN);
  for (const query of QUERIES) assert.ok(mayMatch(terms, compileQuery(query)));
  const unknown = Array.from({ length: 100 }, (_, n) => compileQuery({ principal: `nobody${n}` }));
  assert.ok(unknown.filter((filter) => mayMatch(terms, filter)).length < 5);
  assert.ok(!mayMatch(terms, compileQuery({ tool: "p1" })), "a word counts for its own label only");
});

Deno.test("columns are those of their run and of no other", () => {
  const columns = encodeColumns(RUN);
  assert.ok(areColumnsOf(columns, RUN));
  const changed = RUN.map((entry, n) => n === 3 ? { ...entry, tool: "other" } : entry);
  assert.ok(!areColumnsOf(columns, changed));
  assert.ok(!areColumnsOf(columns, RUN.slice(1)));
  assert.ok(!areColumnsOf(new Uint8Array([1, 2, 3]), RUN));
});
