import assert from "node:assert/strict";
import { placeEvent } from "../../../src/audit/audit_record.ts";
import type { KeptPayloads } from "../../../src/audit/payloads/payload_box.ts";
import { SHARED_CHARACTERS_MAX } from "../../../src/audit/payloads/payload_store.ts";
import { createAppendInOrder } from "../../../src/audit/write/append_in_order.ts";
import type { AuditEvent } from "../../../src/model/event.ts";

const LARGE = { result: JSON.stringify("x".repeat(SHARED_CHARACTERS_MAX)) };

/** An append over a writer that notes what it is handed; large payloads are kept when told. */
function open() {
  const handed: string[] = [];
  const kept: string[] = [];
  const storing: { resolve(kept: KeptPayloads): void; reject(error: Error): void }[] = [];
  const large = Promise.withResolvers<void>();
  const append = createAppendInOrder({
    writer: {
      append(event) {
        handed.push(`${event.call}`);
        return Promise.resolve(placeEvent(event, { chain: "main", seq: 0, ts: 0, prev: "" }));
      },
    },
    payloadStore: {
      keep(salted) {
        if ((salted.result?.[1].length ?? 0) < SHARED_CHARACTERS_MAX) return salted;
        const { promise, resolve, reject } = Promise.withResolvers<KeptPayloads>();
        storing.push({ resolve, reject });
        large.resolve();
        return promise;
      },
    },
    keepsPayloads: true,
    onKept: ({ sub }, bytes) => kept.push(`${sub} ${bytes > 2_000}`),
    log: () => {},
  });
  return { append, handed, kept, storing, isStoring: large.promise };
}

function event(call: string, kind: AuditEvent["kind"] = "call.outcome"): AuditEvent {
  return { kind, call, execution: call.split(":")[0] ?? "" };
}

Deno.test("records of an execution stay behind its large payload; other executions do not wait", async () => {
  const { append, handed, storing, isStoring } = open();
  const appended = [
    append(event("e:0"), LARGE),
    append(event("e:1")),
    append(event("e:2"), { result: "2" }),
    append(event("f:0")),
  ];
  await isStoring;
  assert.deepEqual(handed, ["f:0"]);
  storing[0]?.resolve({ large: "id", bytes: 50_000 });
  const records = await Promise.all(appended);
  assert.deepEqual(handed, ["f:0", "e:0", "e:1", "e:2"]);
  assert.deepEqual(records.map(({ call }) => call), ["e:0", "e:1", "e:2", "f:0"]);
  const last = append(event("e:3"));
  assert.deepEqual(handed.at(-1), "e:3", "handed on at once again");
  await last;
});

Deno.test("a large payload that cannot be kept refuses its intent and lets the next records go on", async () => {
  const { append, handed, storing, isStoring } = open();
  const refused = append(event("e:0", "call.intent"), LARGE);
  const next = append(event("e:1"));
  await isStoring;
  storing[0]?.reject(new Error("the disk is full"));
  await assert.rejects(refused, /Cannot write the audit log: the disk is full/);
  await next;
  assert.deepEqual(handed, ["e:1"]);
});

Deno.test("only a record with an actor is charged", async () => {
  const { append, kept } = open();
  await append(event("e:0"));
  const actor = { sub: "ada", iss: "keys", client: "cli", groups: [], scopes: [] };
  await append({ ...event("e:1"), actor });
  assert.deepEqual(kept, ["ada true"]);
});
