import assert from "node:assert/strict";
import { FencedError } from "../../../src/store/store.ts";
import { entriesOf, entryOf, logOf, withKv } from "./kv_fixture.ts";

Deno.test("logs that begin at once do not mix", async () => {
  await withKv(async (kv) => {
    const log = logOf(kv);
    const names = Array.from({ length: 8 }, (_, n) => `log${n}`);
    await Promise.all(names.map((name) => log.append([entryOf(0, { log: name })])));
    assert.deepEqual(await log.logs(), names);
    const ordinals = await Array.fromAsync(
      kv.list<{ ordinal: number }>({ prefix: ["g"] }),
      ({ value }) => value.ordinal,
    );
    assert.equal(new Set(ordinals).size, names.length);
    for (const name of names) assert.equal((await log.head(name))?.log, name);
  });
});

Deno.test("only the next entry is appended, and only if no other writer was faster", async () => {
  await withKv(async (kv) => {
    const one = logOf(kv);
    const other = logOf(kv);
    await one.append(entriesOf(0, 3));
    await assert.rejects(one.append([entryOf(5)]), FencedError);
    await assert.rejects(one.append([entryOf(2)]), FencedError);
    await assert.rejects(one.append([entryOf(3, { log: "new" })]), FencedError);
    assert.equal((await other.head("r"))?.seq, 2);
    await other.append([entryOf(3)]);
    await assert.rejects(one.append([entryOf(3)]), FencedError);
    assert.deepEqual(one.settled, [true, false], "what rode along hears that it was not written");
    await one.append([entryOf(4)]);
    assert.equal((await other.head("r"))?.seq, 4);
  });
});

Deno.test("time never goes back within a log, also after a start", async () => {
  await withKv(async (kv) => {
    await logOf(kv).append(entriesOf(0, 3));
    await assert.rejects(logOf(kv).append([entryOf(3, { ts: 1_001 })]), RangeError);
    await logOf(kv).append([entryOf(3, { ts: 1_002 })]);
  });
});

Deno.test("after a commit of unknown outcome the log is read again", async () => {
  await withKv(async (kv) => {
    const log = logOf(kv);
    await log.append([entryOf(0)]);
    const atomic = kv.atomic.bind(kv);
    kv.atomic = () => {
      const operation = atomic();
      const commit = operation.commit.bind(operation);
      operation.commit = async () => {
        await commit();
        throw new Error("disk I/O error");
      };
      return operation;
    };
    await assert.rejects(log.append([entryOf(1)]), { code: "ERR_STORE" });
    kv.atomic = atomic;
    assert.deepEqual(log.settled, [true, false]);
    assert.equal((await log.head("r"))?.seq, 1);
    await log.append([entryOf(2)]);
    assert.equal((await log.scan({})).entries.length, 3);
  });
});
