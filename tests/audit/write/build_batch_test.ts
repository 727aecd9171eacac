import assert from "node:assert/strict";
import { createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import { emptyChain } from "../../../src/audit/chain/chain.ts";
import { openCheckpoint } from "../../../src/audit/chain/checkpoint.ts";
import type { KeptPayloads } from "../../../src/audit/payloads/payload_box.ts";
import {
  type BatchDeps,
  buildBatch,
  countStored,
  sideDocuments,
} from "../../../src/audit/write/build_batch.ts";
import { type ChainStanding, standAtStart } from "../../../src/audit/write/chain_standing.ts";
import { createOpenWork } from "../../../src/audit/write/open_work.ts";
import { ownEvent, type Waiting } from "../../../src/audit/write/queue.ts";
import type { AuditEvent } from "../../../src/model/event.ts";
import { keyOf } from "../../../src/store/keys.ts";

const { signer } = createAuditKeys();
const clock = { now: 5_000 };
const packed: number[][] = [];
const DEPS: BatchDeps = {
  signer,
  config: { payloads: "encrypted", checkpointEvery: 5, checkpointEveryMs: 60_000 },
  payloadStore: {
    pack(payloads) {
      packed.push(payloads.map(({ seq }) => seq));
      return payloads.length === 0 ? null : { key: "box", value: payloads.length };
    },
  },
  tampered: null,
  now: () => clock.now,
};
const SALTED: KeptPayloads = { args: ["00", "1"] };

function start(isOpened: boolean): ChainStanding {
  const recovered = {
    state: emptyChain("main"),
    open: createOpenWork(),
    checkpointSize: 0,
    unfinished: [],
    tampered: null,
  };
  return { ...standAtStart(recovered, clock.now), isOpened };
}

function wait(event: AuditEvent, payloads: KeptPayloads | null = null): Waiting {
  return { ...ownEvent(event, clock.now), payloads };
}

const intent = (call: string) => wait({ kind: "call.intent", call, execution: "e" }, SALTED);
const outcome = (call: string) => wait({ kind: "call.outcome", call, execution: "e" });

Deno.test("buildBatch() puts the log's own records first and each caller's link to its record", () => {
  const waiting = [intent("e:0"), outcome("e:0")];
  const recovered: AuditEvent = { kind: "admin", detail: { type: "audit.recovered" } };
  const batch = buildBatch({ ...DEPS, tampered: "2 records" }, start(false), waiting, recovered);
  assert.deepEqual(batch.links.map(({ record }) => record.detail?.type ?? record.kind), [
    "audit.open",
    "audit.recovered",
    "call.intent",
    "call.outcome",
  ]);
  assert.equal(batch.links[0]?.record.detail?.tampered, "2 records");
  assert.equal(batch.links[0]?.record.detail?.key, signer.verifierKey);
  assert.deepEqual(
    batch.answers.map(({ waiting, link }) => [waiting.event.kind, link.record.seq]),
    [
      ["call.intent", 2],
      ["call.outcome", 3],
    ],
  );
  assert.deepEqual([batch.after.state.size, batch.after.isOpened], [4, true]);
  const next = buildBatch(DEPS, batch.after, [outcome("e:1")], null);
  assert.deepEqual(next.links.map(({ record }) => record.kind), ["call.outcome", "checkpoint"]);
});

Deno.test("buildBatch() ends with a checkpoint by number, by time, and on demand", () => {
  const due = (count: number) => {
    const waiting = Array.from({ length: count }, (_, n) => outcome(`e:${n}`));
    return buildBatch(DEPS, start(true), waiting, null).links.at(-1)?.record.kind;
  };
  assert.deepEqual([due(4), due(5)], ["call.outcome", "checkpoint"]);
  const standing = { ...start(true), checkpointTime: clock.now - 59_999 };
  const kind = (standing: ChainStanding, waiting: Waiting[]) =>
    buildBatch(DEPS, standing, waiting, null).links.at(-1)?.record.kind;
  assert.equal(kind(standing, [outcome("e:0")]), "call.outcome");
  assert.equal(
    kind({ ...standing, checkpointTime: clock.now - 60_000 }, [outcome("e:0")]),
    "checkpoint",
  );
  const demand = wait({ kind: "checkpoint" });
  const batch = buildBatch(DEPS, start(true), [intent("e:0"), demand], null);
  assert.deepEqual(batch.answers.map(({ link }) => link.record.kind), [
    "call.intent",
    "checkpoint",
  ]);
  const { record } = batch.answers[1]?.link ?? assert.fail();
  assert.deepEqual(record.detail?.open, ["e:0"]);
  // The note covers what is before the checkpoint; the standing counts the checkpoint too.
  assert.equal(openCheckpoint(`${record.detail?.note}`, [signer.verifierKey])?.size, 1);
  assert.equal(batch.after.checkpointSize, 2);
});

Deno.test("buildBatch() names at most 200 open calls in a checkpoint and counts the others", () => {
  for (const [count, more] of [[200, undefined], [201, 1]] as const) {
    const waiting = Array.from({ length: count }, (_, n) => intent(`e:${n}`));
    const batch = buildBatch(DEPS, start(true), [...waiting, wait({ kind: "checkpoint" })], null);
    const { open, openMore } = batch.links.at(-1)?.record.detail ?? {};
    assert.ok(Array.isArray(open));
    assert.deepEqual([open.length, openMore], [200, more]);
  }
});

Deno.test("buildBatch() makes nothing of nothing", () => {
  const standing = start(true);
  const batch = buildBatch(DEPS, standing, [], null);
  assert.deepEqual(batch.links, []);
  assert.equal(batch.after, standing);
});

Deno.test("sideDocuments() seals each batch, keeps its payloads, and the state behind a checkpoint", () => {
  const batch = buildBatch(DEPS, start(true), [outcome("e:9"), intent("e:0")], null);
  const [seal, box, ...none] = sideDocuments(DEPS, batch);
  assert.deepEqual([seal?.key, box?.key, none], [keyOf.auditSeal("main"), "box", []]);
  const note = openCheckpoint(`${seal?.value}`, [signer.verifierKey]);
  assert.deepEqual([note?.size, note?.head], [2, batch.after.state.head]);
  assert.deepEqual(packed.at(-1), [1]);
  const checked = buildBatch(DEPS, batch.after, [wait({ kind: "checkpoint" })], null);
  const [, state, ...more] = sideDocuments(DEPS, checked);
  assert.equal(more.length, 0);
  assert.equal(state?.key, keyOf.auditState("main"));
  assert.deepEqual(state?.value, {
    frontier: checked.after.state.tree.frontier(),
    head: checked.after.state.head,
    open: [["call:e:0", 1]],
  });
});

Deno.test("countStored() tells a leading part of a batch from records of another process", () => {
  const before = start(true);
  const batch = buildBatch(DEPS, before, [outcome("e:0"), outcome("e:1"), outcome("e:2")], null);
  const entries = batch.links.map(({ entry }) => entry);
  assert.equal(countStored(batch, before, null), 0);
  for (const [index, entry] of entries.entries()) {
    assert.equal(countStored(batch, before, entry), index + 1);
    assert.equal(countStored(batch, before, { ...entry, body: `${entry.body} ` }), null);
  }
  const last = entries.at(-1) ?? assert.fail();
  assert.equal(countStored(batch, before, { ...last, seq: 3 }), null, "more than the batch has");
  assert.equal(countStored(batch, batch.after, entries[0] ?? null), null, "fewer than there were");
});
