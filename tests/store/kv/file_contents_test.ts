import assert from "node:assert/strict";
import { openFileContents } from "../../../src/store/kv/file_contents.ts";

/** A store's file that an engine has open, as the store has it. */
async function withFile(use: (path: string, kv: Deno.Kv) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-contents-" });
  const path = `${folder}/store.kv`;
  const kv = await Deno.openKv(path);
  await kv.set(["d", "a"], new Uint8Array(100));
  try {
    await use(path, kv);
  } finally {
    kv.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("while SQLite alone writes, every look finds nothing wrong", async () => {
  await withFile(async (path, kv) => {
    const contents = openFileContents(path);
    for (let n = 0; n < 5; n++) {
      for (let i = 0; i < 30; i++) await kv.set(["d", `${n}/${i}`], new Uint8Array(2_000));
      assert.equal(await contents.look(), null);
    }
    contents.close();
  });
});

Deno.test("a file with another start was overwritten; one look alone does not say so", async () => {
  await withFile(async (path) => {
    const contents = openFileContents(path);
    const file = await Deno.open(path, { write: true });
    await file.write(new TextEncoder().encode("something else altogether"));
    file.close();
    assert.equal(await contents.look(), null);
    assert.equal(await contents.look(), "was overwritten");
    contents.close();
  });
});

Deno.test("a file that only has another time is read as a whole, and is well", async () => {
  await withFile(async (path) => {
    const contents = openFileContents(path);
    await Deno.utime(path, 1, 1);
    assert.equal(await contents.look(), null);
    assert.equal(await contents.look(), null);
    assert.equal(await contents.look(), null);
    contents.close();
  });
});

Deno.test("bytes that another program appended are told", async () => {
  await withFile(async (path) => {
    const contents = openFileContents(path);
    await Deno.writeFile(path, new Uint8Array(4_096), { append: true });
    await contents.look();
    assert.equal(await contents.look(), "was written by another program");
    contents.close();
  });
});
