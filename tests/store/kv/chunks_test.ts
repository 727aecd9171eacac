import assert from "node:assert/strict";
import {
  chunksOfMark,
  loadChunks,
  removeChunks,
  removeOrphans,
  writeChunks,
} from "../../../src/store/kv/chunks.ts";
import { keysOf, withKv } from "./kv_fixture.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("chunks are read as one text, also where a character was cut", async () => {
  await withKv(async (kv) => {
    const whole = bytes("aé漢".repeat(40));
    const parts = Array.from({ length: 24 }, (_, n) => whole.slice(n * 10, n * 10 + 10));
    const chunks = { id: "i", count: parts.length };
    await writeChunks(kv, chunks, parts, 77);
    assert.equal(await loadChunks(kv, chunks), "aé漢".repeat(40));
    const marks = (await keysOf(kv)).filter(([kind]) => kind === "e");
    assert.equal(marks.length, 1, "trim knows of chunks that no row names");
    assert.equal(marks[0]?.[1], 77);
    assert.deepEqual(chunksOfMark(marks[0]?.[3] as string), chunks);
  });
});

Deno.test("a value of which a chunk is missing is not half a value", async () => {
  await withKv(async (kv) => {
    const chunks = { id: "i", count: 12 };
    await writeChunks(kv, chunks, Array.from({ length: 12 }, () => bytes("x")), 1);
    await kv.delete(["c", "i", 11]);
    assert.equal(await loadChunks(kv, chunks), null);
  });
});

Deno.test("removed are the chunks of the lists and no others, above one commit's bound, too", async () => {
  await withKv(async (kv) => {
    const many = { id: "many", count: 501 };
    await writeChunks(kv, many, Array.from({ length: 501 }, () => bytes("x")), 1);
    await writeChunks(kv, { id: "kept", count: 1 }, [bytes("x")], 1);
    await removeChunks(kv, [many]);
    assert.deepEqual((await keysOf(kv)).filter(([kind]) => kind === "c"), [["c", "kept", 0]]);
  });
});

Deno.test("orphans go with their marks", async () => {
  await withKv(async (kv) => {
    const chunks = { id: "i", count: 2 };
    await writeChunks(kv, chunks, [bytes("a"), bytes("b")], 5);
    await removeOrphans(kv, [chunks], 5);
    assert.deepEqual(await keysOf(kv), []);
    await removeOrphans(kv, [], 5);
  });
});
