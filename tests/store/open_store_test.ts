import assert from "node:assert/strict";
import { openStore } from "../../src/store/open_store.ts";

Deno.test("the configuration's word chooses the store", async () => {
  const folder = await Deno.makeTempDir();
  const memory = await openStore("memory:");
  const file = await openStore(`kv:${folder}/deep/store.kv`);
  assert.equal(memory.kind, "memory");
  assert.equal(file.kind, "kv");
  assert.ok((await Deno.stat(`${folder}/deep/store.kv`)).isFile);
  await memory.close();
  await file.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("another word is refused with those that there are, and without its password", async () => {
  for (const url of ["redis://user:SECRET@host/0", "store.kv", "", "memory"]) {
    await assert.rejects(openStore(url), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, "ERR_CONFIG");
      assert.ok(!error.message.includes("SECRET"));
      assert.match(error.hint ?? "", /kv:<path>.*postgres:.*memory:/);
      return true;
    });
  }
});
