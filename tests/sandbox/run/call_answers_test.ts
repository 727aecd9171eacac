import assert from "node:assert/strict";
import { readMessages } from "../../../src/rpc/protocol.ts";
import { createCallAnswers } from "../../../src/sandbox/run/call_answers.ts";
import { internalFailure } from "../../../src/sandbox/run/refuse_call.ts";

/** Answers that note what is written; each write takes until `release` is called. */
function recordedAnswers() {
  const written: string[] = [];
  let release = () => {};
  const answers = createCallAnswers((messages) => {
    written.push(messages);
    return new Promise<void>((resolve) => release = resolve);
  });
  return { answers, written, release: () => release() };
}

const nextTurn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("createCallAnswers() sends answers of one turn together, with whole milliseconds", async () => {
  const { answers, written, release } = recordedAnswers();
  void answers.send(0, { ok: true, json: "1" });
  void answers.send(1, { ok: true, json: "2", atMs: 7.9 });
  await nextTurn();
  release();
  assert.equal(written.length, 1);
  const messages = readMessages(written[0]!, 10)!;
  assert.deepEqual(messages.map(({ id, fields }) => [id, ...fields]), [[0, "1", ""], [
    1,
    "2",
    "7",
  ]]);
});

Deno.test("createCallAnswers() remembers which call failed and how", async () => {
  const { answers, release } = recordedAnswers();
  const failure = internalFailure({ server: "math", tool: "add" });
  await answers.send(3, failure);
  assert.equal(answers.failureOf(3), failure);
  assert.equal(answers.failureOf(2), undefined);
  await nextTurn();
  release();
});

Deno.test("createCallAnswers() makes whoever sends much wait for the pipe", async () => {
  const { answers, release } = recordedAnswers();
  const long = "x".repeat(300_000);
  await answers.send(0, { ok: true, json: "1" });
  await nextTurn();
  let isSent = false;
  const sent = answers.send(1, { ok: true, json: long }).then(() => isSent = true);
  await nextTurn();
  assert.ok(!isSent);
  release();
  await nextTurn();
  release();
  await sent;
});

Deno.test("createCallAnswers() sends nothing after close()", async () => {
  const { answers, written } = recordedAnswers();
  void answers.send(0, { ok: true, json: "1" });
  answers.close();
  await nextTurn();
  assert.deepEqual(written, []);
});
