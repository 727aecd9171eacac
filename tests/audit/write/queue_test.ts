import assert from "node:assert/strict";
import {
  AUDIT_LIMITS,
  createAuditQueue,
  describeRefused,
  isAnnouncement,
  ownEvent,
  storedBytesOf,
  type Waiting,
} from "../../../src/audit/write/queue.ts";
import { placeEvent } from "../../../src/audit/audit_record.ts";
import type { AuditEvent, AuditKind } from "../../../src/model/event.ts";

const LIMITS = { ...AUDIT_LIMITS, batchRecordsMax: 3, batchPayloadCharactersMax: 10 };

function waiting(name: string, characters = 0, kind: AuditKind = "call.outcome"): Waiting {
  return { ...ownEvent({ kind, call: name }, 0), own: false, characters };
}

const namesOf = (waitings: readonly Waiting[]) => waitings.map(({ event }) => event.call).join("");

Deno.test("take() ends a batch at the bound of records, of characters, and behind a checkpoint", () => {
  const taken = (...waitings: Waiting[]) => {
    const queue = createAuditQueue(LIMITS);
    for (const one of waitings) queue.push(one);
    const batches: string[] = [];
    while (queue.length() > 0) batches.push(namesOf(queue.take()));
    return batches;
  };
  assert.deepEqual(taken(...["a", "b", "c", "d"].map((name) => waiting(name))), ["abc", "d"]);
  assert.deepEqual(taken(waiting("a", 5), waiting("b", 5), waiting("c", 1)), ["ab", "c"]);
  assert.deepEqual(taken(waiting("a", 5), waiting("b", 6)), ["a", "b"]);
  assert.deepEqual(taken(waiting("a", 11), waiting("b")), ["a", "b"], "alone it is taken anyway");
  assert.deepEqual(taken(waiting("a", 0, "checkpoint"), waiting("b")), ["a", "b"]);
});

Deno.test("putBack() puts what was taken in front, and its characters count again", () => {
  const limits = { ...LIMITS, queueCharactersMax: 8 };
  const queue = createAuditQueue(limits);
  for (const one of [waiting("a", 4), waiting("b", 4), waiting("c")]) queue.push(one);
  assert.equal(queue.isFull(), true);
  const batch = queue.take();
  assert.equal(queue.isFull(), false);
  queue.push(waiting("d"));
  queue.putBack(batch);
  assert.equal(queue.isFull(), true);
  assert.equal(namesOf(queue.all()), "abcd");
  assert.equal(namesOf(queue.remove(({ characters }) => characters > 0)), "ab");
  assert.equal(queue.isFull(), false);
});

Deno.test("isFull() is true at the bound and not below it", () => {
  const queue = createAuditQueue({ ...LIMITS, queueRecordsMax: 2 });
  queue.push(waiting("a"));
  assert.equal(queue.isFull(), false);
  queue.push(waiting("b"));
  assert.equal(queue.isFull(), true);
});

Deno.test("isAnnouncement() knows what comes before a deed, and never the log's own records", () => {
  const announces = (kind: AuditKind) => isAnnouncement(waiting("a", 0, kind));
  assert.deepEqual(
    ["call.intent", "execution.start", "search", "admin"].map((kind) =>
      announces(kind as AuditKind)
    ),
    [true, true, true, true],
  );
  assert.deepEqual(
    ["call.outcome", "execution.end", "limit.hit", "checkpoint"].map((kind) =>
      announces(kind as AuditKind)
    ),
    [false, false, false, false],
  );
  assert.equal(isAnnouncement(ownEvent({ kind: "admin" }, 0)), false);
});

Deno.test("describeRefused() ends a call and an execution, and names any other announcement", () => {
  const described = (event: AuditEvent) => {
    const { kind, result, call, execution, detail, err } = describeRefused(
      placeEvent(event, { chain: "main", seq: 7, ts: 0, prev: "" }),
    );
    assert.equal(err?.code, "ERR_AUDIT_UNAVAILABLE");
    return { kind, status: result?.status, call, execution, seq: detail?.seq };
  };
  const none = { status: undefined, call: undefined, execution: undefined, seq: undefined };
  assert.deepEqual(described({ kind: "call.intent", call: "e:0", execution: "e" }), {
    ...none,
    kind: "call.outcome",
    status: "refused",
    call: "e:0",
    execution: "e",
  });
  assert.deepEqual(described({ kind: "execution.start", execution: "e" }), {
    ...none,
    kind: "execution.end",
    status: "refused",
    execution: "e",
  });
  assert.deepEqual(described({ kind: "search" }), { ...none, kind: "admin", seq: 7 });
});

Deno.test("storedBytesOf() counts the record, its error up to a record's size, and its payloads", () => {
  const plain = storedBytesOf({ kind: "search" }, null);
  assert.equal(storedBytesOf({ kind: "search" }, { args: ["salt", "12345"] }), plain + 5);
  assert.equal(storedBytesOf({ kind: "search" }, { large: "id", bytes: 900 }), plain + 900);
  const err = (length: number): AuditEvent => ({
    kind: "search",
    err: { code: "ERR_INTERNAL", message: "x".repeat(length) },
  });
  assert.equal(storedBytesOf(err(10), null), plain + 20);
  assert.equal(storedBytesOf(err(1_000_000), null), plain + 32_768);
});
