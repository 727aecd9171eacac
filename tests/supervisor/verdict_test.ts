import assert from "node:assert/strict";
import type { AuditEvent } from "../../src/model/event.ts";
import {
  dispositionOf,
  hasEffect,
  isStopped,
  renderReasons,
  verdictOf,
} from "../../src/model/verdict.ts";
import { makeCallOf, OUTCOME_CASES, overLimit } from "./outcome_cases.ts";

Deno.test("only a call that went through is shown as allowed, and whatever stopped it comes first", async (t) => {
  for (const one of OUTCOME_CASES) {
    const { what, effect, reasons } = one;
    await t.step(what, async () => {
      const { outcome, events } = await makeCallOf(one);
      const record = events.findLast(({ kind }) => kind === "call.outcome");
      assert.ok(record !== undefined);
      const verdict = verdictOf(record);
      assert.equal(verdict?.effect, effect);
      assert.equal(renderReasons(verdict?.reasons ?? []), reasons);
      assert.equal(verdict?.effect === "allow", outcome.ok && effect !== "planned");
      // An ask that nobody approved ended the call, too.
      const stopped = ["refused", "deny", "hidden", "ask"].includes(effect);
      assert.equal(isStopped(record), stopped);
      assert.equal(hasEffect(record, "deny"), stopped);
      assert.equal(hasEffect(record, effect), true);
      assert.equal(hasEffect(record, "allow"), effect === "allow");
      assert.equal(dispositionOf(record) === "denied", stopped);
    });
  }
});

Deno.test("a record of a limit names the limit and is never shown as allowed", async () => {
  for (const code of ["ERR_LIMIT_REACHED", "ERR_APPROVAL_REQUIRED"] as const) {
    const deps = overLimit(code);
    const { events } = await makeCallOf({ call: "pay.refund", args: { amount: 5 }, deps });
    const hit = events.find(({ kind }) => kind === "limit.hit") as AuditEvent;
    const verdict = verdictOf(hit);
    assert.equal(verdict?.effect, code === "ERR_LIMIT_REACHED" ? "refused" : "ask");
    assert.match(renderReasons(verdict?.reasons ?? []), /^limit refund-day, /);
  }
});

Deno.test("an outcome that a crash left open is unknown, and a thing that nobody decides has no verdict", () => {
  const lost: AuditEvent = {
    kind: "call.outcome",
    result: { status: "unknown" },
    err: { code: "ERR_OUTCOME_UNKNOWN", message: "The service ended" },
  };
  assert.deepEqual(verdictOf(lost), { effect: "unknown", reasons: [] });
  assert.equal(verdictOf({ kind: "execution.end", result: { status: "ok" } }), null);
});
