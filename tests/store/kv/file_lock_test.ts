import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { lockStoreFile } from "../../../src/store/kv/file_lock.ts";

async function withPath(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-lock-" });
  try {
    await use(`${folder}/store.kv`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("lockStoreFile() takes a lock file that a dead process left behind", async () => {
  await withPath(async (path) => {
    await Deno.writeTextFile(`${path}.lock`, `${Deno.ppid}\n`);
    (await lockStoreFile(path)).release();
  });
});

Deno.test("lockStoreFile() refuses a file system without locks instead of going on without one", async () => {
  await withPath(async (path) => {
    const open = async (name: string, options: Deno.OpenOptions) => {
      const file = await Deno.open(name, options);
      file.tryLock = () => Promise.reject(new Error("No locks available (os error 37)"));
      return file;
    };
    await assert.rejects(lockStoreFile(path, open), (error) => {
      assert.ok(error instanceof GateError);
      assert.equal(error.code, "ERR_STORE");
      assert.match(error.message, /its file system has no locks/);
      assert.equal(error.retryAfterMs, undefined, "waiting does not help");
      return true;
    });
  });
});

Deno.test("lockStoreFile() does not trust a lock on a file whose name was taken away", async () => {
  await withPath(async (path) => {
    const open = async (name: string, options: Deno.OpenOptions) => {
      const file = await Deno.open(name, options);
      await Deno.remove(name);
      return file;
    };
    await assert.rejects(lockStoreFile(path, open), { code: "ERR_STORE" });
    const lock = await lockStoreFile(path);
    await assert.rejects(lockStoreFile(path), /has it open/);
    lock.release();
  });
});
