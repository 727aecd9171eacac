import assert from "node:assert/strict";
import { createGatheredWriter } from "../../src/rpc/gathered_writer.ts";

Deno.test("texts of one turn share a write up to the bound, in order; a longer one has its own", async () => {
  const written: string[] = [];
  const writer = createGatheredWriter((text) => {
    written.push(text);
    return Promise.resolve();
  }, 4);
  const all = ["aa", "bb", "c", "dddddd", "e"].map((text) => writer.push(text));
  assert.equal(writer.waitingChars(), 12);
  await Promise.all(all);
  assert.deepEqual(written, ["aabb", "c", "dddddd", "e"]);
  assert.equal(writer.waitingChars(), 0);
});

Deno.test("texts that come while a write is under way share the next, and no two are under way", async () => {
  const written: string[] = [];
  const first = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const writer = createGatheredWriter((text) => {
    written.push(text);
    begun.resolve();
    return first.promise;
  }, 100);
  const one = writer.push("1");
  await begun.promise;
  const others = [writer.push("2"), writer.push("3")];
  assert.deepEqual(written, ["1"]);
  first.resolve();
  await Promise.all([one, ...others]);
  assert.deepEqual(written, ["1", "23"]);
});

Deno.test("a write that fails is told to those who wait, and the next goes on", async () => {
  let fails = true;
  const written: string[] = [];
  const writer = createGatheredWriter((text) => {
    if (fails) return Promise.reject(new Error("broken"));
    written.push(text);
    return Promise.resolve();
  }, 100);
  await assert.rejects(writer.push("lost"), /broken/);
  fails = false;
  await writer.push("kept");
  assert.deepEqual(written, ["kept"]);
});
