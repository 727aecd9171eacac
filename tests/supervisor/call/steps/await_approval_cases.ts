import assert from "node:assert/strict";
import { awaitApproval } from "../../../../src/supervisor/call/await_approval.ts";
import { hasEnded } from "../../../../src/supervisor/call/passage.ts";
import { ALLOWED, checkedOf, permittedOf, recorder } from "./stages_fixture.ts";

Deno.test("awaitApproval() hands on a call that nobody is asked about", () => {
  const { deps, events } = recorder();
  const permitted = permittedOf();
  assert.equal(awaitApproval(deps, permitted), permitted);
  assert.deepEqual(events, []);
});

Deno.test("awaitApproval() ends a call that needs a person, and says whom", () => {
  const { deps, events } = recorder();
  const approval = {
    rule: "big-refund",
    by: "finance-leads",
    message: "",
    expiresMs: 60_000,
    covers: "call" as const,
    max: null,
  };
  const decision = {
    ...ALLOWED,
    effect: "ask" as const,
    because: ["refunds", "big-refund"],
    approval,
    approvals: [approval],
  };
  const step = awaitApproval(deps, { ...checkedOf(), decision });
  assert.ok(hasEnded(step) && !step.ended.ok);
  assert.equal(step.ended.effect, "ask");
  assert.equal(step.ended.sent, false);
  assert.equal(step.ended.error.code, "ERR_APPROVAL_REQUIRED");
  assert.match(step.ended.error.message, /needs the approval of finance-leads/);
  assert.equal(events.length, 1);
  assert.equal(events[0]?.decision?.effect, "ask");
});
