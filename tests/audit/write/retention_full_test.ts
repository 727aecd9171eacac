import assert from "node:assert/strict";
import { type AuditLog, openAuditLog } from "../../../src/audit/audit_log.ts";
import { type AuditKeys, createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import {
  renderAuditReport,
  verifyAudit,
  verifyAuditExport,
} from "../../../src/audit/verify/verify_audit.ts";
import { keyOf } from "../../../src/store/keys.ts";
import { openKvStore } from "../../../src/store/kv/kv_store.ts";
import type { Store } from "../../../src/store/store.ts";
import { CONFIG, intent, makeAuditFolder, outcome } from "../audit_fixture.ts";

const DAY_MS = 86_400_000;
const config = { ...CONFIG, retentionDays: 30, payloadRetentionDays: 10, checkpointEvery: 50 };

/** A log over `days` days of ten calls each, ending at the clock's time. */
async function writeDays(log: AuditLog, clock: { now: number }, days: number): Promise<void> {
  for (let day = 0; day < days; day++) {
    for (let n = 0; n < 10; n++) {
      clock.now += DAY_MS / 10;
      await log.append(intent(`d${day}:${n}`), { args: String(n) });
      await log.append(outcome(`d${day}:${n}`));
    }
  }
}

async function withClock(
  run: (log: AuditLog, store: Store, clock: { now: number }) => Promise<void>,
): Promise<void> {
  const clock = { now: Date.parse("2026-01-01T00:00:00Z") };
  const store = await openKvStore(":memory:", () => clock.now);
  const log = await openAuditLog({ store, chain: "main", config, now: () => clock.now });
  try {
    await run(log, store, clock);
  } finally {
    await log.close();
    await store.close();
  }
}

Deno.test("trim() removes what is older than the retention, and the rest verifies", async () => {
  await withClock(async (log, store, clock) => {
    await writeDays(log, clock, 45);
    const before = (await log.query({ limit: 10_000 })).records;
    const removed = await log.trim();
    const share = removed / before.length;
    assert.ok(share > 0.3 && share < 0.37, `${share}`); // 15 of 45 days
    const after = (await log.query({ limit: 10_000 })).records;
    assert.deepEqual(after, before.slice(0, before.length - removed));
    assert.ok(Date.parse(after.at(-1)?.ts ?? "") >= clock.now - 30 * DAY_MS);
    const report = await log.verify();
    assert.equal(report.ok, true, renderAuditReport(report));
    assert.equal(report.chains[0]?.first, removed);
    assert.equal(await log.trim(), 0);
    await writeDays(log, clock, 60);
    await log.trim();
    const later = await log.verify();
    assert.equal(later.ok, true, renderAuditReport(later));
    assert.equal((await store.list("audit/payloads/")).length, 100);
  });
});

Deno.test("trim() leaves no way to remove more than the statement says, or to write one", async () => {
  await withClock(async (log, store, clock) => {
    await writeDays(log, clock, 45);
    await log.trim();
    const statement = await store.get(keyOf.auditTrimmed("main"));
    await store.put([{ key: keyOf.auditTrimmed("main"), value: null }]);
    const without = await log.verify();
    assert.match(renderAuditReport(without), /missing: Records 0 to \d+ are gone without a signed/);
    await store.put([{ key: keyOf.auditTrimmed("main"), value: statement?.value ?? null }]);
    assert.equal((await log.verify()).ok, true);
    const at = (await log.query({ limit: 10_000 })).records.at(-20);
    await store.trim(Date.parse(at?.ts ?? ""), { log: "main" });
    const more = await log.verify();
    assert.match(renderAuditReport(more), /missing: Records 0 to \d+ are gone without a signed/);
  });
});

Deno.test("a trimmed log goes on after a start, and its export verifies from its first record", async () => {
  const audit = await makeAuditFolder();
  const clock = { now: Date.now() - 100 * DAY_MS };
  const store = await openKvStore(audit.storePath, () => clock.now);
  const options = { chain: "main", config, keysPath: audit.keysPath, now: () => clock.now };
  const first = await openAuditLog({ ...options, store });
  await writeDays(first, clock, 40);
  await first.trim();
  await first.close();
  // Without the kept state the chain is followed from the statement.
  await store.put([{ key: keyOf.auditState("main"), value: null }]);
  const second = await openAuditLog({ ...options, store });
  await writeDays(second, clock, 2);
  const report = await second.verify();
  assert.equal(report.ok, true, renderAuditReport(report));
  assert.ok(!JSON.stringify((await second.query({ kind: "admin" })).records).includes("tampered"));
  await second.close();
  const { entries } = await store.scan({ limit: 10_000 });
  const lines = entries.reverse().map(({ body }) => body);
  const exported = await verifyAuditExport(lines, { verifierKeys: [second.verifierKey] });
  assert.equal(exported.ok, true, renderAuditReport(exported));
  await store.close();
  await audit.remove();
});

Deno.test("trim() stops before records that a sink still needs", async () => {
  const clock = { now: Date.parse("2026-01-01T00:00:00Z") };
  const store = await openKvStore(":memory:", () => clock.now);
  let needed = 7;
  const log = await openAuditLog({
    store,
    chain: "main",
    config,
    now: () => clock.now,
    neededFrom: () => Promise.resolve(needed),
  });
  await writeDays(log, clock, 45);
  assert.equal(await log.trim(), 7);
  needed = 0;
  assert.equal(await log.trim(), 0);
  needed = Infinity;
  assert.ok(await log.trim() > 200);
  assert.equal((await log.verify()).ok, true);
  await log.close();
  await store.close();
});

Deno.test("trim() also ends the chain of a replica that is gone, but not of one that writes", async () => {
  const clock = { now: Date.parse("2026-01-01T00:00:00Z") };
  const store = await openKvStore(":memory:", () => clock.now);
  const keys: AuditKeys = createAuditKeys();
  const open = (chain: string) =>
    openAuditLog({ store, chain, config, keys, now: () => clock.now });
  const gone = await open("gone");
  await writeDays(gone, clock, 3);
  await gone.close();
  const other = await open("other");
  await writeDays(other, clock, 20);
  const own = await open("own");
  await writeDays(own, clock, 20);
  await own.trim();
  const { entries } = await store.scan({ log: "gone", limit: 1_000 });
  assert.ok(entries.length < 5, `${entries.length} left`); // those of the last moment
  assert.equal((await store.scan({ log: "other", beforeSeq: 1 })).entries.length, 1);
  const report = await verifyAudit({ store, verifierKeys: [own.verifierKey] });
  assert.equal(report.ok, true, renderAuditReport(report));
  await own.close();
  await other.close();
  await store.close();
});
