import assert from "node:assert/strict";
import { createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import { emptyChain } from "../../../src/audit/chain/chain.ts";
import { type BatchDeps, buildBatch, sideDocuments } from "../../../src/audit/write/build_batch.ts";
import { type ChainStanding, standAtStart } from "../../../src/audit/write/chain_standing.ts";
import { createOpenWork } from "../../../src/audit/write/open_work.ts";
import { ownEvent } from "../../../src/audit/write/queue.ts";
import { recoverChain } from "../../../src/audit/write/recover_chain.ts";
import { trimAudit } from "../../../src/audit/write/retention.ts";
import type { AuditEvent } from "../../../src/model/event.ts";
import { keyOf } from "../../../src/store/keys.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import type { Store } from "../../../src/store/store.ts";

const { signer } = createAuditKeys();
const DEPS: BatchDeps = {
  signer,
  config: { payloads: "off", checkpointEvery: 1_000, checkpointEveryMs: 1_000_000 },
  payloadStore: { pack: () => null },
  tampered: null,
  now: () => 1_000,
};

const call = (kind: AuditEvent["kind"], index: number): AuditEvent => ({
  kind,
  call: `e:${index}`,
  execution: "e",
});
const CHECKPOINT: AuditEvent = { kind: "checkpoint" };

/** Writes each list of events as one batch; answers where the chain then stands. */
async function write(store: Store, ...batches: (readonly AuditEvent[])[]): Promise<ChainStanding> {
  const recovered = await recover(store);
  let standing = standAtStart(recovered, 1_000);
  for (const events of batches) {
    const waiting = events.map((event, index) =>
      ownEvent(event, 1_000 + standing.state.size + index)
    );
    const batch = buildBatch(DEPS, standing, waiting, null);
    await store.append(batch.links.map(({ entry }) => entry), sideDocuments(DEPS, batch));
    standing = batch.after;
  }
  return standing;
}

function recover(store: Store, anchors: readonly string[] = []) {
  return recoverChain({ store, chain: "main", verifierKey: signer.verifierKey, anchors });
}

Deno.test("recoverChain() begins a chain where there is none", async () => {
  const { state, open, unfinished, tampered } = await recover(createMemoryStore());
  assert.deepEqual([state.size, state.head], [0, emptyChain("main").head]);
  assert.deepEqual([open.entries(), unfinished, tampered], [createOpenWork().entries(), [], null]);
});

Deno.test("recoverChain() goes on from the last checkpoint, with what was open before and behind it", async () => {
  const store = createMemoryStore();
  const standing = await write(
    store,
    [call("call.intent", 0), call("call.intent", 1), CHECKPOINT],
    [call("call.outcome", 0), call("call.intent", 2)],
  );
  const { state, checkpointSize, unfinished, tampered } = await recover(store);
  assert.deepEqual([state.size, state.head, state.tree.root()], [
    6,
    standing.state.head,
    standing.state.tree.root(),
  ]);
  assert.equal(state.ts, (await store.head("main"))?.ts);
  assert.deepEqual([checkpointSize, tampered], [4, null]);
  assert.deepEqual(unfinished.map(({ kind, call, result }) => [kind, call, result?.status]), [
    ["call.outcome", "e:1", "unknown"],
    ["call.outcome", "e:2", "unknown"],
  ]);
});

Deno.test("recoverChain() lets the records decide where the kept state was changed", async () => {
  const store = createMemoryStore();
  const { state: whole } = await write(store, [call("call.intent", 0), CHECKPOINT], [
    call("call.intent", 1),
  ]);
  const key = keyOf.auditState("main");
  const kept = (await store.get(key))?.value;
  assert.ok(typeof kept === "object" && kept !== null && !Array.isArray(kept));
  const broken = [
    "text",
    { ...kept, head: 1 },
    { ...kept, open: [["call:e:0", "0"]] },
    { ...kept, open: {} },
    { ...kept, frontier: { size: 3, hashes: ["ab"] } },
    { ...kept, frontier: { size: -1, hashes: [] } },
  ];
  for (const value of [null, ...broken]) {
    await store.put([{ key, value }]);
    const { state, tampered, unfinished } = await recover(store);
    assert.deepEqual([state.head, state.tree.root(), tampered], [
      whole.head,
      whole.tree.root(),
      null,
    ]);
    assert.equal(unfinished.length, 2);
  }
  const other = { size: 3, hashes: ["ab".repeat(32), "cd".repeat(32)] };
  await store.put([{ key, value: { ...kept, frontier: other } }]);
  const changed = await recover(store);
  assert.deepEqual([changed.state.tree.root(), changed.tampered], [whole.tree.root(), null]);
});

Deno.test("recoverChain() says how the chain differs from the newest note and from the anchors", async () => {
  const store = createMemoryStore();
  await write(store, [call("call.intent", 0)]);
  const seal = keyOf.auditSeal("main");
  const early = (await store.get(seal))?.value ?? assert.fail();
  await write(store, [call("call.intent", 1)]);
  const late = (await store.get(seal))?.value ?? assert.fail();
  const tampered = async (value: typeof early | null, anchors: string[] = []) => {
    await store.put([{ key: seal, value }]);
    return (await recover(store, anchors)).tampered;
  };
  assert.equal(await tampered(late, [`${late}`]), null);
  assert.equal(await tampered(early), "4 records where 2 were signed");
  assert.equal(await tampered(null), "no signed note");
  assert.equal(
    await tampered("a note"),
    "the note over the newest record is not signed by this key",
  );
  // An older store that was put back is whole in itself; the anchor outside knows more.
  const older = createMemoryStore();
  const { entries } = await store.scan({ log: "main", limit: 2, beforeSeq: 2 });
  await older.append(entries.reverse(), [{ key: seal, value: early }]);
  assert.equal((await recover(older)).tampered, null);
  const { tampered: missing } = await recover(older, [`${late}`]);
  assert.match(`${missing}`, /^2 records where the anchor of 1970-01-01T00:00:01.000Z saw 4$/);
});

Deno.test("recoverChain() goes on from what retention left, also without the kept state", async () => {
  const store = createMemoryStore();
  const { state: whole } = await write(store, [call("call.outcome", 0), call("call.outcome", 1)], [
    CHECKPOINT,
  ], [call("call.outcome", 2)]);
  const removed = await trimAudit({
    store,
    signer,
    now: () => 1_002,
    retentionMs: 0,
    neededFrom: () => Promise.resolve(Infinity),
  }, "main");
  assert.ok(removed > 0 && removed < 5, `${removed}`);
  await store.put([{ key: keyOf.auditState("main"), value: null }]);
  const { state, tampered } = await recover(store);
  assert.deepEqual([state.size, state.tree.root(), tampered], [5, whole.tree.root(), null]);
});
