import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type AuditLog, openAuditLog } from "../../../src/audit/audit_log.ts";
import { type AuditKeys, createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import { renderAuditReport } from "../../../src/audit/verify/verify_audit.ts";
import { GateError } from "../../../src/model/errors.ts";
import type { AuditRecord } from "../../../src/model/event.ts";
import { openKvStore } from "../../../src/store/kv/kv_store.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import type { Store } from "../../../src/store/store.ts";
import { CONFIG, intent, outcome } from "../audit_fixture.ts";

/** Quick in failure, so that tests need no patience. */
const LIMITS = { retryMinMs: 1, retryMaxMs: 5, stallMs: 10_000, closePatienceMs: 200 };

interface Faults {
  /** Called before an append; throws or waits to make trouble. */
  before: (count: number) => Promise<void> | void;
  /** Called after an append that was stored. */
  after: (count: number) => void;
  head: () => void;
}

function withFaults(store: Store): { store: Store; faults: Faults } {
  const faults: Faults = { before: () => {}, after: () => {}, head: () => {} };
  let count = 0;
  return {
    faults,
    store: {
      ...store,
      async append(entries, beside) {
        const n = count++;
        await faults.before(n);
        await store.append(entries, beside);
        faults.after(n);
      },
      async head(log) {
        faults.head();
        return await store.head(log);
      },
    },
  };
}

const full = () => {
  throw new GateError("ERR_STORE", "Cannot write the store: database or disk is full", {
    hint: "Free disk space",
  });
};

async function open(
  store: Store,
  keys: AuditKeys = createAuditKeys(),
  stallMs = LIMITS.stallMs,
): Promise<AuditLog> {
  const limits = { ...LIMITS, stallMs };
  return await openAuditLog({ store, chain: "main", config: CONFIG, keys, limits });
}

async function allRecords(store: Store): Promise<AuditRecord[]> {
  const { entries } = await store.scan({ limit: 10_000 });
  return entries.reverse().map(({ body }) => JSON.parse(body));
}

/** What a gate does with a log: announces, acts, records. */
async function makeCall(log: AuditLog, call: string, acted: string[]): Promise<void> {
  try {
    await log.append(intent(call), { args: "{}" });
  } catch (error) {
    assert.ok(error instanceof GateError && error.code === "ERR_AUDIT_UNAVAILABLE", `${error}`);
    return;
  }
  acted.push(call);
  await log.append(outcome(call), { result: "1" });
}

for (const when of ["before", "after"] as const) {
  Deno.test(`a store that fails the n-th append ${when} storing it loses nothing, for every n`, async () => {
    for (let n = 0; n < 12; n++) {
      const real = createMemoryStore();
      const { store, faults } = withFaults(real);
      const keys = createAuditKeys();
      const log = await open(store, keys);
      faults[when] = (count) => count === n ? full() : undefined;
      const acted: string[] = [];
      for (let round = 0; round < 4; round++) {
        const calls = Array.from({ length: 5 }, (_, i) => makeCall(log, `e${round}:${i}`, acted));
        await Promise.all(calls);
      }
      await log.append({ kind: "limit.hit" }); // waits until the store is back
      await log.close();
      const records = await allRecords(real);
      const calls = (kind: string, status?: string) =>
        records.filter((one) => one.kind === kind && (!status || one.result?.status === status))
          .map(({ call }) => call);
      for (const call of acted) {
        assert.ok(calls("call.intent").includes(call), `${n}: ${call} acted without an intent`);
        assert.equal(calls("call.outcome", "ok").filter((one) => one === call).length, 1);
      }
      assert.equal(new Set(calls("call.intent")).size, calls("call.intent").length);
      const reader = await open(real, keys);
      const report = await reader.verify();
      assert.equal(report.ok, true, `${n}: ${renderAuditReport(report)}`);
      assert.deepEqual(report.chains[0]?.open, []);
      await reader.close();
    }
  });
}

Deno.test("a full store refuses calls, turns health red, keeps outcomes and recovers by itself", async () => {
  const real = createMemoryStore();
  const { store, faults } = withFaults(real);
  const log = await open(store);
  await log.append(intent("e:0"));
  faults.before = full;
  await assert.rejects(log.append(intent("e:1")), (error) => {
    assert.ok(error instanceof GateError);
    assert.match(error.message, /Cannot write the audit log: .*disk is full/);
    return error.code === "ERR_AUDIT_UNAVAILABLE" && error.retryAfterMs !== undefined;
  });
  assert.deepEqual(log.health(), {
    ok: false,
    reason: "Cannot write the store: database or disk is full",
  });
  const late = log.append(outcome("e:0"));
  await assert.rejects(log.append({ kind: "search" }), GateError);
  faults.before = () => {};
  assert.equal((await late).call, "e:0");
  assert.deepEqual(log.health(), { ok: true, reason: null });
  await log.append(intent("e:2"));
  const records = await allRecords(real);
  const calls = records.filter(({ kind }) => kind.startsWith("call."));
  assert.deepEqual(calls.map(({ kind, call }) => `${kind} ${call}`), [
    "call.intent e:0",
    "call.outcome e:0",
    "call.intent e:2",
  ]);
  const recovered = records.find(({ detail }) => detail?.type === "audit.recovered");
  assert.match(String(recovered?.detail?.reason), /disk is full/);
  assert.equal(recovered?.detail?.refused, 2);
  await log.close();
});

Deno.test("a store that recovers is noticed without anybody asking", async () => {
  const { store, faults } = withFaults(createMemoryStore());
  const log = await open(store);
  const recovered = Promise.withResolvers<AuditRecord>();
  log.follow((record) => record.detail?.type === "audit.recovered" && recovered.resolve(record));
  faults.before = (count) => count < 3 ? full() : undefined;
  faults.head = () => {
    throw new Error("away");
  };
  await assert.rejects(log.append(intent("e:0")), GateError);
  assert.equal(log.health().ok, false);
  faults.head = () => {};
  await recovered.promise;
  assert.equal(log.health().ok, true);
  await log.close();
});

Deno.test("a store that does not answer refuses calls after a while, and the chain says so", async () => {
  const real = createMemoryStore();
  const { store, faults } = withFaults(real);
  const log = await open(store, createAuditKeys(), 500);
  await log.append(intent("e:0"));
  const answer = Promise.withResolvers<void>();
  faults.before = () => answer.promise;
  const slow = assert.rejects(log.append(intent("e:1")), /has not answered for 500 ms/);
  const fact = log.append(outcome("e:0"));
  await slow;
  assert.equal(log.health().ok, false);
  await assert.rejects(log.append(intent("e:2")), GateError);
  faults.before = () => {};
  answer.resolve();
  await fact;
  assert.equal(log.health().ok, true);
  await log.close();
  const records = await allRecords(real);
  // The refused intent was stored after all: the chain says that nothing followed from it.
  const about = records.filter(({ call }) => call === "e:1");
  assert.deepEqual(about.map(({ kind, result }) => [kind, result?.status]), [
    ["call.intent", undefined],
    ["call.outcome", "refused"],
  ]);
  assert.ok(!records.some(({ call }) => call === "e:2"));
});

Deno.test("append() refuses above the queue's bound and not at it", async () => {
  const { store, faults } = withFaults(createMemoryStore());
  const limits = { ...LIMITS, queueRecordsMax: 20, factsMax: 25 };
  const log = await openAuditLog({ store, chain: "main", config: CONFIG, limits });
  const answer = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  faults.before = () => {
    started.resolve();
    return answer.promise;
  };
  const first = log.append(intent("e:first"));
  await started.promise;
  const queued = Array.from({ length: 20 }, (_, n) => log.append(intent(`e:${n}`)));
  await assert.rejects(log.append(intent("e:above")), /its queue is full/);
  const facts = Array.from({ length: 5 }, (_, n) => log.append(outcome(`e:${n}`)));
  await assert.rejects(log.append(outcome("e:9")), /its queue is full/);
  answer.resolve();
  await Promise.all([first, ...queued, ...facts]);
  await log.append(intent("e:after"));
  await log.close();
});

Deno.test("close() ends although the store never answers", async () => {
  const { store, faults } = withFaults(createMemoryStore());
  const log = await open(store);
  await log.append(intent("e:0"));
  faults.before = full;
  const fact = assert.rejects(log.append(outcome("e:0")), GateError);
  await log.close();
  await fact;
});

Deno.test("a store file that another process locks refuses calls and recovers when it is free", async () => {
  const folder = await Deno.makeTempDir();
  const store = await openKvStore(`${folder}/store.kv`);
  const log = await open(store, createAuditKeys(), 1_000);
  await log.append(intent("e:0"));
  const other = new DatabaseSync(`${folder}/store.kv`);
  other.exec("BEGIN EXCLUSIVE");
  await assert.rejects(log.append(intent("e:1")), (error) => {
    assert.ok(error instanceof GateError);
    return error.code === "ERR_AUDIT_UNAVAILABLE";
  });
  assert.equal(log.health().ok, false);
  const late = log.append(outcome("e:0"));
  other.exec("COMMIT");
  other.close();
  await late;
  assert.equal(log.health().ok, true);
  await log.append(intent("e:2"));
  const report = await log.verify();
  assert.equal(report.ok, true, renderAuditReport(report));
  await log.close();
  await store.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openAuditLog() says that a store is damaged", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/store.kv`;
  const store = await openKvStore(path);
  const log = await open(store);
  await Promise.all(Array.from({ length: 3_000 }, (_, n) => log.append(intent(`e:${n}`))));
  await log.close();
  await store.close();
  const bytes = await Deno.readFile(path);
  bytes.fill(0xff, 8_192, bytes.length - 4_096);
  await Deno.writeFile(path, bytes);
  await assert.rejects(async () => {
    const damaged = await openKvStore(path);
    try {
      await open(damaged);
    } finally {
      await damaged.close();
    }
  }, (error) => {
    assert.ok(error instanceof GateError, String(error));
    assert.equal(error.code, "ERR_STORE");
    assert.match(error.hint, /damaged/);
    return true;
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("work of our own that holds the loop is not taken for a store that does not answer", async () => {
  const real = createMemoryStore();
  const { store, faults } = withFaults(real);
  const log = await open(store, createAuditKeys(), 200);
  faults.before = async () => {
    // The commit is under way: its answer waits while something else holds the event loop.
    setTimeout(() => {
      const until = performance.now() + 600;
      while (performance.now() < until);
    }, 1);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await log.append(intent("e0:1"), { args: "{}" });
  assert.equal(log.health().ok, true);
  await log.close();
});
