import assert from "node:assert/strict";
import { CALL_VALUES_MAX } from "../../../../src/rpc/json_depth.ts";
import { checkCall } from "../../../../src/supervisor/call/check_call.ts";
import { hasEnded } from "../../../../src/supervisor/call/passage.ts";
import { makeTool } from "../../../policy/sample_tools.ts";
import { contextOf, foundOf, passageOf, recorder } from "./stages_fixture.ts";

const OPEN = makeTool("pay", "refund", { inputSchema: true });

async function check(args: unknown, tool?: typeof OPEN, context = contextOf()) {
  const { deps, events, payloads } = recorder();
  const step = await checkCall(deps, foundOf(passageOf({ call: { args }, context }), tool));
  return { step, events, payloads };
}

Deno.test("checkCall() lets arguments through that fit, and records nothing", async () => {
  const { step, events } = await check({ amount: 40 });
  assert.ok(!hasEnded(step));
  assert.deepEqual(step.args, { amount: 40 });
  assert.equal(step.argsText, '{"amount":40}');
  assert.equal(step.checkedFrom, 5);
  assert.deepEqual(events, []);
});

Deno.test("checkCall() takes no arguments as an empty object", async () => {
  for (const none of [undefined, null]) {
    const { step } = await check(none);
    assert.ok(!hasEnded(step));
    assert.deepEqual([step.args, step.argsText], [{}, "{}"]);
  }
});

Deno.test("checkCall() reads exact integers, and keeps the text as it was given", async () => {
  const schema = {
    type: "object",
    properties: { id: { type: ["integer", "string"], format: "int64" } },
  };
  const tool = makeTool("pay", "refund", { inputSchema: schema });
  const { step } = await check({ id: "9007199254740993" }, tool);
  assert.ok(!hasEnded(step));
  assert.deepEqual(step.args, { id: 9007199254740993n });
  assert.equal(step.argsText, '{"id":"9007199254740993"}');
});

Deno.test("checkCall() refuses what does not fit, with its record, before any decision", async () => {
  const { step, events, payloads } = await check({ amount: "much" });
  assert.ok(hasEnded(step) && !step.ended.ok);
  assert.equal(step.ended.error.code, "ERR_INVALID_ARGUMENTS");
  assert.equal(step.ended.sent, false);
  assert.equal(events[0]?.kind, "call.outcome");
  assert.equal(events[0]?.decision, undefined);
  assert.equal(events[0]?.result?.status, "ERR_INVALID_ARGUMENTS");
  assert.match(JSON.stringify(payloads[0]), /much/);
});

Deno.test("checkCall() refuses more bytes than the limit, at the bound and one above it", async () => {
  const limits = { ...contextOf().limits, toolArgumentBytesMax: 20 };
  const context = contextOf({ limits });
  const atBound = await check({ text: "x".repeat(9) }, OPEN, context);
  const above = await check({ text: "x".repeat(10) }, OPEN, context);
  assert.ok(!hasEnded(atBound.step));
  assert.ok(hasEnded(above.step) && !above.step.ended.ok);
  assert.match(above.step.ended.error.message, /are 21 bytes, the limit is 20/);
});

Deno.test("checkCall() keeps arguments with too many values out of the record", async () => {
  const { step, payloads } = await check(Array(CALL_VALUES_MAX).fill(7), OPEN);
  assert.ok(hasEnded(step) && !step.ended.ok);
  assert.match(step.ended.error.message, /more than 100000 values/);
  assert.ok(JSON.stringify(payloads[0]).length < 200);
});
