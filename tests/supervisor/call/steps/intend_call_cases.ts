import assert from "node:assert/strict";
import { GateError } from "../../../../src/model/errors.ts";
import type { AuditEvent } from "../../../../src/model/event.ts";
import { intendCall } from "../../../../src/supervisor/call/intend_call.ts";
import { hasEnded } from "../../../../src/supervisor/call/passage.ts";
import { contextOf, passageOf, recorder, reservedOf } from "./stages_fixture.ts";

const REFUSED = new GateError("ERR_AUDIT_UNAVAILABLE", "Disk full", { hint: "Free space" });

Deno.test("intendCall() records arguments, key and time, and ends nothing", async () => {
  const { deps, events, payloads, order } = recorder();
  const step = await intendCall(deps, reservedOf(order));
  assert.ok(!hasEnded(step));
  assert.equal(step.idempotencyKey, "e1:0");
  assert.deepEqual(order, ["call.intent"]);
  assert.deepEqual(events[0]?.upstream, { idempotencyKey: "e1:0" });
  assert.deepEqual(events[0]?.ms, { policy: 1.23 });
  assert.deepEqual(payloads, [{ args: '{"amount":40}' }]);
});

Deno.test("intendCall() makes no call when the intent is not durable, and gives the quota back", async () => {
  const { deps, order } = recorder();
  const audit = { append: () => Promise.reject(REFUSED) };
  const step = await intendCall({ ...deps, audit }, reservedOf(order));
  assert.ok(hasEnded(step) && !step.ended.ok);
  assert.equal(step.ended.error.code, "ERR_AUDIT_UNAVAILABLE");
  assert.match(step.ended.error.hint, /^This call was not made\. Free space/);
  assert.equal(step.ended.sent, false);
  assert.deepEqual(order, ["refund"]);
});

Deno.test("intendCall() records no intent of an execution whose start was refused", async () => {
  const { deps, order } = recorder();
  const context = contextOf({ start: { refused: REFUSED } });
  const step = await intendCall(deps, reservedOf(order, passageOf({ context })));
  assert.ok(hasEnded(step) && !step.ended.ok);
  assert.deepEqual(order, ["refund"]);
});

Deno.test("intendCall() withdraws a call whose program ended while its intent was written", async () => {
  for (const owner of ["execution", "call", "start"] as const) {
    const { deps, events, order } = recorder();
    const stop = new AbortController();
    const context = contextOf(owner === "execution" ? { signal: stop.signal } : {});
    const call = owner === "call" ? { signal: stop.signal } : {};
    const audit = {
      append(event: AuditEvent) {
        stop.abort();
        if (owner === "start") context.start.refused = REFUSED;
        return deps.audit.append(event);
      },
    };
    const step = await intendCall(
      { ...deps, audit },
      reservedOf(order, passageOf({ context, call })),
    );
    assert.ok(hasEnded(step) && !step.ended.ok, owner);
    assert.equal(step.ended.sent, false);
    assert.deepEqual(order, ["call.intent", "refund", "call.outcome"], owner);
    assert.equal(events[1]?.result?.status, "refused");
    const code = owner === "start" ? "ERR_AUDIT_UNAVAILABLE" : "ERR_CANCELLED";
    assert.equal(events[1]?.err?.code, code);
  }
});
