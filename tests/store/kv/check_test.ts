import assert from "node:assert/strict";
import { entriesOf, logOf, withKv } from "./kv_fixture.ts";

Deno.test("check() names columns that were changed, removed or are another run's", async () => {
  await withKv(async (kv) => {
    const log = logOf(kv);
    for (let start = 0; start < 4_100; start += 820) await log.append(entriesOf(start, 820));
    await log.append(entriesOf(4_100, 1));
    assert.deepEqual(await log.check("r"), []);
    assert.deepEqual(await log.check("none"), []);
    const columns = (await kv.get<Uint8Array>(["y", 0, 0])).value;
    assert.ok(columns !== null);
    await kv.set(["y", 0, 0], columns.slice(1));
    assert.match((await log.check("r")).join(), /columns of the entries 0 to 4095 are not theirs/);
    await kv.set(["y", 0, 0], columns);
    await kv.delete(["x", 0, 0]);
    assert.match((await log.check("r")).join(), /are not theirs/);
    await kv.delete(["s", 0, 0]);
    assert.match((await log.check("r")).join(), /No search columns for the entries 0 to 4095/);
    await kv.set(["g", "r"], { ordinal: 0, next: 4_000, ts: 1, covered: 0 });
    assert.match((await log.check("r")).join(), /stored head is not the one that was written/);
  });
});
