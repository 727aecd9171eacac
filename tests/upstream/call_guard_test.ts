import assert from "node:assert/strict";
import { GateError } from "../../src/model/errors.ts";
import { createCallGuard } from "../../src/upstream/call_guard.ts";
import { timedOut, unreachable } from "../../src/upstream/upstream_errors.ts";
import {
  callOf,
  openTestUpstreams,
  rawServer,
  temporaryJournal,
  until,
} from "../fakes/upstream_parts.ts";

const CALL = { server: "s", name: "t" };
const never = new AbortController().signal;
const withCode = (code: string) => (error: unknown) =>
  error instanceof GateError && error.code === code;

Deno.test("a guard runs so many calls, lets eight times as many wait, and refuses the next", async () => {
  const guard = createCallGuard({ concurrentCallsMax: 2 });
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await gate.promise;
    running -= 1;
  };
  const calls = Array.from({ length: 2 + 16 }, () => guard.run(CALL, never, work));
  await assert.rejects(guard.run(CALL, never, work), withCode("ERR_BUSY"));
  gate.resolve();
  await Promise.all(calls);
  assert.equal(most, 2);
  await guard.run(CALL, never, () => Promise.resolve());
});

Deno.test("five failures in a row open the breaker, four do not", async () => {
  const guard = createCallGuard({ concurrentCallsMax: 4 });
  let calls = 0;
  const fail = () => {
    calls += 1;
    return Promise.reject(timedOut(CALL, 10));
  };
  const failOften = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await assert.rejects(guard.run(CALL, never, fail), withCode("ERR_UPSTREAM_TIMEOUT"));
    }
  };
  await failOften(4);
  await guard.run(CALL, never, () => Promise.resolve());
  await failOften(5);
  assert.equal(calls, 9);
  await assert.rejects(
    guard.run(CALL, never, fail),
    (error) =>
      withCode("ERR_UPSTREAM_UNREACHABLE")(error) &&
      (error as GateError).retryAfterMs !== undefined,
  );
  assert.equal(calls, 9);
});

Deno.test("the breaker lets one call try again, and closes when it works", async () => {
  const guard = createCallGuard({ concurrentCallsMax: 4 });
  for (let i = 0; i < 5; i++) {
    await guard.run(CALL, never, () => Promise.reject(unreachable(CALL, "is off"))).catch(() => {});
  }
  const answer = await until(
    "it may be tried",
    () => guard.run(CALL, never, () => Promise.resolve("back")).catch(() => null),
  );
  assert.equal(answer, "back");
  assert.equal(await guard.run(CALL, never, () => Promise.resolve("again")), "again");
});

Deno.test("a tool's odd answers never open the breaker", async () => {
  const guard = createCallGuard({ concurrentCallsMax: 4 });
  const odd = () => Promise.reject(new GateError("ERR_UPSTREAM_RESULT", "odd", { hint: "" }));
  for (let i = 0; i < 20; i++) {
    await assert.rejects(guard.run(CALL, never, odd), withCode("ERR_UPSTREAM_RESULT"));
  }
});

Deno.test("who cancels stops waiting at once, in the queue and in the call", async () => {
  const guard = createCallGuard({ concurrentCallsMax: 1 });
  const stop = new AbortController();
  const forever = Promise.withResolvers<void>();
  const running = guard.run(CALL, stop.signal, () => forever.promise);
  const waiting = guard.run(CALL, stop.signal, () => forever.promise);
  stop.abort();
  await assert.rejects(running, withCode("ERR_CANCELLED"));
  await assert.rejects(waiting, withCode("ERR_CANCELLED"));
  await assert.rejects(
    guard.run(CALL, stop.signal, () => forever.promise),
    withCode("ERR_CANCELLED"),
  );
  assert.equal(await guard.run(CALL, never, () => Promise.resolve(1)), 1);
});

Deno.test("one upstream's full queue leaves the others alone", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({
    mcpServers: {
      narrow: rawServer(journal.path, { concurrentCallsMax: 1 }),
      wide: rawServer(journal.path),
    },
  });
  const stop = new AbortController();
  const stuck = Array.from(
    { length: 9 },
    () => upstreams.call(callOf("narrow", "hang", {}, { signal: stop.signal })),
  );
  await assert.rejects(upstreams.call(callOf("narrow", "echo")), withCode("ERR_BUSY"));
  const answer = await upstreams.call(callOf("wide", "echo", { free: true }));
  assert.deepEqual(answer.structuredContent, { free: true });
  stop.abort();
  const outcomes = await Promise.allSettled(stuck);
  assert.ok(
    outcomes.every((outcome) =>
      outcome.status === "rejected" && withCode("ERR_CANCELLED")(outcome.reason)
    ),
  );
});
