import assert from "node:assert/strict";
import type { Standing } from "../../../src/sandbox/pool/conduct.ts";
import { refusedOutcome } from "../../../src/sandbox/pool/pool_refusals.ts";
import { createNamesRenderer } from "../../../src/sandbox/pool/render_names.ts";
import {
  createWaitingProgram,
  originOf,
  outcomeOf,
} from "../../../src/sandbox/pool/waiting_program.ts";
import { LIMITS, NAMES } from "../open_pool.ts";

function waitingFor(session: string | null, standing: Standing = "new") {
  const seed = { epochMs: 1, random: "r" };
  const program = { principalKey: "alice", session, code: "1", limits: LIMITS, names: NAMES, seed };
  return createWaitingProgram({
    program,
    limits: { ...LIMITS, memoryMb: 64 },
    origin: originOf(program),
    standing,
    names: "[]",
    onCall: () => Promise.reject(new Error("makes no call")),
  });
}

Deno.test("createWaitingProgram() gives the good programs of a session a flow of their own", () => {
  const flows = [
    waitingFor("s"),
    waitingFor("s", "struck"),
    waitingFor("t"),
    waitingFor(null),
    waitingFor("null"),
  ].map(({ flow }) => flow);
  assert.equal(new Set(flows).size, flows.length);
  assert.equal(waitingFor("s").flow, flows[0]);
});

Deno.test("createWaitingProgram() runs with the limits of the pool, not the program's own", () => {
  const { run, owner } = waitingFor("s");
  assert.equal(owner, "alice");
  assert.equal(run.limits.memoryMb, 64);
  assert.deepEqual(run.servers, ["math", "sys", "slow"]);
});

Deno.test("outcomeOf() ends a program in the queue at once when its client gives up", async () => {
  const waiting = waitingFor("s");
  const client = new AbortController();
  const outcome = outcomeOf(waiting, client.signal, () => true);
  client.abort();
  assert.equal((await outcome).status, "cancelled");
  assert.ok(waiting.run.signal.aborted);
});

Deno.test("outcomeOf() stops a program that runs and waits for its end", async () => {
  const waiting = waitingFor("s");
  const client = new AbortController();
  const outcome = outcomeOf(waiting, client.signal, () => false);
  client.abort();
  assert.ok(waiting.run.signal.aborted);
  const end = refusedOutcome("ERR_CANCELLED", LIMITS);
  waiting.resolve(end);
  assert.equal(await outcome, end);
});

Deno.test("createNamesRenderer() prints an array once", () => {
  const render = createNamesRenderer();
  const tools = ["add"];
  const names = [{ server: "math", tools }];
  assert.equal(render(null), "");
  assert.equal(render(names), '[{"server":"math","tools":["add"]}]');
  tools.push("later");
  assert.equal(render(names), '[{"server":"math","tools":["add"]}]');
});
