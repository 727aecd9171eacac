/**
 * Somebody who can write the store file, but has neither the keys nor the folder they lie in, changes
 * the audit log in a hundred and more ways; `verify` reports each.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { hashLine, toLogEntry } from "../../../src/audit/audit_record.ts";
import { readAnchorFile } from "../../../src/audit/chain/anchors.ts";
import { createAuditKeys, loadAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import { createMerkleTree, hashLeaf } from "../../../src/audit/chain/merkle.ts";
import { createPayloadStore } from "../../../src/audit/payloads/payload_store.ts";
import { renderAuditReport, verifyAudit } from "../../../src/audit/verify/verify_audit.ts";
import type { AuditRecord } from "../../../src/model/event.ts";
import { canonicalJson } from "../../../src/model/json/canonical_json.ts";
import type { Json } from "../../../src/model/json/json.ts";
import { keyOf, prefixOf } from "../../../src/store/keys.ts";
import { openKvStore } from "../../../src/store/kv/kv_store.ts";
import type { Change, LogEntry, Store } from "../../../src/store/store.ts";
import { type AuditFolder, CONFIG, makeAuditFolder, writeExecutions } from "../audit_fixture.ts";

/** Everything an attacker reads from the store and writes back. */
interface Copy {
  entries: LogEntry[];
  documents: Map<string, Json>;
}

interface Attack {
  readonly name: string;
  /** Changes the copy, which is then stored with right search columns; null: not applicable. */
  readonly change: (copy: Copy, random: () => number) => void;
}

const config = { ...CONFIG, checkpointEvery: 15 };

Deno.test("verify() reports each of more than a hundred ways to change the stored log", async () => {
  const audit = await makeAuditFolder();
  const { store, log } = await audit.open(config);
  await writeExecutions(log, 20);
  await log.close();
  const original = await readCopy(store);
  await store.close();
  assert.equal(await problemsOf(audit, original), "", "an unchanged copy must verify");
  const random = seededRandom(20_260_401);
  const missed: string[] = [];
  let attacks = 0;
  for (const attack of ATTACKS) {
    for (let round = 0; round < 4; round++) {
      const copy = structuredClone(original);
      attack.change(copy, random);
      attacks++;
      if (await problemsOf(audit, copy) === "") missed.push(`${attack.name} (${round})`);
    }
  }
  assert.deepEqual(missed, []);
  assert.ok(attacks >= 100, `${attacks} attacks`);
  await audit.remove();
});

Deno.test("verify() reports changes of the rows that searches read", async () => {
  const audit = await makeAuditFolder();
  const { store, log } = await audit.open({ ...CONFIG, payloads: "off" });
  const actor = { sub: "ada", iss: "keys", client: "cli", groups: [], scopes: [] };
  const all = Array.from(
    { length: 5_000 },
    (_, n) => log.append({ kind: "limit.hit", actor, execution: `e${n}`, detail: { n } }),
  );
  await Promise.all(all);
  await log.close();
  await store.close();
  const pristine = await Deno.readFile(audit.storePath);
  const rows: Deno.KvKey[] = [["g", "main"]];
  const kv = await Deno.openKv(audit.storePath);
  for (const kind of ["s", "x", "y", "b"]) {
    for await (const { key } of kv.list({ prefix: [kind] })) rows.push(key);
  }
  kv.close();
  assert.ok(rows.length > 15);
  const random = seededRandom(7);
  const missed: string[] = [];
  for (let round = 0; round < 20; round++) {
    await Deno.writeFile(audit.storePath, pristine);
    for (const suffix of ["-wal", "-shm"]) {
      await Deno.remove(audit.storePath + suffix).catch(() => {}); // there is one only sometimes
    }
    const key = rows[round < 8 ? round : Math.floor(random() * rows.length)] as Deno.KvKey;
    const what = await damageRow(audit.storePath, key, random);
    const opened = await openKvStore(audit.storePath);
    try {
      const report = await verifyAudit({ store: opened, verifierKeys: [log.verifierKey] });
      if (report.ok) missed.push(`${what} ${JSON.stringify(key)}`);
    } catch (error) {
      // A store that cannot be read at all is refused: that is a report, too.
      assert.match(String(error), /Cannot read the store/);
    }
    await opened.close();
  }
  assert.deepEqual(missed, []);
  await audit.remove();
});

/** The report of a copy that somebody put in the place of the store; empty when nothing was found. */
async function problemsOf(audit: AuditFolder, copy: Copy): Promise<string> {
  const store = await openKvStore(":memory:");
  for (let start = 0; start < copy.entries.length; start += 50) {
    await store.append(copy.entries.slice(start, start + 50));
  }
  const changes = [...copy.documents].map(([key, value]): Change => ({ key, value }));
  for (let start = 0; start < changes.length; start += 50) {
    await store.put(changes.slice(start, start + 50));
  }
  const keys = await loadAuditKeys(audit.keysPath);
  const retentionMs = config.payloadRetentionDays * 86_400_000;
  const report = await verifyAudit({
    store,
    verifierKeys: [keys.signer.verifierKey],
    anchors: await readAnchorFile(`${audit.keysPath}.checkpoints`),
    payloads: {
      store: createPayloadStore({
        store,
        chain: "main",
        keys: () => keys.payloadKeys,
        retentionMs,
      }),
      retentionMs,
    },
  });
  await store.close();
  return report.ok ? "" : renderAuditReport(report);
}

