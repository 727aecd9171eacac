import assert from "node:assert/strict";
import { type ErrorCode, GateError } from "../../../../src/model/errors.ts";
import { hasEnded } from "../../../../src/supervisor/call/passage.ts";
import type { QuotaRequest } from "../../../../src/supervisor/call/quota_gate.ts";
import { reserveCall } from "../../../../src/supervisor/call/reserve_call.ts";
import { contextOf, passageOf, permittedOf, recorder, TOOL } from "./stages_fixture.ts";

const full = (code: ErrorCode) => ({
  reserve: () =>
    Promise.resolve({
      ok: false as const,
      limit: "refund-day",
      freesAt: null,
      error: new GateError(code, "The limit is used up", { hint: "" }),
    }),
});

Deno.test("reserveCall() asks for exactly this call and holds what it got", async () => {
  const { deps, events, order } = recorder();
  const asked: QuotaRequest[] = [];
  const quotas = {
    reserve(request: QuotaRequest) {
      asked.push(request);
      const quota = {
        settle: () => Promise.resolve(void order.push("settle")),
        refund: () => Promise.resolve(void order.push("refund")),
      };
      return Promise.resolve({ ok: true as const, quota });
    },
  };
  const permitted = permittedOf();
  const step = await reserveCall({ ...deps, quotas }, permitted);
  assert.ok(!hasEnded(step));
  const { context: { principal }, policy, args } = permitted;
  assert.deepEqual(asked, [
    { principal, space: "default", execution: "e1", tool: TOOL, args, policy },
  ]);
  assert.equal(step.policyMs, 5);
  await step.quota.refund();
  assert.deepEqual([events, order], [[], ["refund"]]);
});

Deno.test("reserveCall() records which limit was hit, then the outcome", async () => {
  const context = contextOf({ taint: { tainted: true, sources: new Set() } });
  const { deps, events, order } = recorder();
  const quotas = full("ERR_LIMIT_REACHED");
  const step = await reserveCall({ ...deps, quotas }, permittedOf(passageOf({ context })));
  assert.ok(hasEnded(step) && !step.ended.ok);
  assert.equal(step.ended.error.code, "ERR_LIMIT_REACHED");
  assert.deepEqual(order, ["limit.hit", "call.outcome"]);
  assert.deepEqual(events.map(({ detail }) => detail), [
    { tainted: true, limit: "refund-day", freesAt: null },
    { tainted: true, limit: "refund-day" },
  ]);
});

Deno.test("reserveCall() marks a limit that asks instead of refusing", async () => {
  const { deps, events } = recorder();
  await reserveCall({ ...deps, quotas: full("ERR_APPROVAL_REQUIRED") }, permittedOf());
  assert.equal(events[0]?.detail?.over, "ask");
  assert.equal(events[1]?.result?.status, "ERR_APPROVAL_REQUIRED");
});

Deno.test("reserveCall() does not refuse before the hit of the limit is durable", async () => {
  const { deps } = recorder();
  const failing = new GateError("ERR_AUDIT_UNAVAILABLE", "Disk full", { hint: "" });
  const audit = { append: () => Promise.reject(failing) };
  const quotas = full("ERR_LIMIT_REACHED");
  await assert.rejects(reserveCall({ ...deps, audit, quotas }, permittedOf()), failing);
});

Deno.test("reserveCall() fails with a store that fails", async () => {
  const { deps, events } = recorder();
  const failing = new GateError("ERR_STORE", "Gone", { hint: "" });
  const quotas = { reserve: () => Promise.reject(failing) };
  await assert.rejects(reserveCall({ ...deps, quotas }, permittedOf()), failing);
  assert.deepEqual(events, []);
});
