import assert from "node:assert/strict";
import { createCallers } from "../../../src/audit/write/callers.ts";
import {
  AUDIT_LIMITS,
  createAuditQueue,
  ownEvent,
  type Waiting,
} from "../../../src/audit/write/queue.ts";
import { createTrouble } from "../../../src/audit/write/trouble.ts";
import { GateError } from "../../../src/model/errors.ts";
import type { AuditKind } from "../../../src/model/event.ts";

function open() {
  const limits = { ...AUDIT_LIMITS, factPatienceMs: 1_000 };
  const queue = createAuditQueue(limits);
  const trouble = createTrouble({ now: () => 5_000, log: () => {} });
  trouble.begin("the disk is full");
  const told: string[] = [];
  const waiting = (name: string, kind: AuditKind, ts = 5_000): Waiting => ({
    ...ownEvent({ kind }, ts),
    own: false,
    reject(error) {
      assert.ok(error instanceof GateError && error.code === "ERR_AUDIT_UNAVAILABLE");
      told.push(`${name}: ${error.message}`);
    },
  });
  return {
    callers: createCallers({ queue, trouble, limits, now: () => 5_000 }),
    queue,
    trouble,
    told,
    waiting,
  };
}

Deno.test("refuseAnnouncements() refuses what is queued and in flight once, and no fact", () => {
  const { callers, queue, trouble, told, waiting } = open();
  queue.push(waiting("queued intent", "call.intent"));
  queue.push(waiting("queued outcome", "call.outcome"));
  queue.push(ownEvent({ kind: "admin" }, 0));
  const inFlight = [waiting("sent intent", "call.intent"), waiting("sent outcome", "call.outcome")];
  callers.refuseAnnouncements(inFlight, "it is full");
  callers.refuseAnnouncements(inFlight, "it is full");
  assert.deepEqual(told, [
    "queued intent: Cannot write the audit log: it is full",
    "sent intent: Cannot write the audit log: it is full",
  ]);
  assert.equal(queue.length(), 2);
  assert.equal(trouble.describe()?.detail?.refused, 2);
});

Deno.test("releasePatient() releases callers above their patience; their facts stay queued", () => {
  const { callers, queue, told, waiting } = open();
  queue.push(waiting("just", "call.outcome", 4_000));
  queue.push(waiting("over", "call.outcome", 3_999));
  callers.releasePatient([waiting("sent", "call.outcome", 0)]);
  assert.deepEqual(told, [
    "sent: Cannot write the audit log: the disk is full",
    "over: Cannot write the audit log: the disk is full",
  ]);
  assert.equal(queue.length(), 2);
});
