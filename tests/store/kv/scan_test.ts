import assert from "node:assert/strict";
import { loadLogState } from "../../../src/store/kv/log_state.ts";
import { lastEntry, seqAtTime } from "../../../src/store/kv/scan.ts";
import { entriesOf, entryOf, logOf, withKv } from "./kv_fixture.ts";

Deno.test("a page has the newest entries that match, and a cursor while there are more", async () => {
  await withKv(async (kv) => {
    const log = logOf(kv);
    await log.append(entriesOf(0, 10));
    const first = await log.scan({ principal: "p0", limit: 3 });
    assert.deepEqual(first.entries.map(({ seq }) => seq), [9, 6, 3]);
    assert.ok(first.next !== undefined);
    const second = await log.scan({ principal: "p0", limit: 3, after: first.next });
    assert.deepEqual(second.entries.map(({ seq }) => seq), [0]);
    assert.equal(second.next, undefined);
    await assert.rejects(log.scan({ after: "?" }), RangeError);
  });
});

Deno.test("a search goes over columns and what lies behind them", async () => {
  await withKv(async (kv) => {
    const log = logOf(kv);
    for (let start = 0; start < 4_100; start += 820) await log.append(entriesOf(start, 820));
    await log.append(entriesOf(4_100, 3));
    const { entries } = await log.scan({ execution: "e1024", tool: "t0" });
    assert.deepEqual(entries.map(({ seq }) => seq), [4_098, 4_096]);
    assert.equal((await log.scan({ execution: "e1023" })).entries.length, 4);
    const state = await loadLogState(kv, "r");
    const run = state?.runs[0];
    assert.ok(state !== null && run !== undefined);
    assert.equal(await seqAtTime(kv, state, run, 0), 0);
    assert.equal(await seqAtTime(kv, state, run, 1_000 + 77), 77);
    assert.equal(await seqAtTime(kv, state, run, Infinity), 4_096);
  });
});

Deno.test("the last entry is the one before the head's number, or nothing if its block is gone", async () => {
  await withKv(async (kv) => {
    await logOf(kv).append(entriesOf(0, 5));
    const head = { ordinal: 0, next: 5, ts: 1_004, covered: 0 };
    assert.deepEqual(await lastEntry(kv, "r", head), entryOf(4));
    assert.equal(await lastEntry(kv, "r", { ...head, next: 9 }), null);
    assert.equal(await lastEntry(kv, "r", { ...head, ordinal: 7 }), null);
  });
});
