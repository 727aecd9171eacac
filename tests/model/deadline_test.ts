import assert from "node:assert/strict";
import { startDeadline, withinDeadline } from "../../src/model/time/deadline.ts";

/** Holds the event loop, as one long piece of work does. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** What came first: the deadline, or an answer that was on its way for `answerMs`. */
async function race(deadlineMs: number, answerMs: number, work: () => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const deadline = startDeadline(deadlineMs, () => resolve("deadline"));
  const answer = setTimeout(() => resolve("answer"), answerMs);
  work();
  const first = await promise;
  deadline.cancel();
  clearTimeout(answer);
  return first;
}

Deno.test("a deadline comes when nothing answers, and not before its time", async () => {
  const startedAt = performance.now();
  assert.equal(await race(200, 60_000, () => {}), "deadline");
  assert.ok(performance.now() - startedAt >= 200);
});

Deno.test("a loop that was held over the whole deadline leaves time for the answer", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const deadline = startDeadline(200, () => resolve("deadline"));
  block(400);
  // The answer takes two turns of the loop, as one does that is read from a socket.
  setTimeout(() => setTimeout(() => resolve("answer"), 1), 1);
  assert.equal(await promise, "answer");
  deadline.cancel();
});

Deno.test("a loop that was held for most of the deadline does not eat up its rest", async () => {
  const work = () => {
    setTimeout(() => block(450), 5);
  };
  assert.equal(await race(500, 520, work), "answer");
});

Deno.test("a deadline that is cancelled never comes", async () => {
  let due = false;
  startDeadline(20, () => due = true).cancel();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(due, false);
});

Deno.test("withinDeadline() gives the answer, its failure, or null when there is none in time", async () => {
  assert.equal(await withinDeadline(Promise.resolve(7), 1_000), 7);
  await assert.rejects(withinDeadline(Promise.reject(new Error("broken")), 1_000), /broken/);
  const { promise, resolve } = Promise.withResolvers<number>();
  assert.equal(await withinDeadline(promise, 20), null);
  resolve(1);
});
