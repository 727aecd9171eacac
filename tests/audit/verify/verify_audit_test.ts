import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { openAuditLog } from "../../../src/audit/audit_log.ts";
import { hashLine } from "../../../src/audit/audit_record.ts";
import { readAnchorFile } from "../../../src/audit/chain/anchors.ts";
import { createCheckpointSigner } from "../../../src/audit/chain/checkpoint.ts";
import { createMerkleTree, hashLeaf } from "../../../src/audit/chain/merkle.ts";
import {
  type AuditReport,
  renderAuditReport,
  verifyAudit,
  verifyAuditExport,
} from "../../../src/audit/verify/verify_audit.ts";
import { canonicalJson } from "../../../src/model/json/canonical_json.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import { CONFIG, intent, makeAuditFolder, outcome, writeExecutions } from "../audit_fixture.ts";

/** An export of a closed log of some 60 records with a checkpoint every 10, and its public key. */
async function exportLines(): Promise<{ lines: string[]; key: string }> {
  const store = createMemoryStore();
  const config = { ...CONFIG, checkpointEvery: 10 };
  const log = await openAuditLog({ store, chain: "main", config });
  await writeExecutions(log, 9);
  await log.close();
  const { entries } = await store.scan({ limit: 1_000 });
  return { lines: entries.reverse().map(({ body }) => body), key: log.verifierKey };
}

const EXPORT = await exportLines();

async function verifyLines(lines: readonly string[], anchors: string[] = []): Promise<AuditReport> {
  return await verifyAuditExport(lines, { verifierKeys: [EXPORT.key], anchors });
}

/** Changes a record as somebody would who also makes every hash behind it fit. */
function rehash(records: readonly { [key: string]: unknown }[], renumber = true): string[] {
  let prev = "0".repeat(64);
  return records.map((record, index) => {
    const line = canonicalJson({ ...record, prev, ...(renumber ? { seq: index } : {}) });
    prev = hashLine(line);
    return line;
  });
}

function parseAll(lines: readonly string[]): { [key: string]: unknown }[] {
  return lines.map((line) => JSON.parse(line));
}

Deno.test("verifyAuditExport() finds nothing wrong with an export, given only the public key", async () => {
  const report = await verifyLines(EXPORT.lines);
  assert.equal(report.ok, true, renderAuditReport(report));
  assert.equal(report.records, EXPORT.lines.length);
  const [chain] = report.chains;
  assert.deepEqual([chain?.first, chain?.last], [0, EXPORT.lines.length - 1]);
  assert.deepEqual(chain?.unanchored, [0, EXPORT.lines.length - 2]);
  assert.deepEqual(chain?.unsigned, [EXPORT.lines.length - 1, EXPORT.lines.length - 1]);
  assert.equal(chain?.anchored, null);
});

Deno.test("verifyAuditExport() names the record of which a field was edited", async () => {
  for (const at of [0, 1, 5, 17, 33, EXPORT.lines.length - 3]) {
    const lines = [...EXPORT.lines];
    lines[at] = canonicalJson({ ...JSON.parse(lines[at] as string), space: "elsewhere" });
    const report = await verifyLines(lines);
    assert.equal(report.ok, false);
    assert.equal(report.firstBad?.kind, "edited");
    assert.equal(report.firstBad?.seq, at);
  }
});

Deno.test("verifyAuditExport() names the record of which the link was edited", async () => {
  const lines = [...EXPORT.lines];
  lines[21] = canonicalJson({ ...JSON.parse(lines[21] as string), prev: "12".repeat(32) });
  const report = await verifyLines(lines);
  assert.deepEqual([report.firstBad?.kind, report.firstBad?.seq], ["edited", 21]);
});

