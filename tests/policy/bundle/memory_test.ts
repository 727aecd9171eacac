import assert from "node:assert/strict";
import type { Json } from "../../../src/model/json/json.ts";
import { createBundleMemory } from "../../../src/policy/bundle/memory.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";

const KEY = "policy/active-bundle";

Deno.test("the newest bundle is remembered, also one that an earlier version stored", async () => {
  const store = createMemoryStore();
  const memory = createBundleMemory(store);
  assert.equal(await memory.last(), null);
  await memory.remember({ seq: 8, digest: "e" });
  assert.deepEqual(await createBundleMemory(store).last(), { seq: 8, digest: "e" });
  await store.put([{ key: KEY, value: { seq: 7, digest: "d" } }]);
  assert.deepEqual(await memory.last(), { seq: 7, digest: "d" });
});

Deno.test("without a readable number no bundle counts as the newest", async () => {
  const store = createMemoryStore();
  const misfits: readonly Json[] = [{}, { digest: "d" }, { seq: "7", digest: "d" }, [7], "7"];
  for (const value of misfits) {
    await store.put([{ key: KEY, value }]);
    await assert.rejects(createBundleMemory(store).last(), {
      code: "ERR_STORE",
      message: /newest policy bundle.*"policy\/active-bundle"/,
      hint: /backup/,
    });
    assert.deepEqual((await store.get(KEY))?.value, value);
  }
});
