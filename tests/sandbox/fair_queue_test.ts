import assert from "node:assert/strict";
import { createFairQueue } from "../../src/sandbox/fair_queue.ts";

function filled(): ReturnType<typeof createFairQueue<string>> {
  const queue = createFairQueue<string>();
  for (const entry of ["a1", "a2", "a3", "b1", "c1", "c2"]) queue.push(entry[0]!, entry);
  return queue;
}

Deno.test("createFairQueue() serves owners in turn, each in order", () => {
  const queue = filled();
  const taken: string[] = [];
  queue.takeWhere((entry) => {
    taken.push(entry);
    return true;
  });
  assert.deepEqual(taken, ["a1", "b1", "c1", "a2", "c2", "a3"]);
  assert.equal(queue.size, 0);
});

Deno.test("createFairQueue() goes on where it stopped", () => {
  const queue = filled();
  const taken: string[] = [];
  let room = 2;
  const take = (entry: string) => room > 0 && (room--, taken.push(entry), true);
  queue.takeWhere(take);
  room = 2;
  queue.takeWhere(take);
  assert.deepEqual(taken, ["a1", "b1", "c1", "a2"]);
  assert.equal(queue.size, 2);
});

Deno.test("createFairQueue() offers no owner more than its first entry when that is refused", () => {
  const queue = filled();
  const offered: string[] = [];
  queue.takeWhere((entry) => {
    offered.push(entry);
    return false;
  });
  assert.deepEqual(offered, ["a1", "b1", "c1"]);
  assert.equal(queue.size, 6);
});

Deno.test("createFairQueue() removes and drains", () => {
  const queue = filled();
  assert.ok(queue.has("a2") && queue.remove("a2") && !queue.has("a2"));
  assert.equal(queue.remove("zz"), false);
  assert.equal(queue.size, 5);
  assert.deepEqual(queue.drain(), ["a1", "a3", "b1", "c1", "c2"]);
  assert.equal(queue.size, 0);
});