Deno.test("verifyAuditExport() names a deleted record, several, and where it goes on", async () => {
  const one = await verifyLines(EXPORT.lines.toSpliced(23, 1));
  assert.deepEqual([one.firstBad?.kind, one.firstBad?.seq], ["missing", 23]);
  assert.match(one.firstBad?.message ?? "", /^Record 23 is not there$/);
  const five = await verifyLines(EXPORT.lines.toSpliced(23, 5));
  assert.match(five.firstBad?.message ?? "", /^Records 23 to 27 are not there$/);
  const kinds = new Set(five.chains[0]?.problems.map(({ kind }) => kind));
  assert.deepEqual([...kinds], ["missing", "outcome"], renderAuditReport(five));
});

Deno.test("verifyAuditExport() names a reordered pair", async () => {
  const lines = [...EXPORT.lines];
  [lines[30], lines[31]] = [lines[31] as string, lines[30] as string];
  const report = await verifyLines(lines);
  assert.deepEqual([report.firstBad?.kind, report.firstBad?.seq], ["reordered", 30]);
  const twice = await verifyLines(EXPORT.lines.toSpliced(31, 0, EXPORT.lines[30] as string));
  assert.deepEqual([twice.firstBad?.kind, twice.firstBad?.seq], ["reordered", 30]);
});

Deno.test("verifyAuditExport() finds a forgery that was re-hashed without the key", async () => {
  const edited = parseAll(EXPORT.lines);
  edited[25] = { ...edited[25], space: "elsewhere" };
  const report = await verifyLines(rehash(edited));
  assert.equal(report.firstBad?.kind, "forged");
  const { seq } = report.firstBad ?? {};
  assert.ok(seq !== undefined && seq !== null && seq <= 25 && seq > 10, `${seq}`);
  const deleted = await verifyLines(rehash(parseAll(EXPORT.lines).toSpliced(25, 1)));
  assert.equal(deleted.firstBad?.kind, "forged");
});

Deno.test("verifyAuditExport() finds checkpoints that another key signed", async () => {
  const signer = createCheckpointSigner(generateKeyPairSync("ed25519").privateKey, "toolgate");
  const tree = createMerkleTree();
  let prev = "0".repeat(64);
  const lines = parseAll(EXPORT.lines).map((record, seq) => {
    const forged = { ...record, prev, ...(seq === 25 ? { space: "elsewhere" } : {}) };
    if (record.kind === "checkpoint") {
      const time = record.ts as string;
      const note = signer.sign({ chain: "main", size: seq, root: tree.root(), head: prev, time });
      Object.assign(forged, { detail: { note, open: [] } });
    }
    const line = canonicalJson(forged);
    tree.append(hashLeaf(line));
    prev = hashLine(line);
    return line;
  });
  const report = await verifyLines(lines);
  assert.equal(report.ok, false);
  assert.ok(report.chains[0]?.problems.some(({ kind }) => kind === "unsigned"));
  assert.deepEqual(report.chains[0]?.unanchored, null);
});

Deno.test("verifyAuditExport() finds a truncated tail only with an anchor, and says what is anchored", async () => {
  const at = EXPORT.lines.findIndex((line) => JSON.parse(line).kind === "checkpoint");
  const second = EXPORT.lines.findIndex((line, n) =>
    n > at && JSON.parse(line).kind === "checkpoint"
  );
  const note = JSON.parse(EXPORT.lines[second] as string).detail.note;
  const whole = await verifyLines(EXPORT.lines, [note]);
  assert.equal(whole.ok, true, renderAuditReport(whole));
  assert.deepEqual(whole.chains[0]?.anchored, [0, second - 1]);
  assert.deepEqual(whole.chains[0]?.unanchored, [second, EXPORT.lines.length - 2]);
  const cut = EXPORT.lines.slice(0, at + 1);
  assert.equal((await verifyLines(cut)).ok, true);
  const report = await verifyLines(cut, [note]);
  assert.deepEqual([report.firstBad?.kind, report.firstBad?.seq], ["truncated", at + 1]);
  const gone = await verifyLines([], [note]);
  assert.equal(gone.firstBad?.kind, "truncated");
});

