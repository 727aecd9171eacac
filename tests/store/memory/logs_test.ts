import assert from "node:assert/strict";
import { createMemoryLogs } from "../../../src/store/memory/logs.ts";
import { FencedError } from "../../../src/store/store.ts";
import { entriesOf, entryOf } from "../kv/kv_fixture.ts";

const nothing = () => {};

Deno.test("a refused append writes nothing beside it, nor does one whose side fails append", async () => {
  const logs = createMemoryLogs();
  let beside = 0;
  logs.append(entriesOf(0, 2), () => beside++);
  assert.throws(() => logs.append([entryOf(5)], () => beside++), FencedError);
  assert.throws(() => logs.append([entryOf(2, { ts: 0 })], () => beside++), RangeError);
  assert.equal(beside, 1);
  const fail = () => {
    throw new RangeError("too large");
  };
  assert.throws(() => logs.append([entryOf(2)], fail), /too large/);
  assert.equal((await logs.head("r"))?.seq, 1);
});

Deno.test("retention keeps the last entry of each log, and numbers go on behind it", async () => {
  const logs = createMemoryLogs();
  logs.append(entriesOf(0, 5), nothing);
  logs.append(entriesOf(0, 2, { log: "q" }), nothing);
  assert.equal(logs.trim(Infinity, "r"), 4);
  assert.equal(logs.trim(Infinity, undefined), 1);
  assert.equal(logs.trim(Infinity, undefined), 0);
  logs.append([entryOf(5)], nothing);
  assert.deepEqual((await logs.scan({ log: "r" })).entries.map(({ seq }) => seq), [5, 4]);
  assert.deepEqual(await logs.logs(), ["q", "r"]);
});
