import assert from "node:assert/strict";
import { findCall } from "../../../../src/supervisor/call/find_call.ts";
import { hasEnded, type Passage } from "../../../../src/supervisor/call/passage.ts";
import { makePrincipal } from "../../../policy/sample_tools.ts";
import { contextOf, passageOf, policyOf, recorder, snapshotOf, TOOL } from "./stages_fixture.ts";

const HIDING = policyOf({ visibility: () => null, classify: () => "destructive" });

function endOf(passage: Passage, snapshot = snapshotOf()) {
  const { deps, events } = recorder();
  const step = findCall({ ...deps, snapshot: () => snapshot }, passage);
  assert.ok(hasEnded(step) && !step.ended.ok);
  return { ended: step.ended, error: step.ended.error, event: events[0] };
}

Deno.test("findCall() finds the tool of a call and records nothing", () => {
  const { deps, events } = recorder();
  const snapshot = snapshotOf();
  const step = findCall({ ...deps, snapshot: () => snapshot }, passageOf());
  assert.ok(!hasEnded(step));
  assert.equal(step.tool, TOOL);
  assert.equal(step.snapshot, snapshot);
  assert.deepEqual(events, []);
});

Deno.test("findCall() says the same of a hidden tool and of none, and records which it was", () => {
  const hidden = endOf(passageOf({ policy: HIDING }));
  const missing = endOf(passageOf(), snapshotOf({ tools: new Map() }));
  assert.deepEqual(hidden.ended, missing.ended);
  assert.equal(hidden.error.code, "ERR_TOOL_NOT_FOUND");
  assert.deepEqual(hidden.event?.decision?.because, ["hidden"]);
  assert.deepEqual(hidden.event?.tool, {
    server: "pay",
    name: "refund",
    access: "destructive",
    pin: TOOL.pin,
  });
  assert.deepEqual(missing.event?.decision?.because, ["no-such-tool"]);
  assert.deepEqual(missing.event?.tool, { server: "pay", name: "refund" });
});

Deno.test("findCall() tells only an administrator that a tool is quarantined", () => {
  const snapshot = snapshotOf({
    tools: new Map(),
    quarantined: [{
      server: "pay",
      name: "refund",
      reason: "drift",
      detail: "Its description has changed",
    }],
  });
  const principal = makePrincipal({ scopes: ["admin"] });
  const told = endOf(passageOf({ context: contextOf({ principal }) }), snapshot);
  const other = endOf(passageOf(), snapshot);
  assert.equal(told.error.code, "ERR_TOOL_UNAVAILABLE");
  assert.equal(other.error.code, "ERR_TOOL_NOT_FOUND");
  assert.doesNotMatch(JSON.stringify(other.ended), /drift|changed/);
  assert.deepEqual(other.event?.decision?.because, ["drift"]);
});

Deno.test("findCall() bounds the names of a tool that does not exist", () => {
  const call = { server: "s".repeat(1_000), tool: "t".repeat(1_000) };
  const { ended, error, event } = endOf(passageOf({ call }));
  assert.equal(ended.tool.length, 300);
  assert.ok(error.message.length < 400);
  assert.equal(event?.tool?.server.length, 100);
  assert.equal(event?.tool?.name.length, 200);
});
