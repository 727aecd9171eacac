import assert from "node:assert/strict";
import { entriesOf, keysOf, logOf, withKv } from "./kv_fixture.ts";

Deno.test("trim() takes whole and parts of blocks, keeps the last entry, and leaves other logs", async () => {
  await withKv(async (kv) => {
    const log = logOf(kv);
    await log.append(entriesOf(0, 10));
    await log.append(entriesOf(10, 10));
    await log.append(entriesOf(0, 3, { log: "q" }));
    assert.equal(await log.trim(1_013, "r"), 13);
    const left = (await log.scan({ log: "r" })).entries.map(({ seq }) => seq);
    assert.deepEqual(left, [19, 18, 17, 16, 15, 14, 13]);
    assert.equal((await log.scan({ log: "q" })).entries.length, 3);
    assert.equal(await log.trim(Infinity), 6 + 2);
    assert.equal((await log.head("r"))?.seq, 19);
    assert.equal(await log.trim(Infinity, "none"), 0);
  });
});

Deno.test("trim() removes the columns of runs that are gone, and check() finds nothing then", async () => {
  await withKv(async (kv) => {
    const log = logOf(kv);
    for (let start = 0; start < 8_200; start += 820) await log.append(entriesOf(start, 820));
    await log.append(entriesOf(8_200, 5));
    const runs = async () => (await keysOf(kv)).filter(([kind]) => kind === "y").length;
    assert.equal(await runs(), 2);
    assert.deepEqual(await log.check("r"), []);
    assert.equal(await log.trim(1_000 + 5_000), 5_000);
    assert.equal(await runs(), 1);
    assert.deepEqual(await log.check("r"), []);
    const { entries } = await log.scan({ principal: "p0", to: 1_000 + 5_010 });
    assert.deepEqual(entries.map(({ seq }) => seq), [5_007, 5_004, 5_001]);
  });
});
