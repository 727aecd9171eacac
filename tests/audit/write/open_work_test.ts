import assert from "node:assert/strict";
import { placeEvent } from "../../../src/audit/audit_record.ts";
import { createOpenWork, describeUnknown } from "../../../src/audit/write/open_work.ts";
import type { AuditEvent, AuditRecord } from "../../../src/model/event.ts";

const record = (event: AuditEvent, seq = 0): AuditRecord =>
  placeEvent(event, { chain: "main", seq, ts: 0, prev: "" });
const allowed = { effect: "allow", because: [], bundle: "b" } as const;

Deno.test("see() opens calls and executions and ends them, and a copy goes its own way", () => {
  const open = createOpenWork();
  open.see(record({ kind: "execution.start", execution: "e" }, 1));
  open.see(record({ kind: "call.intent", call: "e:0", decision: allowed }, 2));
  open.see(
    record({ kind: "call.intent", call: "e:1", decision: { ...allowed, effect: "deny" } }, 3),
  );
  open.see(record({ kind: "call.intent", call: "e:2" }, 4));
  assert.deepEqual(open.entries(), [["execution:e", 1], ["call:e:0", 2], ["call:e:2", 4]]);
  const copy = open.copy();
  copy.see(record({ kind: "call.outcome", call: "e:0" }, 5));
  copy.see(record({ kind: "execution.end", execution: "e" }, 6));
  assert.deepEqual(copy.entries(), [["call:e:2", 4]]);
  assert.deepEqual(open.calls(), ["e:0", "e:2"]);
});

Deno.test("see() forgets the oldest above 100,000 and not at that bound", () => {
  const names = Array.from({ length: 99_999 }, (_, n): [string, number] => [`call:${n}`, n]);
  const open = createOpenWork(names);
  open.see(record({ kind: "call.intent", call: "x" }, 100_000));
  assert.equal(open.calls()[0], "0");
  open.see(record({ kind: "call.intent", call: "y" }, 100_001));
  const calls = open.calls();
  assert.deepEqual([calls.length, calls[0], calls.at(-1)], [100_000, "1", "y"]);
});

Deno.test("describeUnknown() ends a call as a call and an execution as an execution", () => {
  const actor = { sub: "ada", iss: "keys", client: "cli", groups: [], scopes: [] };
  const tool = { server: "pay", name: "refund" };
  const about = { actor, space: "s", task: "t", trace: "0", execution: "e" };
  const call = describeUnknown(record({ ...about, kind: "call.intent", call: "e:0", tool }));
  const { err, ...rest } = call;
  assert.equal(err?.code, "ERR_OUTCOME_UNKNOWN");
  assert.deepEqual(rest, {
    ...about,
    kind: "call.outcome",
    call: "e:0",
    tool,
    result: { status: "unknown" },
  });
  const execution = describeUnknown(record({ ...about, kind: "execution.start" }));
  assert.deepEqual([execution.kind, execution.call, execution.execution], [
    "execution.end",
    undefined,
    "e",
  ]);
});
