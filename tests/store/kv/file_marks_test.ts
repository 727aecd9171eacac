import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { isStoreHeader, openMarkReader } from "../../../src/store/kv/file_marks.ts";

/** A database in WAL mode that a test may write and spoil. */
async function withDatabase(
  use: (path: string, database: DatabaseSync) => void | Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-marks-" });
  const path = `${folder}/store.kv`;
  const database = new DatabaseSync(path);
  database.exec("pragma journal_mode = wal; create table kv (k blob primary key, v blob)");
  database.exec("insert into kv values (x'01', x'02')");
  try {
    await use(path, database);
  } finally {
    database.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("marks stay the same while nothing happens, and the file's while SQLite writes its log", async () => {
  await withDatabase((path, database) => {
    const reader = openMarkReader(path);
    const before = reader.read();
    assert.ok(isStoreHeader(before.header));
    assert.equal(before.logProblem, null);
    assert.deepEqual(reader.read(), before);
    database.exec("insert into kv values (x'02', x'02')");
    assert.deepEqual(reader.read(), before, "it went into the write-ahead log");
    reader.close();
  });
});

Deno.test("a checkpoint of SQLite changes the checkpoint's mark", async () => {
  await withDatabase((path, database) => {
    const reader = openMarkReader(path);
    const before = reader.read();
    database.exec("pragma wal_checkpoint(truncate); insert into kv values (x'03', x'02')");
    const after = reader.read();
    assert.notEqual(after.checkpoint, before.checkpoint);
    assert.notEqual(after.header, before.header);
    assert.equal(after.logProblem, null);
    reader.close();
  });
});

Deno.test("a log that was cut or overwritten is told", async () => {
  await withDatabase((path) => {
    const reader = openMarkReader(path);
    const log = Deno.readFileSync(`${path}-wal`);
    Deno.truncateSync(`${path}-wal`, 100);
    assert.equal(reader.read().logProblem, "was cut");
    Deno.writeFileSync(`${path}-wal`, new Uint8Array(log.length), { create: false });
    assert.equal(reader.read().logProblem, "was overwritten");
    Deno.writeFileSync(`${path}-wal`, log, { create: false });
    assert.equal(reader.read().logProblem, null);
    reader.close();
  });
});

Deno.test("another file's start is not a store's, and missing files are an error", () => {
  assert.ok(!isStoreHeader(new TextEncoder().encode("SQLite format 4\0").toHex()));
  assert.ok(!isStoreHeader(""));
  assert.throws(() => openMarkReader("/nonexistent/store.kv"), Deno.errors.NotFound);
});
