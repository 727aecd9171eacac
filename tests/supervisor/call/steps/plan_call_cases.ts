import assert from "node:assert/strict";
import { isPlanned, planCall } from "../../../../src/supervisor/call/plan_call.ts";
import { makeTool } from "../../../policy/sample_tools.ts";
import { ALLOWED, contextOf, passageOf, permittedOf, recorder } from "./stages_fixture.ts";

Deno.test("isPlanned() is true of every call of a dry run that does more than read", () => {
  const cases = [
    [true, "write", true],
    [true, "destructive", true],
    [true, "read", false],
    [false, "write", false],
    [false, "destructive", false],
  ] as const;
  for (const [dryRun, access, planned] of cases) {
    const call = permittedOf(passageOf({ context: contextOf({ dryRun }) }));
    const decided = { ...call, decision: { ...ALLOWED, access } };
    assert.equal(isPlanned(decided), planned, `${dryRun} ${access}`);
  }
});

Deno.test("planCall() answers with a placeholder and records arguments and answer", () => {
  const { deps, events, payloads } = recorder();
  const tool = makeTool("pay", "refund", {
    outputSchema: { type: "object", properties: { id: { type: "integer", minimum: 1 } } },
  });
  const context = contextOf({ dryRun: true });
  const outcome = planCall(deps, permittedOf(passageOf({ context }), tool));
  assert.ok(outcome.ok);
  assert.deepEqual([outcome.value, outcome.sent, outcome.bytes], [{ id: 1 }, false, 0]);
  assert.deepEqual(context.planned, [{ tool: "pay.refund", args: { amount: 40 } }]);
  assert.equal(events[0]?.result?.status, "planned");
  assert.deepEqual(payloads, [{ args: '{"amount":40}', result: '{"id":1}' }]);
});