Deno.test("verifyAuditExport() finds a call without an outcome", async () => {
  const store = createMemoryStore();
  const log = await openAuditLog({ store, chain: "main", config: CONFIG });
  await log.append(intent("e:0"));
  await log.append(intent("e:1"));
  await log.append(outcome("e:0"));
  await log.checkpoint();
  await log.append(outcome("e:1"));
  await log.append(intent("e:2"));
  await log.checkpoint();
  await log.append({ kind: "admin" });
  await log.checkpoint();
  const lines = (await store.scan({ limit: 100 })).entries.reverse().map(({ body }) => body);
  const verify = (lines: string[]) => verifyAuditExport(lines, { verifierKeys: [log.verifierKey] });
  const running = await verify(lines);
  assert.equal(running.ok, true, renderAuditReport(running));
  assert.deepEqual(running.chains[0]?.open, ["e:2"]);
  // The last checkpoint does not name the call: nobody waits for it any more.
  const last = JSON.parse(lines.at(-1) as string);
  const ended = [
    ...lines.slice(0, -1),
    canonicalJson({ ...last, detail: { ...last.detail, open: [] } }),
  ];
  const report = await verify(ended);
  assert.deepEqual([report.firstBad?.kind, report.firstBad?.seq], ["outcome", 6]);
  assert.match(report.firstBad?.message ?? "", /Call e:2 .* has no outcome/);
  await log.close();
});

Deno.test("verifyAuditExport() accepts an export that begins later, and lines that are not records", async () => {
  const later = await verifyLines(EXPORT.lines.slice(20));
  assert.equal(later.ok, true, renderAuditReport(later));
  assert.equal(later.chains[0]?.first, 20);
  for (const bad of ["{", "null", "[]", '{"v":1}', " {}", `{"chain":"main","v":2}`]) {
    const report = await verifyLines(EXPORT.lines.toSpliced(20, 1, bad));
    assert.equal(report.firstBad?.kind, "malformed", bad);
    assert.equal(report.firstBad?.seq, 20);
  }
  const spaced = EXPORT.lines.toSpliced(20, 1, `${EXPORT.lines[20]} `);
  assert.equal((await verifyLines(spaced)).firstBad?.kind, "malformed");
});

Deno.test("verify() checks a running log with its payloads and says what is anchored", async () => {
  const audit = await makeAuditFolder();
  const { store, log } = await audit.open({ checkpointEvery: 20 });
  await writeExecutions(log, 10);
  await log.append(intent("busy:0"), { args: "{}" });
  const report = await log.verify();
  assert.equal(report.ok, true, renderAuditReport(report));
  const [chain] = report.chains;
  assert.deepEqual(chain?.open, ["busy:0"]);
  assert.equal(chain?.anchored?.[0], 0);
  assert.equal(chain?.unsigned, null);
  assert.equal(chain?.unanchored?.[1], chain?.last);
  assert.match(renderAuditReport(report), /^main: ok, 6\d records, anchored 0-\d+, signed, not/);
  await log.close();
  const closed = await verifyAudit({
    store,
    verifierKeys: [log.verifierKey],
    anchors: await readAnchorFile(`${audit.keysPath}.checkpoints`),
  });
  assert.equal(closed.chains[0]?.unanchored, null);
  assert.deepEqual(closed.chains[0]?.open, ["busy:0"]);
  await store.close();
  await audit.remove();
});

Deno.test("verify() stays right while records are written", async () => {
  const audit = await makeAuditFolder();
  const { store, log } = await audit.open({ checkpointEvery: 7 });
  let writing = true;
  const writer = (async () => {
    for (let n = 0; writing; n++) {
      await log.append(intent(`w:${n}`), { args: String(n) });
      await log.append(outcome(`w:${n}`));
    }
  })();
  for (let round = 0; round < 15; round++) {
    const report = await log.verify();
    assert.equal(report.ok, true, renderAuditReport(report));
  }
  writing = false;
  await writer;
  await log.close();
  await store.close();
  await audit.remove();
});
