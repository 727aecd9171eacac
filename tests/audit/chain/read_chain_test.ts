import assert from "node:assert/strict";
import { firstEntry, readTolerant } from "../../../src/audit/chain/read_chain.ts";
import { readBacklog } from "../../../src/audit/ship/place.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";

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

Deno.test("readTolerant() tells what cannot be read, and reads everything else once", async () => {
  const store = createMemoryStore();
  const labels = { principal: "", tool: "", execution: "" };
  const entries = Array.from({ length: 100 }, (_, seq) => ({ log: "a", seq, ts: 1, body: "{}" }));
  await store.append(entries.map((entry) => ({ ...entry, ...labels })));
  for (const damaged of [0, 41, 99]) {
    const failing = {
      async scan(query: Parameters<typeof store.scan>[0]) {
        const page = await store.scan(query);
        if (page.entries.some(({ seq }) => seq === damaged)) throw new Error("disk I/O error");
        return page;
      },
    };
    const read: number[] = [];
    const lost: number[] = [];
    const note = (first: number, last: number) => {
      for (let seq = first; seq <= last; seq++) lost.push(seq);
    };
    for await (const page of readTolerant(failing, { log: "a", from: 0, to: 100 }, note)) {
      read.push(...page.map(({ seq }) => seq));
    }
    assert.ok(lost.includes(damaged) && lost.length <= 8, `${damaged}: ${lost}`);
    const all = [...read, ...lost].sort((a, b) => a - b);
    assert.deepEqual(all, entries.map(({ seq }) => seq));
    assert.deepEqual(read, read.toSorted((a, b) => a - b));
  }
});
