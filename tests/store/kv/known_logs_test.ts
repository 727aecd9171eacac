import assert from "node:assert/strict";
import { createKnownLogs, listLogHeads } from "../../../src/store/kv/known_logs.ts";
import { withKv } from "./kv_fixture.ts";

const HEAD = { ordinal: 4, next: 7, ts: 1_006, covered: 0 };

Deno.test("a log is read once, and again after it was forgotten", async () => {
  await withKv(async (kv) => {
    await kv.set(["g", "r"], HEAD);
    const known = createKnownLogs(kv);
    const first = await known.stateOf("r");
    assert.deepEqual(first?.head, HEAD);
    await kv.set(["g", "r"], { ...HEAD, next: 8 });
    assert.equal(await known.stateOf("r"), first);
    known.forget("r");
    assert.equal((await known.stateOf("r"))?.head.next, 8);
  });
});

Deno.test("a log that is not there is looked for again, and a new one has an unused number", async () => {
  await withKv(async (kv) => {
    await kv.set(["g", "other"], HEAD);
    const known = createKnownLogs(kv);
    assert.equal(await known.stateOf("r"), null);
    const state = await known.stateOrNew("r");
    assert.equal(state.ordinal, 5);
    assert.equal(await known.stateOf("r"), null, "it is not stored yet");
    known.remember(state);
    assert.equal(await known.stateOf("r"), state);
    assert.equal(await known.stateOrNew("r"), state);
    assert.deepEqual(await listLogHeads(kv), [{ log: "other", head: HEAD }]);
  });
});
