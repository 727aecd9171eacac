import assert from "node:assert/strict";
import type { AuditRecord } from "../../src/model/event.ts";
import { taskKeyOf } from "../../src/usage/task_key.ts";
import { writeLog } from "./usage_fixture.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

function record(change: Partial<AuditRecord>): AuditRecord {
  const log = writeLog();
  log.add(0, "search");
  return { ...log.records[0] as AuditRecord, ...change };
}

const sourceOf = (change: Partial<AuditRecord>) => taskKeyOf(record(change))?.source;

Deno.test("a client's task comes before its trace, a trace before the session", () => {
  const trace = `00-${TRACE}-00f067aa0ba902b7-01`;
  assert.equal(sourceOf({ task: "t1", trace }), "task");
  assert.equal(sourceOf({ task: "session:s1", trace }), "trace");
  assert.equal(sourceOf({ task: "session:s1" }), "session");
  assert.equal(sourceOf({}), "gap");
});

Deno.test("a trace that is not one makes no task", () => {
  for (
    const trace of [
      "",
      "00-xyz-1-01",
      `00-${TRACE}`,
      `0-${TRACE}-1-01`,
      `00-${TRACE.toUpperCase()}-1`,
    ]
  ) {
    assert.equal(sourceOf({ trace }), "gap", trace);
  }
});

Deno.test("spans of one trace are one task, and the same id of another principal is another", () => {
  const key = (change: Partial<AuditRecord>) => taskKeyOf(record(change))?.key;
  assert.equal(key({ trace: `00-${TRACE}-1-01` }), key({ trace: `00-${TRACE}-2-00` }));
  const actor = record({}).actor;
  assert.ok(actor !== undefined);
  assert.notEqual(key({ task: "t" }), key({ task: "t", actor: { ...actor, sub: "bob" } }));
  assert.notEqual(key({ task: "t" }), key({ task: "t", actor: { ...actor, iss: "other" } }));
  assert.notEqual(key({ task: "desk" }), key({}), "a task that is named like a client");
});

Deno.test("what nobody caused belongs to no task", () => {
  const { actor: _, ...withoutActor } = record({ task: "t" });
  assert.equal(taskKeyOf(withoutActor), null);
});
