import assert from "node:assert/strict";
import { packBlocks } from "../../../src/store/kv/block.ts";
import {
  adoptRuns,
  blockAt,
  cutRuns,
  labels,
  loadLogState,
  newLogState,
  RUN_ENTRIES,
} from "../../../src/store/kv/log_state.ts";
import { entriesOf, keysOf, withKv } from "./kv_fixture.ts";

Deno.test("a run gets columns when it is full, not before, and covers its entries", async () => {
  await withKv(async (kv) => {
    const state = newLogState("r", 3);
    state.tail = entriesOf(0, RUN_ENTRIES - 1).map(labels);
    assert.equal(cutRuns(state), null);
    state.tail.push(...entriesOf(RUN_ENTRIES - 1, 5).map(labels));
    const cut = cutRuns(state);
    assert.ok(cut !== null);
    assert.equal(cut.covered, RUN_ENTRIES);
    const operation = kv.atomic();
    cut.apply(operation);
    await operation.commit();
    const kinds = (await keysOf(kv)).map(([kind, ordinal, first]) => [kind, ordinal, first]);
    assert.deepEqual(kinds, [["s", 3, 0], ["x", 3, 0], ["y", 3, 0]]);
    assert.ok(kinds.length <= cut.mutations);
    adoptRuns(state, cut);
    assert.deepEqual(state.tail.map(({ seq }) => seq), [4_096, 4_097, 4_098, 4_099]);
    assert.deepEqual(state.runs, [
      { firstSeq: 0, lastSeq: 4_095, firstTs: 1_000, lastTs: 5_095 },
    ]);
    adoptRuns(state, null);
    assert.equal(state.runs.length, 1);
  });
});

Deno.test("the state of a log is read from the file: head, runs, and the tail behind them", async () => {
  await withKv(async (kv) => {
    assert.equal(await loadLogState(kv, "r"), null);
    const entries = entriesOf(0, 10);
    const operation = kv.atomic().set(["g", "r"], { ordinal: 2, next: 10, ts: 1_009, covered: 4 })
      .set(["s", 2, 0], [3, 1_000, 1_003]);
    for (const block of [...packBlocks(entries.slice(0, 6)), ...packBlocks(entries.slice(6))]) {
      operation.set(["b", 2, block.firstSeq], block.bytes);
    }
    await operation.commit();
    const state = await loadLogState(kv, "r");
    assert.equal(state?.head.next, 10);
    assert.deepEqual(state?.runs, [{ firstSeq: 0, lastSeq: 3, firstTs: 1_000, lastTs: 1_003 }]);
    assert.deepEqual(state?.tail, entries.slice(4).map(labels));
    assert.equal((await blockAt(kv, 2, 7))?.firstSeq, 6);
    assert.equal((await blockAt(kv, 2, 5))?.firstSeq, 0);
    assert.equal(await blockAt(kv, 9, 5), null);
  });
});
