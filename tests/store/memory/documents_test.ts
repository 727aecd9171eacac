import assert from "node:assert/strict";
import { createMemoryDocuments } from "../../../src/store/memory/documents.ts";

Deno.test("what is read is a copy: neither the writer's nor a reader's change reaches the store", async () => {
  const documents = createMemoryDocuments(() => 0);
  const value = { list: [1] };
  await documents.put([{ key: "a", value }]);
  value.list.push(2);
  const read = (await documents.get("a"))?.value as { list: number[] };
  assert.deepEqual(read, { list: [1] });
  read.list.push(3);
  assert.deepEqual((await documents.get("a"))?.value, { list: [1] });
});

Deno.test("a change that fails in one of its parts changes nothing", async () => {
  const documents = createMemoryDocuments(() => 0);
  const circular: { self?: unknown } = {};
  circular.self = circular;
  await assert.rejects(
    documents.put([{ key: "a", value: 1 }, { key: "b", value: circular as never }]),
    TypeError,
  );
  assert.equal(await documents.get("a"), null);
  assert.equal(
    await documents.put([{ key: "a", value: 1 }, { key: "b", value: 1, expect: "9" }]),
    null,
  );
  assert.equal(await documents.get("a"), null);
});

Deno.test("an expired document reads as absent, is not listed, and may be written anew", async () => {
  let now = 0;
  const documents = createMemoryDocuments(() => now);
  await documents.put([{ key: "x/a", value: 1, ttlMs: 10 }, { key: "x/b", value: 2 }]);
  now = 10;
  assert.equal(await documents.get("x/a"), null);
  assert.deepEqual((await documents.list("x/", { limit: 1 })).map(({ key }) => key), ["x/b"]);
  assert.ok(await documents.put([{ key: "x/a", value: 3, expect: null }]));
  documents.removeExpired();
  assert.equal((await documents.get("x/a"))?.value, 3);
});
