import assert from "node:assert/strict";
import { createTopicBus } from "../../src/store/topic_bus.ts";

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

Deno.test("a message reaches each listener of its topic once, after notify() has returned", async () => {
  const bus = createTopicBus();
  const heard: string[] = [];
  bus.subscribe("a", (message) => heard.push(`1 ${message}`));
  bus.subscribe("a", (message) => heard.push(`2 ${message}`));
  bus.subscribe("b", (message) => heard.push(`b ${message}`));
  bus.notify("a", "x");
  assert.deepEqual(heard, []);
  await settled();
  assert.deepEqual(heard, ["1 x", "2 x"]);
  bus.notify("nobody", "y");
  await settled();
  assert.equal(heard.length, 2);
});

Deno.test("a listener that has stopped hears nothing, not even what was sent just before", async () => {
  const bus = createTopicBus();
  const heard: string[] = [];
  const stop = bus.subscribe("a", (message) => heard.push(message));
  bus.notify("a", "too late");
  stop();
  stop();
  await settled();
  assert.deepEqual(heard, []);
});

Deno.test("stopping twice leaves a later listener of the topic alone", async () => {
  const bus = createTopicBus();
  const heard: string[] = [];
  const stop = bus.subscribe("a", () => {});
  stop();
  bus.subscribe("a", (message) => heard.push(message));
  stop();
  bus.notify("a", "x");
  await settled();
  assert.deepEqual(heard, ["x"]);
});
