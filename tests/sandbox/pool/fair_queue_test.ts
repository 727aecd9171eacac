import assert from "node:assert/strict";
import { createFairQueue, type FairQueue } from "../../../src/sandbox/pool/fair_queue.ts";

interface Entry {
  readonly owner: string;
  readonly flow: string;
  readonly name: string;
}

/** `a1` is the first entry of owner `a`; `ax1` the first in its flow `x`. */
function queueOf(names: readonly string[]): FairQueue<Entry> {
  const queue = createFairQueue<Entry>();
  for (const name of names) queue.push(entryOf(name));
  return queue;
}

function entryOf(name: string): Entry {
  return { owner: name[0]!, flow: name.slice(1, -1), name };
}

function takeNames(queue: FairQueue<Entry>, room = Infinity): string[] {
  const taken: string[] = [];
  queue.takeWhere(({ name }) => room-- > 0 && taken.push(name) > 0);
  return taken;
}

const NAMES = ["a1", "a2", "a3", "b1", "c1", "c2"];

Deno.test("createFairQueue() serves owners in turn, each in order", () => {
  const queue = queueOf(NAMES);
  assert.deepEqual(takeNames(queue), ["a1", "b1", "c1", "a2", "c2", "a3"]);
  assert.equal(queue.size, 0);
});

Deno.test("createFairQueue() serves the flows of an owner in turn, and gives no owner more for them", () => {
  const queue = queueOf(["ax1", "ax2", "ax3", "ay1", "b1", "b2"]);
  assert.deepEqual(takeNames(queue), ["ax1", "b1", "ay1", "b2", "ax2", "ax3"]);
});

Deno.test("createFairQueue() goes on where it stopped", () => {
  const queue = queueOf(NAMES);
  assert.deepEqual([...takeNames(queue, 2), ...takeNames(queue, 2)], ["a1", "b1", "c1", "a2"]);
  assert.equal(queue.size, 2);
});

Deno.test("createFairQueue() offers no flow more than its first entry when that is refused", () => {
  const queue = queueOf([...NAMES, "ax1", "ax2"]);
  const offered: string[] = [];
  queue.takeWhere(({ name }) => {
    offered.push(name);
    return false;
  });
  assert.deepEqual(offered, ["a1", "ax1", "b1", "c1"]);
  assert.equal(queue.size, 8);
});

Deno.test("createFairQueue() takes from a flow whose owner's other flow is refused", () => {
  const queue = queueOf(["ax1", "ax2", "ay1", "ay2"]);
  const taken: string[] = [];
  queue.takeWhere(({ flow, name }) => flow === "y" && taken.push(name) > 0);
  assert.deepEqual(taken, ["ay1", "ay2"]);
});

Deno.test("createFairQueue() removes the last of the longest flow of the longest owner", () => {
  const queue = queueOf(["ax1", "ax2", "ay1", "b1"]);
  const add = (name: string) => {
    queue.push(entryOf(name));
    return queue.removeFromLongest(entryOf(name)).name;
  };
  assert.equal(add("b2"), "ax2");
  // Now both have two entries: whoever comes is the one too many.
  const newcomer = entryOf("b3");
  queue.push(newcomer);
  assert.equal(queue.removeFromLongest(newcomer), newcomer);
  assert.deepEqual(takeNames(queue).sort(), ["ax1", "ay1", "b1", "b2"]);
});

Deno.test("createFairQueue() removes and drains", () => {
  const queue = createFairQueue<Entry>();
  const entries = NAMES.map(entryOf);
  for (const entry of entries) queue.push(entry);
  assert.ok(queue.remove(entries[1]!));
  assert.equal(queue.remove(entries[1]!), false);
  assert.equal(queue.remove(entryOf("zz1")), false);
  assert.equal(queue.size, 5);
  assert.deepEqual(queue.drain().map(({ name }) => name), ["a1", "a3", "b1", "c1", "c2"]);
  assert.equal(queue.size, 0);
});
