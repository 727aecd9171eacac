import assert from "node:assert/strict";
import { type ErrorCode, GateError } from "../../../../src/model/errors.ts";
import type { Policy } from "../../../../src/policy/policy.ts";
import { createOutputGate } from "../../../../src/supervisor/call/output_gate.ts";
import type { SentCall } from "../../../../src/supervisor/call/passage.ts";
import { settleCall } from "../../../../src/supervisor/call/settle_call.ts";
import {
  answerOf,
  contextOf,
  passageOf,
  policyOf,
  recorder,
  sentOf,
  TOOL,
} from "./stages_fixture.ts";

async function settle(
  reply: SentCall["reply"],
  { policy = {}, countTokens = (text: string) => text.length, change = {} }: {
    readonly policy?: Partial<Policy>;
    readonly countTokens?: (text: string) => number;
    readonly change?: Partial<SentCall>;
  } = {},
) {
  const { deps, events, order, payloads } = recorder();
  const context = contextOf();
  const observed: unknown[] = [];
  const sent = sentOf(order, reply, passageOf({ context, policy: policyOf(policy) }));
  const outcome = await settleCall({
    ...deps,
    output: createOutputGate(),
    countTokens,
    observeResult: (tool, value) => void observed.push([tool.id, value]),
  }, { ...sent, ...change });
  return { outcome, order, event: events[0], events, payload: payloads[0], context, observed };
}

Deno.test("settleCall() settles what the answer really used, then records it", async () => {
  const price = () => 0.5;
  const { outcome, order, event, payload, observed } = await settle({ answer: answerOf() }, {
    policy: { price },
  });
  assert.ok(outcome.ok && outcome.sent && outcome.isIntact);
  assert.deepEqual([outcome.value, outcome.json], [{ ok: true }, '{"ok":true}']);
  assert.deepEqual(order, ["settle 11 11", "call.outcome", "span null"]);
  assert.deepEqual(event?.result, { status: "ok", bytes: 11 });
  assert.deepEqual(event?.upstream, { idempotencyKey: "e1:0", credential: "none" });
  assert.equal(event?.cost, 0.5);
  assert.deepEqual([event?.ms?.policy, event?.ms?.upstream], [1.23, 7]);
  assert.deepEqual(payload, { result: '{"ok":true}' });
  assert.deepEqual(observed, [[TOOL.id, { ok: true }]]);
});

Deno.test("settleCall() gives the quota back only for a call that never left", async () => {
  const cases: readonly (readonly [ErrorCode, boolean])[] = [
    ["ERR_UPSTREAM_UNREACHABLE", false],
    ["ERR_CREDENTIAL", false],
    ["ERR_BUSY", false],
    ["ERR_UPSTREAM_TIMEOUT", true],
    ["ERR_UPSTREAM", true],
    ["ERR_INTERNAL", true],
  ];
  for (const [code, wasSent] of cases) {
    const failure = new GateError(code, "It failed", { hint: "" });
    const { outcome, order, event, context } = await settle({ failure }, {
      policy: { isUntrusted: () => true },
    });
    assert.ok(!outcome.ok);
    assert.deepEqual([outcome.error.code, outcome.sent], [code, wasSent]);
    assert.deepEqual(order, [
      `span ${code}`,
      wasSent ? "settle 0 0" : "refund",
      "call.outcome",
    ]);
    assert.equal(event?.result?.status, code);
    assert.equal(context.taint.tainted, wasSent, code);
  }
});

Deno.test("settleCall() passes a tool's own error on, redacted, and observes nothing", async () => {
  const answer = answerOf({
    isError: true,
    content: [{ type: "text", text: "no such user bob@example.com" }],
    structuredContent: undefined,
  });
  const policy = { output: { redact: ["email" as const], schema: "off" as const } };
  const { outcome, event, observed, order } = await settle({ answer }, { policy });
  assert.ok(!outcome.ok && outcome.sent);
  assert.equal(outcome.error.code, "ERR_UPSTREAM");
  assert.doesNotMatch(JSON.stringify([outcome, event]), /bob@/);
  assert.deepEqual(observed, []);
  assert.deepEqual(order, ["settle 0 0", "call.outcome", "span ERR_UPSTREAM"]);
});

Deno.test("settleCall() never says of an answered call that it was not made", async () => {
  const countTokens = () => {
    throw new Error("secret words of the answer");
  };
  const { outcome, events, order } = await settle({ answer: answerOf() }, { countTokens });
  assert.ok(!outcome.ok && outcome.sent);
  assert.equal(outcome.error.code, "ERR_INTERNAL");
  assert.match(outcome.error.message, /was called, but its answer cannot be used/);
  assert.deepEqual(order, ["span ERR_INTERNAL", "settle 0 0", "call.outcome"]);
  assert.match(String(events[0]?.detail?.defectAt), /settle_call_cases\.ts/);
  assert.doesNotMatch(JSON.stringify([outcome, events]), /secret words/);
});

Deno.test("settleCall() records a limit that could not be settled, and keeps the outcome", async () => {
  const quota = {
    settle: () => Promise.resolve("The store is gone"),
    refund: () => Promise.resolve(null),
  };
  const { outcome, event } = await settle({ answer: answerOf() }, { change: { quota } });
  assert.ok(outcome.ok);
  assert.deepEqual(event?.detail, { limitNotSettled: "The store is gone" });
});

Deno.test("settleCall() taints the execution with what an untrusted tool has answered", async () => {
  for (const isUntrusted of [true, false]) {
    const { context } = await settle({ answer: answerOf() }, {
      policy: { isUntrusted: () => isUntrusted },
    });
    assert.equal(context.taint.tainted, isUntrusted);
    assert.deepEqual([...context.taint.sources], ["pay"]);
  }
});
