import assert from "node:assert/strict";
import { GateError } from "../../../../src/model/errors.ts";
import type { UpstreamCall } from "../../../../src/model/upstream.ts";
import { sendCall } from "../../../../src/supervisor/call/send_call.ts";
import { answerOf, contextOf, intendedOf, passageOf, policyOf } from "./stages_fixture.ts";

function upstreamOf(answer: (call: UpstreamCall) => ReturnType<typeof answerOf>) {
  const calls: UpstreamCall[] = [];
  const times = [10, 17];
  return {
    calls,
    deps: {
      now: () => times.shift() ?? 0,
      upstreams: {
        call(call: UpstreamCall) {
          calls.push(call);
          return Promise.resolve().then(() => answer(call));
        },
      },
    },
  };
}

Deno.test("sendCall() sends what was decided, under the key of its intent", async () => {
  const answer = answerOf();
  const { calls, deps } = upstreamOf(() => answer);
  const context = contextOf({ traceparent: "00-1-2-00" });
  const sent = await sendCall(deps, intendedOf([], passageOf({ context })));
  assert.deepEqual(sent.reply, { answer });
  assert.equal(sent.upstreamMs, 7);
  const [call] = calls;
  assert.deepEqual([call?.server, call?.name, call?.args], ["pay", "refund", { amount: 40 }]);
  assert.deepEqual([call?.idempotencyKey, call?.traceparent], ["e1:0", "00-1-2-00"]);
  assert.equal(call?.principal, context.principal);
  assert.equal(call?.resultBytesMax, context.limits.toolResultBytesMax);
});

Deno.test("sendCall() takes a failure of the upstream as its reply", async () => {
  const failure = new GateError("ERR_UPSTREAM_TIMEOUT", "Too slow", { hint: "" });
  const { deps } = upstreamOf(() => {
    throw failure;
  });
  const sent = await sendCall(deps, intendedOf([]));
  assert.deepEqual(sent.reply, { failure });
  assert.equal(sent.upstreamMs, 7);
});

Deno.test("sendCall() stops with its execution and with its own call", async () => {
  for (const owner of ["execution", "call"] as const) {
    const stop = new AbortController();
    const { calls, deps } = upstreamOf(() => answerOf());
    const context = contextOf(owner === "execution" ? { signal: stop.signal } : {});
    const call = owner === "call" ? { signal: stop.signal } : {};
    await sendCall(deps, intendedOf([], passageOf({ context, call })));
    assert.equal(calls[0]?.signal.aborted, false);
    stop.abort();
    assert.equal(calls[0]?.signal.aborted, true, owner);
  }
});

Deno.test("sendCall() keeps an upstream's words on progress back where results are redacted", async () => {
  const heard: unknown[] = [];
  const { deps } = upstreamOf(({ onProgress }) => {
    onProgress?.({ progress: 1, total: 2, message: "key sk-123" });
    return answerOf();
  });
  const policy = policyOf({ output: { redact: ["secrets"], schema: "off" } });
  const call = { onProgress: (progress: unknown) => void heard.push(progress) };
  await sendCall(deps, intendedOf([], passageOf({ call, policy })));
  assert.deepEqual(heard, [{ progress: 1, total: 2 }]);
});
