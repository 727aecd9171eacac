import assert from "node:assert/strict";
import { writeChunks } from "../../../src/store/kv/chunks.ts";
import { createKvDocuments } from "../../../src/store/kv/documents.ts";
import { trimExpired } from "../../../src/store/kv/expiry.ts";
import { keysOf, withKv } from "./kv_fixture.ts";

Deno.test("what has expired is removed with its marks and chunks, more than one commit holds", async () => {
  await withKv(async (kv) => {
    let now = 1_000;
    const documents = createKvDocuments({ kv, now: () => now, ride: () => () => {} });
    for (let start = 0; start < 200; start += 100) {
      const changes = Array.from({ length: 100 }, (_, n) => ({
        key: `short/${start + n}`,
        value: n,
        ttlMs: 10,
      }));
      await documents.put(changes);
    }
    await documents.put([{ key: "large", value: "x".repeat(500_000), ttlMs: 10 }]);
    await documents.put([{ key: "later", value: 1, ttlMs: 11 }, { key: "forever", value: 1 }]);
    now = 1_010;
    await trimExpired(kv, () => now);
    assert.deepEqual(await keysOf(kv), [["d", "forever"], ["d", "later"], [
      "e",
      1_011,
      "d",
      "later",
    ]]);
  });
});

Deno.test("a document that was written again since its mark stays", async () => {
  await withKv(async (kv) => {
    const documents = createKvDocuments({ kv, now: () => 1_000, ride: () => () => {} });
    await documents.put([{ key: "a", value: 1 }]);
    await kv.set(["e", 5, "d", "a"], new Uint8Array(0)); // a mark of an expiry that it has no more
    await trimExpired(kv, () => 1_000);
    assert.equal((await documents.get("a"))?.value, 1);
    assert.deepEqual(await keysOf(kv), [["d", "a"]]);
  });
});

Deno.test("chunks that no row ever named go once their time is over, not before", async () => {
  await withKv(async (kv) => {
    await writeChunks(kv, { id: "i", count: 1 }, [new Uint8Array(3)], 2_000);
    await trimExpired(kv, () => 1_999);
    assert.equal((await keysOf(kv)).length, 2);
    await trimExpired(kv, () => 2_000);
    assert.deepEqual(await keysOf(kv), []);
  });
});
