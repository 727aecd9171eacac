import assert from "node:assert/strict";
import { GateError } from "../../../../src/model/errors.ts";
import { notMade, refuse } from "../../../../src/supervisor/call/refuse_call.ts";
import { ALLOWED, foundOf, permittedOf, recorder, TOOL } from "./stages_fixture.ts";

const BUSY = new GateError("ERR_BUSY", "Full", { hint: "Wait", retryAfterMs: 50 });

Deno.test("refuse() records why, with the decision only if there was one", () => {
  const { deps, events, payloads } = recorder();
  refuse(deps, foundOf(), { error: BUSY, argsText: "{}" });
  refuse(deps, permittedOf(), { error: BUSY, argsText: "{}", limit: "day" });
  assert.deepEqual(events.map(({ decision }) => decision?.effect), [undefined, "allow"]);
  assert.deepEqual(events.map(({ detail }) => detail), [undefined, { limit: "day" }]);
  assert.deepEqual(
    events.map(({ err }) => err),
    Array(2).fill({
      code: "ERR_BUSY",
      message: "Full",
      hint: "Wait",
    }),
  );
  assert.equal(payloads.length, 2);
});

Deno.test("refuse() answers with the tool and whether a person would have been asked", () => {
  const { deps } = recorder();
  const asked = { ...permittedOf(), decision: { ...ALLOWED, effect: "ask" as const } };
  const denied = refuse(deps, foundOf(), { error: BUSY, argsText: "{}" }).ended;
  const waiting = refuse(deps, asked, { error: BUSY, argsText: "{}" }).ended;
  assert.deepEqual([denied.effect, waiting.effect], ["deny", "ask"]);
  assert.equal(!denied.ok && denied.error.tool, TOOL.id);
  assert.deepEqual([denied.sent, denied.bytes, denied.ms], [false, 0, 5]);
});

Deno.test("notMade() speaks of this call alone, keeps the code and bounds the name", () => {
  const { ok, tool, error } = notMade({ now: () => 9 }, { startedAt: 4 }, "x".repeat(400), BUSY);
  assert.equal(ok, false);
  assert.equal(tool.length, 300);
  assert.equal(error.code, "ERR_BUSY");
  assert.equal(error.retryAfterMs, 50);
  assert.match(error.message, /^Cannot call "x{300}": Full$/);
  assert.equal(error.hint, "This call was not made. Wait");
});
