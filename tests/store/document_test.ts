import assert from "node:assert/strict";
import { z } from "zod";
import { GateError } from "../../src/model/errors.ts";
import type { Json } from "../../src/model/json/json.ts";
import { document } from "../../src/store/document.ts";
import { openKvStore } from "../../src/store/kv/kv_store.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import type { Store } from "../../src/store/store.ts";

interface Note {
  readonly text: string;
  readonly pages?: number;
}

const NoteSchema: z.ZodType<Note> = z.object({
  text: z.string(),
  pages: z.number().optional(),
});

const notes = document((shelf: string, name: string) => `note/${shelf}/${name}`, NoteSchema, {
  name: "a note",
  remedy: "Write it again",
});

const stores: { readonly [name: string]: (now: () => number) => Promise<Store> } = {
  memory: (now) => Promise.resolve(createMemoryStore(now)),
  kv: (now) => openKvStore(":memory:", now),
};

for (const [name, open] of Object.entries(stores)) {
  Deno.test(`${name}: a document is read as it was set, until it is removed or its time is over`, async () => {
    let now = 1_000;
    const store = await open(() => now);
    const place = notes.at("a", "b");
    assert.equal(place.key, "note/a/b");
    assert.equal(await place.read(store), null);
    const revision = await store.put([place.set({ text: "one", pages: 2 })]);
    assert.deepEqual(await place.read(store), { value: { text: "one", pages: 2 }, revision });
    await store.put([place.remove()]);
    assert.equal(await place.read(store), null);
    await store.put([place.set({ text: "short" }, { ttlMs: 10 })]);
    now += 10;
    assert.equal(await place.read(store), null);
    await store.close();
  });

  Deno.test(`${name}: a change that expects another revision writes and removes nothing`, async () => {
    const store = await open(Date.now);
    const place = notes.at("a", "b");
    const first = await store.put([place.set({ text: "one" }, { expect: null })]);
    assert.ok(first !== null);
    assert.equal(await store.put([place.set({ text: "two" }, { expect: null })]), null);
    const second = await store.put([place.set({ text: "two" }, { expect: first })]);
    assert.equal(await store.put([place.remove({ expect: first })]), null);
    assert.deepEqual(await place.read(store), { value: { text: "two" }, revision: second });
    await store.close();
  });
}

Deno.test("a value that does not fit is an error with its place, the reason and the remedy, and stays", async () => {
  const store = createMemoryStore();
  const place = notes.at("a", "b");
  const misfits: readonly Json[] = [
    {},
    { text: 1 },
    { text: "x", pages: "2" },
    [],
    "text",
    7,
    true,
    { Text: "x" },
  ];
  for (const value of misfits) {
    await store.put([{ key: place.key, value }]);
    await assert.rejects(place.read(store), (error) => {
      assert.ok(error instanceof GateError);
      assert.equal(error.code, "ERR_STORE");
      assert.match(
        error.message,
        /^Cannot use a note as stored under "note\/a\/b": (text|pages|the value): /,
      );
      assert.equal(error.hint, "Write it again");
      return true;
    });
    assert.deepEqual((await store.get(place.key))?.value, value);
  }
});

Deno.test("the error for a value that does not fit does not repeat the value", async () => {
  const store = createMemoryStore();
  const place = notes.at("a", "b");
  await store.put([{ key: place.key, value: { text: ["SECRET"] } }]);
  await assert.rejects(place.read(store), (error) => !`${error}`.includes("SECRET"));
});

Deno.test("members that the schema does not know survive a change of the value", async () => {
  const store = createMemoryStore();
  const place = notes.at("a", "b");
  await store.put([{ key: place.key, value: { text: "one", colour: "red" } }]);
  const stored = await place.read(store);
  assert.ok(stored !== null);
  await store.put([place.set({ ...stored.value, text: "two" }, { expect: stored.revision })]);
  assert.deepEqual((await store.get(place.key))?.value, { text: "two", colour: "red" });
});

Deno.test("valueOf() checks what a list has found", async () => {
  const store = createMemoryStore();
  await store.put([notes.at("a", "1").set({ text: "one" }), { key: "note/a/2", value: 2 }]);
  const [good, bad] = await store.list("note/a/");
  assert.ok(good !== undefined && bad !== undefined);
  assert.deepEqual(notes.valueOf(good), { text: "one" });
  assert.throws(() => notes.valueOf(bad), /"note\/a\/2"/);
});
