import assert from "node:assert/strict";
import { needsOutcome, placeEvent, toLogEntry, toRecord } from "../../src/audit/audit_record.ts";
import type { AuditEvent } from "../../src/model/event.ts";

const DECISION = { because: [], bundle: "b" };

Deno.test("needsOutcome() holds for every call that may be sent, and for no other", () => {
  const needs = (effect: "allow" | "ask" | "deny" | "hidden", observed?: "deny") =>
    needsOutcome({
      kind: "call.intent",
      call: "e:0",
      decision: { ...DECISION, effect, ...(observed ? { observed } : {}) },
    });
  assert.deepEqual([needs("allow"), needs("ask")], [true, true]);
  assert.deepEqual([needs("deny"), needs("hidden")], [false, false]);
  assert.equal(needs("deny", "deny"), true, "observe mode lets it through");
  assert.equal(needsOutcome({ kind: "call.intent", call: "e:0" }), true);
  assert.equal(needsOutcome({ kind: "call.intent" }), false);
  assert.equal(needsOutcome({ kind: "call.outcome", call: "e:0" }), false);
});

Deno.test("toLogEntry() files a record by who, what and when, without NUL, and keeps its line", () => {
  const event: AuditEvent = {
    kind: "call.outcome",
    actor: { sub: "a\0da", iss: "keys", client: "cli", groups: [], scopes: [] },
    execution: "e",
    call: "e:0",
    tool: { server: "p\0ay", name: "refund" },
    decision: { ...DECISION, effect: "allow" },
    result: { status: "ok" },
  };
  const place = { chain: "main", seq: 3, ts: 1_234, prev: "0".repeat(64) };
  const record = placeEvent(event, place);
  const { body, ...index } = toLogEntry(record);
  assert.deepEqual(index, {
    log: "main",
    seq: 3,
    ts: 1_234,
    principal: "ada",
    tool: "pay.refund",
    execution: "e",
    kind: "call.outcome",
    effect: "allow",
  });
  assert.deepEqual(toRecord({ body, ...index }), record);
  const bare = toLogEntry(placeEvent({ kind: "admin" }, place));
  assert.deepEqual([bare.principal, bare.tool, bare.execution, bare.effect], [
    "",
    "",
    "",
    undefined,
  ]);
});