async function readCopy(store: Store): Promise<Copy> {
  const { entries } = await store.scan({ log: "main", limit: 10_000 });
  const documents = await store.list("", { limit: 10_000 });
  return {
    entries: entries.reverse(),
    documents: new Map(documents.map(({ key, value }) => [key, value])),
  };
}

const EDITS: readonly ((record: { [name: string]: Json }) => void)[] = [
  (record) => Object.assign(record, { space: "elsewhere" }),
  (record) => Object.assign(record, { ts: "2099-01-01T00:00:00.000Z" }),
  (record) => Object.assign(record, { detail: { forged: true } }),
  (record) =>
    Object.assign(record, { actor: { sub: "eve", iss: "", client: "", groups: [], scopes: [] } }),
  (record) => Object.assign(record, { decision: { effect: "allow", because: [], bundle: "x" } }),
  (record) => Object.assign(record, { args: { commit: "00".repeat(32), bytes: 1 } }),
  (record) => Object.assign(record, { result: { status: "error" } }),
  (record) => Object.assign(record, { cost: 0 }),
  (record) => Object.assign(record, { kind: "search" }),
  (record) => Object.assign(record, { execution: "another" }),
  (record) => Object.assign(record, { v: 2 }),
];

const ATTACKS: readonly Attack[] = [
  ...EDITS.map((edit, n): Attack => ({
    name: `edit ${n}`,
    change: (copy, random) => editOne(copy, random, edit),
  })),
  ...EDITS.map((edit, n): Attack => ({
    name: `edit ${n} and make the chain fit`,
    change: (copy, random) => {
      editOne(copy, random, edit);
      relink(copy);
    },
  })),
  {
    name: "delete a record and make the chain fit",
    change: (copy, random) => {
      copy.entries.splice(pick(copy.entries.length, random), 1);
      relink(copy);
    },
  },
  {
    name: "swap two records and make the chain fit",
    change: (copy, random) => {
      const at = pick(copy.entries.length - 1, random);
      const [first, second] = copy.entries.slice(at, at + 2) as [LogEntry, LogEntry];
      copy.entries.splice(at, 2, second, first);
      relink(copy);
    },
  },
  {
    name: "insert a copy of a record and make the chain fit",
    change: (copy, random) => {
      const entry = copy.entries[pick(copy.entries.length, random)] as LogEntry;
      copy.entries.splice(pick(copy.entries.length, random), 0, entry);
      relink(copy);
    },
  },
  {
    name: "append a forged record",
    change: (copy, random) => {
      copy.entries.push(copy.entries[pick(copy.entries.length, random)] as LogEntry);
      relink(copy);
    },
  },
  {
    name: "cut the tail",
    change: (copy, random) => {
      copy.entries.splice(1 + pick(copy.entries.length - 1, random));
    },
  },
  {
    name: "cut the tail and remove every note",
    change: (copy, random) => {
      copy.entries.splice(1 + pick(copy.entries.length - 1, random));
      copy.documents.delete(keyOf.auditSeal("main"));
      copy.documents.delete(keyOf.auditState("main"));
    },
  },
  {
    name: "go back to what an older checkpoint signed",
    change: (copy, random) => {
      const marks = copy.entries.filter(({ kind }) => kind === "checkpoint");
      const mark = marks[pick(marks.length, random)] as LogEntry;
      copy.entries.splice(mark.seq);
      copy.documents.set(keyOf.auditSeal("main"), JSON.parse(mark.body).detail.note);
      copy.documents.delete(keyOf.auditState("main"));
    },
  },
  {
    name: "remove the whole log",
    change: (copy) => {
      copy.entries = [];
      copy.documents.clear();
    },
  },
  {
    name: "start a new log with other keys",
    change: (copy) => {
      const { signer } = createAuditKeys();
      copy.entries.splice(40);
      const { root, head } = relink(copy);
      const size = copy.entries.length;
      const note = signer.sign({
        chain: "main",
        size,
        root,
        head,
        time: "2026-04-01T00:00:00.000Z",
      });
      copy.documents.set(keyOf.auditSeal("main"), note);
    },
  },
  {
    name: "change the note over the newest record",
    change: (copy, random) => {
      const note = copy.documents.get(keyOf.auditSeal("main")) as string;
      const at = pick(note.indexOf("\n\n"), random);
      copy.documents.set(
        keyOf.auditSeal("main"),
        note.slice(0, at) + (note[at] === "7" ? "8" : "7") + note.slice(at + 1),
      );
    },
  },
  {
    name: "remove the note over the newest record",
    change: (copy) => copy.documents.delete(keyOf.auditSeal("main")),
  },
  {
    name: "trim the beginning without a statement",
    change: (copy, random) => {
      const removed = 1 + pick(copy.entries.length - 2, random);
      copy.entries.splice(0, removed);
      copy.entries = copy.entries.map((entry) => ({ ...entry, seq: entry.seq - removed }));
    },
  },
  {
    name: "change the kept state",
    change: (copy, random) => {
      const state = structuredClone(copy.documents.get(keyOf.auditState("main"))) as {
        [name: string]: Json;
      };
      const changes: (() => void)[] = [
        () => Object.assign(state, { head: "11".repeat(32) }),
        () => Object.assign(state, { open: [["call:e1:0", 3]] }),
        () => Object.assign(state.frontier as object, { hashes: flipHash(state) }),
      ];
      changes[pick(changes.length, random)]?.();
      copy.documents.set(keyOf.auditState("main"), state);
    },
  },
  {
    name: "remove a payload",
    change: (copy, random) => copy.documents.delete(pickPayload(copy, random)),
  },
  {
    name: "change a payload",
    change: (copy, random) => {
      const key = pickPayload(copy, random);
      const box = copy.documents.get(key) as { box: string };
      const bytes = Uint8Array.fromBase64(box.box);
      const at = pick(bytes.length, random);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      copy.documents.set(key, { ...box, box: bytes.toBase64() });
    },
  },
  {
    name: "put a payload into another's place",
    change: (copy, random) => {
      const keys = [...copy.documents.keys()].filter(isPayload);
      const at = pick(keys.length - 1, random);
      const [one, other] = keys.slice(at, at + 2) as [string, string];
      const box = copy.documents.get(one) as { box: string };
      copy.documents.set(other, { ...copy.documents.get(other) as object, box: box.box });
    },
  },
  {
    name: "file a record under another principal",
    change: (copy, random) => {
      const at = pick(copy.entries.length, random);
      copy.entries[at] = { ...copy.entries[at] as LogEntry, principal: "nobody" };
    },
  },
  {
    name: "file a record under another tool",
    change: (copy, random) => {
      const at = pick(copy.entries.length, random);
      copy.entries[at] = { ...copy.entries[at] as LogEntry, tool: "other.tool" };
    },
  },
];

