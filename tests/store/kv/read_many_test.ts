import assert from "node:assert/strict";
import { readMany } from "../../../src/store/kv/read_many.ts";
import { withKv } from "./kv_fixture.ts";

Deno.test("any number of rows is read in the order of their keys, missing ones included", async () => {
  await withKv(async (kv) => {
    for (let n = 0; n < 25; n += 2) await kv.set(["d", n], new Uint8Array([n]));
    const keys = Array.from({ length: 25 }, (_, n) => ["d", 24 - n]);
    const rows = await readMany(kv, keys);
    assert.deepEqual(rows.map(({ key }) => key), keys);
    assert.deepEqual(
      rows.map(({ value }) => value?.[0] ?? null),
      keys.map(([, n]) => (n as number) % 2 === 0 ? n : null),
    );
    assert.deepEqual(await readMany(kv, []), []);
  });
});
