import assert from "node:assert/strict";
import { firstEntry } from "../../../src/audit/chain/read_chain.ts";
import { readBacklog } from "../../../src/audit/ship/place.ts";
import { createMemoryStore } from "../../../src/store/memory_store.ts";

Deno.test("firstEntry() finds where a trimmed log begins, for every length of what is gone", async () => {
  const size = 40;
  for (let gone = 0; gone < size; gone++) {
    const store = createMemoryStore();
    const entry = (seq: number) => ({ log: "a", seq, ts: 1_000 + seq, body: "{}" });
    const labels = { principal: "", tool: "", execution: "" };
    await store.append(Array.from({ length: size }, (_, seq) => ({ ...entry(seq), ...labels })));
    await store.trim(1_000 + gone);
    for (const from of [0, 1, gone, gone + 1, size - 1]) {
      const found = await firstEntry(store, "a", from, size);
      assert.equal(found?.seq, from < size ? Math.max(from, gone) : undefined);
    }
    assert.equal(await firstEntry(store, "a", size, size), null);
    // What retention removed does not wait for anybody.
    const backlog = await readBacklog(store, "jsonl file:x");
    assert.deepEqual(backlog, { records: size - gone, oldestTs: 1_000 + gone });
    await store.close();
  }
});