function editOne(
  copy: Copy,
  random: () => number,
  edit: (record: { [name: string]: Json }) => void,
): void {
  const at = pick(copy.entries.length, random);
  const entry = copy.entries[at] as LogEntry;
  const record = JSON.parse(entry.body);
  edit(record);
  const line = canonicalJson(record);
  assert.notEqual(line, entry.body);
  // The labels follow, so that only the record itself is wrong; the store wants times that go on.
  copy.entries[at] = { ...toLogEntry(record as AuditRecord, line), ts: entry.ts, log: "main" };
}

/** Numbers and links every record anew, as the log would have. */
function relink(copy: Copy): { root: string; head: string } {
  const tree = createMerkleTree();
  let prev = "0".repeat(64);
  let ts = 0;
  copy.entries = copy.entries.map((entry, seq) => {
    const parsed = JSON.parse(entry.body);
    ts = Math.max(ts, Date.parse(parsed.ts));
    const record = { ...parsed, seq, prev, ts: new Date(ts).toISOString() };
    const line = canonicalJson(record);
    prev = hashLine(line);
    tree.append(hashLeaf(line));
    return { ...toLogEntry(record, line), log: "main" };
  });
  const state = copy.documents.get(keyOf.auditState("main")) as
    | { [name: string]: Json }
    | undefined;
  if (state !== undefined) {
    const frontier = tree.frontier() as unknown as Json;
    copy.documents.set(keyOf.auditState("main"), { ...state, frontier, head: prev });
  }
  return { root: tree.root(), head: prev };
}

function flipHash(state: { [name: string]: Json }): Json {
  const { hashes } = state.frontier as { hashes: string[] };
  return hashes.map((hash) => createHash("sha256").update(hash).digest("hex"));
}

function isPayload(key: string): boolean {
  return key.startsWith(prefixOf.auditPayloads("main"));
}

function pickPayload(copy: Copy, random: () => number): string {
  const keys = [...copy.documents.keys()].filter(isPayload);
  return keys[pick(keys.length, random)] as string;
}

async function damageRow(path: string, key: Deno.KvKey, random: () => number): Promise<string> {
  const kv = await Deno.openKv(path);
  const { value } = await kv.get(key);
  let what = "remove";
  if (value instanceof Uint8Array && random() < 0.7) {
    const bytes = value.slice();
    const at = pick(bytes.length, random);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8, random));
    await kv.set(key, bytes);
    what = `flip a bit of byte ${at} in`;
  } else if (!(value instanceof Uint8Array) && key[0] === "s" && random() < 0.5) {
    const bounds = value as number[];
    await kv.set(key, bounds.map((bound) => bound - 1));
    what = "shift the bounds in";
  } else if (key[0] === "g") {
    await kv.set(key, {
      ...(value as { next: number }),
      next: (value as { next: number }).next - 1,
    });
    what = "step back the head in";
  } else {
    await kv.delete(key);
  }
  kv.close();
  return what;
}

function pick(count: number, random: () => number): number {
  return Math.floor(random() * count);
}

function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}
