import assert from "node:assert/strict";
import type { Decision, DecisionRequest } from "../../../../src/model/decision.ts";
import { decideCall } from "../../../../src/supervisor/call/decide_call.ts";
import { hasEnded } from "../../../../src/supervisor/call/passage.ts";
import {
  ALLOWED,
  checkedOf,
  contextOf,
  passageOf,
  policyOf,
  recorder,
  TOOL,
} from "./stages_fixture.ts";

function decide(
  decision: Partial<Decision>,
  taint = { tainted: false, sources: new Set<string>() },
) {
  const { deps, events } = recorder();
  const asked: DecisionRequest[] = [];
  const policy = policyOf({
    decide(request) {
      asked.push(request);
      return { ...ALLOWED, ...decision };
    },
  });
  const step = decideCall(deps, checkedOf(passageOf({ policy, context: contextOf({ taint }) })));
  return { step, events, asked };
}

Deno.test("decideCall() asks about exactly this call, with what the program has seen", () => {
  const { asked } = decide({}, { tainted: true, sources: new Set(["web"]) });
  assert.deepEqual(asked, [{
    principal: contextOf().principal,
    space: "default",
    tool: TOOL,
    args: { amount: 40 },
    execution: { tainted: true, sources: ["web"] },
  }]);
});

Deno.test("decideCall() hands on what is allowed and what a person is asked about", () => {
  for (const effect of ["allow", "ask"] as const) {
    const { step, events } = decide({ effect });
    assert.ok(!hasEnded(step));
    assert.equal(step.decision.effect, effect);
    assert.deepEqual(events, []);
  }
});

Deno.test("decideCall() ends what is denied, and records the rules and the taint", () => {
  const denied = { effect: "deny", because: ["no-eur"], message: "Use USD" } as const;
  const { step, events } = decide(denied, { tainted: true, sources: new Set() });
  assert.ok(hasEnded(step) && !step.ended.ok);
  assert.equal(step.ended.error.code, "ERR_POLICY_DENIED");
  assert.equal(step.ended.error.hint, "Use USD");
  assert.deepEqual(events[0]?.decision, {
    effect: "deny",
    because: ["no-eur"],
    bundle: "digest",
  });
  assert.deepEqual(events[0]?.detail, { tainted: true });
});

Deno.test("decideCall() says of a hidden tool that it does not exist, and records that it is hidden", () => {
  const { step, events } = decide({ effect: "hidden", because: ["space"] });
  assert.ok(hasEnded(step) && !step.ended.ok);
  assert.equal(step.ended.error.code, "ERR_TOOL_NOT_FOUND");
  assert.doesNotMatch(JSON.stringify(step.ended), /space|hidden/);
  assert.equal(events[0]?.decision?.effect, "hidden");
});
