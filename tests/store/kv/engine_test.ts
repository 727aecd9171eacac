import assert from "node:assert/strict";
import { openKvEngine } from "../../../src/store/kv/engine.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-engine-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ignore = () => {};
const nothing = () => Promise.resolve();

Deno.test("a store in memory has no file to look after", async () => {
  const engine = await openKvEngine(":memory:", ignore);
  assert.equal(engine.watch, null);
  await engine.close(nothing);
});

Deno.test("what waits is written before the engine closes, and the lock goes even if that fails", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/store.kv`;
    const engine = await openKvEngine(path, ignore);
    assert.equal(engine.watch?.fault(), null);
    await engine.close(async () => void await engine.kv.set(["a"], 1));
    const next = await openKvEngine(path, ignore);
    assert.equal((await next.kv.get(["a"])).value, 1);
    await assert.rejects(next.close(() => Promise.reject(new Error("disk"))), /disk/);
    await (await openKvEngine(path, ignore)).close(nothing);
  });
});

Deno.test("a missing file beside traces of a store is an error, not an empty store", async () => {
  await withFolder(async (folder) => {
    for (const suffix of [".checkpoints", "-wal", "-wal.lost"]) {
      const path = `${folder}/store${suffix.length}.kv`;
      await Deno.writeTextFile(`${path}${suffix}`, "");
      await (await openKvEngine(path, ignore)).close(nothing);
      await Deno.remove(path);
      await Deno.writeTextFile(`${path}${suffix}`, "left");
      await assert.rejects(openKvEngine(path, ignore), {
        code: "ERR_STORE",
        message: /it is not there/,
        hint: /backup/,
      });
      await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
    }
  });
});

Deno.test("a folder in the file's place is named, and the lock is given back", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/store.kv`;
    await Deno.mkdir(path);
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(openKvEngine(path, ignore), (error: Error & { code?: string }) => {
        assert.equal(error.code, "ERR_STORE");
        assert.ok(error.message.includes(path), error.message);
        return true;
      });
    }
  });
});
