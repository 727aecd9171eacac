import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { openKvStore } from "../../../src/store/kv/kv_store.ts";
import type { LogEntry } from "../../../src/store/store.ts";
import { testStoreConformance } from "../store_conformance.ts";

testStoreConformance({ name: "kv memory", open: (now) => openKvStore(":memory:", now) });

testStoreConformance({
  name: "kv file",
  open: async (now) => {
    const folder = await Deno.makeTempDir();
    const store = await openKvStore(`${folder}/deep/store.kv`, now);
    return {
      ...store,
      async close() {
        await store.close();
        await Deno.remove(folder, { recursive: true });
      },
    };
  },
});

Deno.test("openKvStore() makes a file that nobody else can read, and leaves one that is there", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/store.kv`;
  const modeOf = async (file: string) => ((await Deno.stat(file)).mode ?? 0) & 0o777;
  const first = await openKvStore(path);
  await first.put([{ key: "k", value: "v" }]);
  for (const suffix of ["", "-wal", "-shm"]) assert.equal(await modeOf(path + suffix), 0o600);
  await first.close();
  await Deno.chmod(path, 0o640);
  const second = await openKvStore(path);
  assert.equal((await second.get("k"))?.value, "v");
  assert.equal(await modeOf(path), 0o640);
  await second.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openKvStore() finds everything again after a close", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/store.kv`;
  const first = await openKvStore(path);
  await first.put([{ key: "k", value: "v" }]);
  await first.add("c", 7, { max: 10, ttlMs: 60_000 });
  const entry = { log: "r", seq: 0, ts: 1, principal: "p", tool: "t", execution: "e", body: "{}" };
  await first.append([entry]);
  await first.add("c", 1);
  await first.close();
  const second = await openKvStore(path);
  assert.equal((await second.get("k"))?.value, "v");
  assert.deepEqual(await second.add("c", 3, { max: 10 }), { ok: false, value: 8 });
  assert.deepEqual(await second.head("r"), entry);
  assert.deepEqual((await second.scan({ principal: "p" })).entries, [entry]);
  await second.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openKvStore() finds old and new entries by their labels after a start", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/store.kv`;
  const first = await openKvStore(path);
  const all = Array.from({ length: 10_000 }, (_, seq) => ({
    log: "r",
    seq,
    ts: 1_000 + seq,
    principal: `p${seq % 97}`,
    tool: "t",
    execution: `0198c7a2-5b1e-7000-8000-${seq}`,
    kind: "intent",
    body: `{"n":${seq}}`,
  }));
  for (let start = 0; start < all.length; start += 777) {
    await first.append(all.slice(start, start + 777));
  }
  await first.close();
  const second = await openKvStore(path);
  const { entries } = await second.scan({ principal: "p5", limit: 1_000 });
  assert.deepEqual(entries, all.filter(({ seq }) => seq % 97 === 5).reverse());
  for (const seq of [0, 4_095, 4_096, 8_191, 9_999]) {
    const found = await second.scan({ execution: all[seq]?.execution ?? "" });
    assert.deepEqual(found.entries, [all[seq]]);
  }
  await second.append([{ ...all[0], seq: 10_000, ts: 20_000 } as LogEntry]);
  assert.equal((await second.scan({ principal: "p0", limit: 1 })).entries[0]?.seq, 10_000);
  await second.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openKvStore() refuses a file that is open already and names the process", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/store.kv`;
  const store = await openKvStore(path);
  await assert.rejects(openKvStore(path), (error) => {
    assert.ok(error instanceof GateError);
    assert.equal(error.code, "ERR_STORE");
    assert.match(error.message, new RegExp(`process ${Deno.pid} has it open`));
    return true;
  });
  await store.close();
  const again = await openKvStore(path);
  await again.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openKvStore() says that a file is not a store", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/store.kv`;
  await Deno.writeTextFile(path, "this is not a database ".repeat(100));
  await assert.rejects(openKvStore(path), (error) => {
    assert.ok(error instanceof GateError);
    assert.equal(error.code, "ERR_STORE");
    assert.match(error.message, /store\.kv/);
    assert.match(error.hint, /damaged/);
    return true;
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a kv store collects the chunks of overwritten, deleted and refused documents", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/store.kv`;
  const store = await openKvStore(path);
  const large = "x".repeat(1_000_000);
  await store.put([{ key: "a", value: large }]);
  await store.put([{ key: "a", value: `${large}2` }]);
  await store.put([{ key: "b", value: large }]);
  await store.put([{ key: "b", value: null }]);
  await store.put([{ key: "a", value: large, expect: null }]);
  await store.put([{ key: "a", value: 1 }]);
  await store.close();
  const kv = await Deno.openKv(path);
  const keys = await Array.fromAsync(kv.list({ prefix: [] }), ({ key }) => key);
  kv.close();
  assert.deepEqual(keys, [["d", "a"]]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a kv store gives a stable error after it was closed", async () => {
  const store = await openKvStore(":memory:");
  await store.close();
  await assert.rejects(store.get("k"), (error) => error instanceof GateError);
  await store.close();
});
