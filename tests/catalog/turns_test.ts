import assert from "node:assert/strict";
import { createTurns } from "../../src/catalog/turns.ts";

Deno.test("createTurns() does the work on one server in order, and on another meanwhile", async () => {
  const inTurn = createTurns();
  const first = Promise.withResolvers<void>();
  const done: string[] = [];
  const works = [
    inTurn("crm", async () => void done.push(await first.promise.then(() => "crm 1"))),
    inTurn("crm", async () => void done.push(await Promise.resolve("crm 2"))),
    inTurn("billing", async () => void done.push(await Promise.resolve("billing"))),
  ];
  await works[2];
  assert.deepEqual(done, ["billing"]);
  first.resolve();
  await Promise.all(works);
  assert.deepEqual(done, ["billing", "crm 1", "crm 2"]);
});

Deno.test("createTurns() goes on after work that failed, and tells only whoever asked for it", async () => {
  const inTurn = createTurns();
  const failed = inTurn("crm", () => Promise.reject(new Error("no")));
  const next = inTurn("crm", () => Promise.resolve(2));
  await assert.rejects(failed, /no/);
  assert.equal(await next, 2);
});
