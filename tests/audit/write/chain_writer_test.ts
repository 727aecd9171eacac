import assert from "node:assert/strict";
import { createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import { emptyChain } from "../../../src/audit/chain/chain.ts";
import { openCheckpoint } from "../../../src/audit/chain/checkpoint.ts";
import { ChainWriter } from "../../../src/audit/write/chain_writer.ts";
import { createOpenWork } from "../../../src/audit/write/open_work.ts";
import { AUDIT_LIMITS } from "../../../src/audit/write/queue.ts";
import type { AuditEvent, AuditRecord } from "../../../src/model/event.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import type { LogEntry, Store } from "../../../src/store/store.ts";

const { signer } = createAuditKeys();
const CONFIG = { payloads: "off", checkpointEvery: 1_000, checkpointEveryMs: 3_600_000 } as const;
const INTENT: AuditEvent = { kind: "call.intent", call: "e:0", execution: "e" };
const OUTCOME: AuditEvent = { kind: "call.outcome", call: "e:0", execution: "e" };

function openWriter(
  store: Pick<Store, "append" | "head">,
  parts: { push?: (note: string) => void; log?: (line: string) => void; everyMs?: number } = {},
): ChainWriter {
  return new ChainWriter({
    store,
    signer,
    config: { ...CONFIG, checkpointEveryMs: parts.everyMs ?? CONFIG.checkpointEveryMs },
    payloadStore: { pack: () => null },
    anchors: { push: parts.push ?? (() => {}) },
    limits: { ...AUDIT_LIMITS, retryMinMs: 1, retryMaxMs: 2 },
    now: Date.now,
    log: parts.log ?? (() => {}),
  }, {
    state: emptyChain("main"),
    open: createOpenWork(),
    checkpointSize: 0,
    unfinished: [],
    tampered: null,
  });
}

async function kindsIn(store: Store): Promise<string[]> {
  const { entries } = await store.scan({ limit: 1_000 });
  return entries.reverse().map(({ kind, body }) => {
    const { detail } = JSON.parse(body) as AuditRecord;
    return typeof detail?.type === "string" ? detail.type : `${kind}`;
  });
}

Deno.test("a commit that stored a leading part is gone on with behind that part", async () => {
  for (let part = 0; part <= 4; part++) {
    const store = createMemoryStore();
    let commits = 0;
    const writer = openWriter({
      head: store.head,
      async append(entries: readonly LogEntry[], beside) {
        if (commits++ > 0) return await store.append(entries, beside);
        // The opening record and three of the callers: a backend's bound lies within the batch.
        assert.equal(entries.length, 4);
        if (part > 0) await store.append(entries.slice(0, part));
        throw new Error("the connection ended");
      },
    });
    const seen: number[] = [];
    writer.follow(({ seq }) => seen.push(seq));
    const facts = await Promise.all(
      [1, 2, 3].map((n) => writer.append({ ...OUTCOME, call: `e:${n}` })),
    );
    assert.deepEqual(facts.map(({ call }) => call), ["e:1", "e:2", "e:3"]);
    await writer.close();
    const { entries } = await store.scan({ limit: 100 });
    const calls = entries.reverse().flatMap(({ body }) =>
      (JSON.parse(body) as AuditRecord).call ?? []
    );
    assert.deepEqual(calls, ["e:1", "e:2", "e:3"], `${part} stored`);
    assert.deepEqual(seen, entries.map(({ seq }) => seq));
    const kinds = await kindsIn(store);
    assert.equal(kinds.filter((kind) => kind === "audit.open").length, 1);
    assert.equal(kinds.filter((kind) => kind === "audit.recovered").length, 1);
    await store.close();
  }
});

Deno.test("the anchors hear of a batch before its followers, and these before its callers", async () => {
  const store = createMemoryStore();
  const heard: string[] = [];
  const notes: string[] = [];
  const writer = openWriter(store, {
    push(note) {
      heard.push("anchor");
      notes.push(note);
    },
  });
  writer.follow(({ kind }) => heard.push(`follower ${kind}`));
  const { seq } = await writer.checkpoint();
  heard.push("caller");
  assert.deepEqual(heard, ["anchor", "follower admin", "follower checkpoint", "caller"]);
  assert.equal(openCheckpoint(notes[0] ?? "", [signer.verifierKey])?.size, seq + 1);
  await writer.close();
});

Deno.test("an anchor and a follower that fail cost no record and are told once each", async () => {
  const store = createMemoryStore();
  const lines: string[] = [];
  const writer = openWriter(store, {
    push: () => {
      throw new Error("no anchor");
    },
    log: (line) => lines.push(line),
  });
  writer.follow(({ kind }) => {
    if (kind === "checkpoint") throw new Error("no follower");
  });
  await writer.checkpoint();
  assert.deepEqual(lines, ["audit: no anchor", "audit: no follower"]);
  assert.equal(writer.health().ok, true);
  await writer.close();
  assert.deepEqual(await kindsIn(store), ["audit.open", "checkpoint"]);
});

Deno.test("records get a checkpoint in time although nothing follows them, and only one", async () => {
  const store = createMemoryStore();
  const writer = openWriter(store, { everyMs: 20 });
  const written = Promise.withResolvers<void>();
  writer.follow(({ kind }) => {
    if (kind === "checkpoint") written.resolve();
  });
  // The timer of the writer keeps no process alive, so the test has one of its own.
  const alive = setTimeout(() => written.reject(new Error("no checkpoint within 10 s")), 10_000);
  await writer.append(OUTCOME);
  await written.promise;
  clearTimeout(alive);
  const size = writer.state.size;
  assert.equal(await writer.ensureCheckpoint(), size);
  await writer.close();
  const kinds = await kindsIn(store);
  assert.equal(kinds.filter((kind) => kind === "checkpoint").length, 1, kinds.join());
});

Deno.test("close() writes what waits and a last checkpoint, and then takes nothing", async () => {
  const store = createMemoryStore();
  const writer = openWriter(store);
  const soon = writer.append(OUTCOME, null, "soon");
  await writer.close();
  assert.equal((await soon).call, "e:0");
  assert.deepEqual(await kindsIn(store), ["audit.open", "call.outcome", "checkpoint"]);
  await assert.rejects(writer.append(OUTCOME), /it is closed/);
});

Deno.test("records of another process in the chain end this one's writing for good", async () => {
  const store = createMemoryStore();
  const writer = openWriter(store);
  const other = openWriter(store);
  await other.append(OUTCOME);
  const lost = await Promise.allSettled([writer.append(INTENT), writer.append(OUTCOME)]);
  for (const one of lost) {
    assert.equal(one.status, "rejected");
    assert.match(
      `${one.status === "rejected" && one.reason}`,
      /another process writes the chain "main"/,
    );
  }
  assert.equal(writer.health().ok, false);
  await assert.rejects(writer.append(OUTCOME), /another process writes the chain "main"/);
  await other.append(OUTCOME);
  await Promise.all([writer.close(), other.close()]);
  assert.deepEqual(await kindsIn(store), [
    "audit.open",
    "call.outcome",
    "call.outcome",
    "checkpoint",
  ]);
});
