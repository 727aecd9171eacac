import assert from "node:assert/strict";
import { type AuditLog, openAuditLog } from "../../src/audit/audit_log.ts";
import { recordMatcher } from "../../src/audit/audit_query.ts";
import { hashLine } from "../../src/audit/audit_record.ts";
import { openCheckpoint } from "../../src/audit/chain/checkpoint.ts";
import { AuditSchema } from "../../src/config/schema.ts";
import { GateError } from "../../src/model/errors.ts";
import type { AuditEvent, AuditRecord } from "../../src/model/event.ts";
import { canonicalJson } from "../../src/model/json/canonical_json.ts";
import { keyOf } from "../../src/store/keys.ts";
import { openKvStore } from "../../src/store/kv/kv_store.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import type { Change, LogEntry, Store } from "../../src/store/store.ts";

const CONFIG = AuditSchema.parse({});

function intent(call: string, tool = "pay.refund", sub = "ada"): AuditEvent {
  const [server = "", name = ""] = tool.split(".");
  return {
    kind: "call.intent",
    actor: { sub, iss: "keys", client: "cli", groups: [], scopes: [] },
    execution: call.split(":")[0] ?? "",
    call,
    tool: { server, name, access: "write" },
    decision: { effect: "allow", because: ["refunds"], bundle: "b1" },
  };
}

function outcome(call: string, tool = "pay.refund", sub = "ada"): AuditEvent {
  const { decision: _, ...rest } = intent(call, tool, sub);
  return { ...rest, kind: "call.outcome", result: { status: "ok" } };
}

async function withLog(
  run: (log: AuditLog, store: Store) => Promise<void>,
  config = CONFIG,
): Promise<void> {
  const store = createMemoryStore();
  const log = await openAuditLog({ store, chain: "main", config });
  try {
    await run(log, store);
  } finally {
    await log.close();
    await store.close();
  }
}

async function allRecords(log: AuditLog): Promise<AuditRecord[]> {
  return (await log.query({ limit: 10_000 })).records.reverse();
}

Deno.test("append() chains canonical lines from the first record on", async () => {
  await withLog(async (log, store) => {
    const records = await Promise.all([
      log.append(intent("e1:0")),
      log.append(outcome("e1:0")),
      log.append(intent("e1:1")),
    ]);
    assert.deepEqual(records.map(({ seq }) => seq), [1, 2, 3]); // the log opens with a record of its own
    const { entries } = await store.scan({ log: "main" });
    entries.reverse();
    let prev = "0".repeat(64);
    for (const [seq, { body }] of entries.entries()) {
      const record = JSON.parse(body);
      assert.equal(canonicalJson(record), body);
      assert.equal(record.prev, prev);
      assert.equal(record.seq, seq);
      assert.equal(record.v, 1);
      assert.equal(record.chain, "main");
      prev = hashLine(body);
    }
    assert.deepEqual(JSON.parse(entries[1]?.body ?? ""), records[0]);
  });
});

Deno.test("append() writes many records with few commits", async () => {
  const store = createMemoryStore();
  let appends = 0;
  const counting: Store = { ...store, append: (...args) => (appends++, store.append(...args)) };
  const log = await openAuditLog({ store: counting, chain: "main", config: CONFIG });
  await Promise.all(Array.from({ length: 1_000 }, (_, n) => log.append(intent(`e:${n}`))));
  assert.equal(appends, 4);
  await log.close();
});

Deno.test("append() puts what nobody waits for into the commit of what comes next", async () => {
  const store = createMemoryStore();
  let commits = 0;
  const counting: Store = {
    ...store,
    append(...batch) {
      commits++;
      return store.append(...batch);
    },
  };
  const log = await openAuditLog({
    store: counting,
    chain: "main",
    config: CONFIG,
    limits: { lingerMs: 60_000 },
  });
  const soon = ["e1:0", "e1:1"].map((call) => log.append(outcome(call), {}, "soon"));
  const next = await log.append(intent("e1:2"));
  assert.equal(commits, 1);
  assert.deepEqual((await Promise.all(soon)).map(({ seq }) => next.seq - seq), [2, 1]);
  const last = log.append(outcome("e1:2"), {}, "soon");
  await log.close(); // does not leave it behind
  assert.equal((await last).seq, next.seq + 1);
  await store.close();
});

Deno.test("append() keeps the order of an execution, however large a payload is", async () => {
  await withLog(async (log) => {
    const large = JSON.stringify("x".repeat(300_000));
    const appended = await Promise.all([
      log.append({ kind: "execution.start", execution: "e1" }, { code: large }, "soon"),
      log.append(intent("e1:0"), { args: "{}" }),
      log.append(outcome("e1:0"), { result: large }, "soon"),
      log.append({ kind: "execution.end", execution: "e1", result: { status: "ok" } }),
    ]);
    const first = appended[0].seq;
    assert.deepEqual(appended.map(({ seq }) => seq - first), [0, 1, 2, 3]);
  });
});

Deno.test("append() does not keep what nobody waits for to itself for long", async () => {
  await withLog(async (log) => {
    const { seq } = await log.append(outcome("e1:0"), {}, "soon");
    assert.deepEqual((await allRecords(log)).at(-1)?.seq, seq);
  });
});

Deno.test("append() keeps payloads beside the chain and commits to them", async () => {
  await withLog(async (log, store) => {
    const record = await log.append(intent("e:0"), { args: '{"b":1,"a":"secret text"}' });
    assert.match(record.args?.commit ?? "", /^[0-9a-f]{64}$/);
    assert.equal(record.args?.bytes, 25);
    assert.deepEqual(await log.payloads(record), { args: '{"b":1,"a":"secret text"}' });
    const start = await log.append(
      { kind: "execution.start", execution: "e" },
      { code: '"return 1"', result: '"x"' },
    );
    assert.equal(start.code?.bytes, 8);
    assert.equal(start.result?.status, "ok");
    assert.deepEqual(await log.payloads(start), { code: '"return 1"', result: '"x"' });
    const none = await log.append(intent("e:1"));
    assert.equal(await log.payloads(none), null);
    const stored = JSON.stringify([
      await store.list(""),
      (await store.scan({ limit: 99 })).entries,
    ]);
    assert.ok(!stored.includes("secret text"));
  });
});

Deno.test("append() commits with a fresh salt, so equal values do not look equal", async () => {
  await withLog(async (log) => {
    const first = await log.append(intent("e:0"), { args: "{}" });
    const second = await log.append(intent("e:1"), { args: "{}" });
    assert.notEqual(first.args?.commit, second.args?.commit);
  });
});

Deno.test("append() keeps a payload of 5 MB and one of many in one batch", async () => {
  await withLog(async (log) => {
    const large = JSON.stringify("日本".repeat(800_000));
    const records = await Promise.all([
      ...Array.from(
        { length: 50 },
        (_, n) =>
          log.append(intent(`e:${n}`), { args: JSON.stringify({ n, pad: "x".repeat(20_000) }) }),
      ),
      log.append(outcome("e:0"), { result: large }),
    ]);
    assert.deepEqual(await log.payloads(records.at(-1) as AuditRecord), { result: large });
    const found = await log.payloads(records[33] as AuditRecord);
    assert.equal(JSON.parse(found?.args ?? "").n, 33);
  });
});

Deno.test("append() keeps no payload when configured so, but still says its size", async () => {
  await withLog(async (log, store) => {
    const record = await log.append(intent("e:0"), { args: "[1,2]" });
    assert.equal(record.args?.bytes, 5);
    assert.equal(await log.payloads(record), null);
    assert.deepEqual(await store.list("audit/payloads/"), []);
  }, AuditSchema.parse({ payloads: "off" }));
});

Deno.test("erase() removes a record's payloads and no other's, and records it", async () => {
  await withLog(async (log) => {
    const [first, second] = await Promise.all([
      log.append(intent("e:0"), { args: "[1]" }),
      log.append(intent("e:1"), { args: "[2]" }),
    ]);
    assert.equal(await log.erase(first, undefined), true);
    assert.equal(await log.payloads(first), null);
    assert.deepEqual(await log.payloads(second), { args: "[2]" });
    assert.equal(await log.erase(first, undefined), false);
    const { records } = await log.query({ kind: "admin", limit: 1 });
    assert.deepEqual(records[0]?.detail, { type: "audit.erase", chain: "main", seq: first.seq });
  });
});

Deno.test("append() repairs text that has no canonical form and cuts what is too large", async () => {
  await withLog(async (log) => {
    const odd = await log.append({
      kind: "limit.hit",
      detail: { text: "a\ud800b", number: NaN },
    });
    assert.deepEqual(odd.detail, { text: "a\ufffdb", number: null });
    const pad = (length: number) => ({
      kind: "admin" as const,
      detail: { pad: "x".repeat(length) },
    });
    const overhead = canonicalJson(pad(0)).length;
    const most = pad(32_768 - 512 - overhead);
    assert.deepEqual((await log.append(most)).detail, most.detail);
    const above = await log.append(pad(32_768 - 512 - overhead + 1));
    assert.deepEqual(above.detail, { pad: `${"x".repeat(2_000)}…`, cut: true });
    const message = "日".repeat(2_000_000);
    const huge = await log.append({
      ...outcome("e:9"),
      err: { code: "ERR_UPSTREAM", message },
      detail: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`k${n}`, message])),
    });
    assert.equal(huge.call, "e:9");
    assert.equal(huge.err?.message, `${"日".repeat(300)}…`);
    assert.equal(huge.detail?.cut, true);
    const endless = Array.from({ length: 100_000 }, (_, n) => `group ${n}`);
    const actor = { sub: "ada", iss: "i", client: "c", groups: endless, scopes: endless };
    const many = await log.append({ kind: "search", actor });
    assert.equal(many.actor?.groups.length, 100);
    assert.equal((await log.verify()).ok, true);
  });
});

Deno.test("query() filters by every field, alone and together, in pages", async () => {
  await withLog(async (log) => {
    const events: AuditEvent[] = [];
    for (let n = 0; n < 120; n++) {
      const tool = ["pay.refund", "pay.get", "mail.send"][n % 3] as string;
      const event = intent(`e${n >> 3}:${n}`, tool, n % 2 ? "ada" : "bob");
      events.push(
        n % 5 === 0
          ? { ...event, decision: { effect: "deny", because: ["no"], bundle: "b1" } }
          : event,
      );
    }
    const records = await Promise.all(events.map((event) => log.append(event)));
    const expect = async (
      filter: Parameters<AuditLog["query"]>[0],
      wanted: (record: AuditRecord, n: number) => boolean,
    ) => {
      const found: AuditRecord[] = [];
      let after: string | undefined;
      do {
        const page = await log.query({ ...filter, limit: 7, ...(after ? { after } : {}) });
        assert.ok(page.records.length <= 7);
        found.push(...page.records);
        after = page.next;
      } while (after !== undefined);
      assert.deepEqual(
        found.filter((record) => record.kind === "call.intent").map(({ seq }) => seq),
        records.filter(wanted).map(({ seq }) => seq).reverse(),
      );
      assert.ok(found.length > 0);
    };
    await expect({}, () => true);
    await expect({ principal: "ada" }, (record) => record.actor?.sub === "ada");
    await expect({ tool: "pay.refund" }, (record) => record.tool?.name === "refund");
    await expect({ tool: "pay.*" }, (record) => record.tool?.server === "pay");
    await expect({ tool: "*.?e*" }, (record) => record.tool?.name !== "x");
    await expect({ execution: "e3" }, (record) => record.execution === "e3");
    await expect({ effect: "deny" }, (record) => record.decision?.effect === "deny");
    await expect({ kind: "call.intent" }, () => true);
    await expect(
      { principal: "bob", tool: "mail.*", effect: "deny", kind: "call.intent" },
      (_record, n) => n % 2 === 0 && n % 3 === 2 && n % 5 === 0,
    );
    assert.deepEqual((await log.query({ tool: "pay" })).records, []);
    const since = Date.parse(records[0]?.ts ?? "");
    assert.equal((await log.query({ since: since + 60_000 })).records.length, 0);
    assert.equal((await log.query({ until: since - 60_000 })).records.length, 0);
  });
});

Deno.test("query(), records() and recordMatcher() find by what became of a call", async () => {
  const store = createMemoryStore();
  const log = await openAuditLog({ store, chain: "main", config: CONFIG });
  const ends: [string, string, "allow" | "ask" | "deny" | "hidden"][] = [
    ["allow", "ok", "allow"],
    ["refused", "ERR_LIMIT_REACHED", "allow"],
    ["refused", "ERR_INVALID_ARGUMENTS", "allow"],
    ["ask", "ERR_APPROVAL_REQUIRED", "ask"],
    ["deny", "ERR_POLICY_DENIED", "deny"],
    ["hidden", "ERR_TOOL_NOT_FOUND", "hidden"],
  ];
  for (let n = 0; n < 60; n++) {
    const [, status, effect] = ends[n % ends.length] as typeof ends[number];
    const decision = { effect, because: ["r"], bundle: "b" };
    await log.append({ ...outcome(`e:${n}`), decision, result: { status } });
  }
  const stopped = (effect: string) => effect === "deny" ? 50 : effect === "refused" ? 20 : 10;
  for (const effect of ["allow", "refused", "ask", "deny", "hidden"]) {
    const found: AuditRecord[] = [];
    let after: string | undefined;
    do {
      const page = await log.query({ effect, limit: 7, ...(after ? { after } : {}) });
      found.push(...page.records);
      after = page.next;
    } while (after !== undefined);
    assert.equal(found.length, stopped(effect), effect);
    const seqs = found.map(({ seq }) => seq);
    assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => b - a), effect);
    const oldestFirst = await Array.fromAsync(log.records({ effect }));
    assert.deepEqual(oldestFirst.map(({ seq }) => seq), seqs.toReversed());
    const all = await Array.fromAsync(log.records());
    assert.equal(all.filter(recordMatcher({ effect })).length, found.length);
  }
  await log.close();
});

Deno.test("verify() takes records that an older version filed under the policy's decision alone", async () => {
  const store = createMemoryStore();
  const older = {
    ...store,
    append: (entries: readonly LogEntry[], beside?: readonly Change[]) =>
      store.append(
        entries.map((entry) =>
          entry.kind === "call.outcome" ? { ...entry, effect: "allow" } : entry
        ),
        beside,
      ),
  };
  const log = await openAuditLog({ store: older, chain: "main", config: CONFIG });
  const decision = { effect: "allow", because: ["r"], bundle: "b" } as const;
  await log.append({ ...outcome("e:0"), decision, result: { status: "ERR_LIMIT_REACHED" } });
  assert.deepEqual((await log.verify()).firstBad, null);
  await log.append({ ...outcome("e:1"), decision: { ...decision, effect: "deny" } });
  assert.match((await log.verify()).firstBad?.message ?? "", /filed under another effect/);
  await log.close();
});

Deno.test("follow() tells every record in order until it is stopped", async () => {
  await withLog(async (log) => {
    const seen: number[] = [];
    log.follow(() => {
      throw new Error("a listener that fails");
    });
    const stop = log.follow(({ seq }) => seen.push(seq));
    await Promise.all([log.append(intent("e:0")), log.append(intent("e:1"))]);
    stop();
    await log.append(intent("e:2"));
    assert.deepEqual(seen, [0, 1, 2]);
  });
});

Deno.test("openAuditLog() goes on where a log was closed, with a checkpoint between", async () => {
  const folder = await Deno.makeTempDir();
  const keysPath = `${folder}/keys/audit`;
  const store = await openKvStore(`${folder}/store.kv`);
  const first = await openAuditLog({ store, chain: "main", config: CONFIG, keysPath });
  const before = await first.append(intent("e:0"), { args: "[1]" });
  await first.append(outcome("e:0"));
  await first.close();
  await assert.rejects(first.append(intent("e:1")), GateError);
  const second = await openAuditLog({ store, chain: "main", config: CONFIG, keysPath });
  assert.equal(second.verifierKey, first.verifierKey);
  assert.deepEqual(await second.payloads(before), { args: "[1]" });
  await second.append(intent("e:1"));
  const records = await allRecords(second);
  assert.deepEqual(records.map(({ kind }) => kind), [
    "admin",
    "call.intent",
    "call.outcome",
    "checkpoint",
    "admin",
    "call.intent",
  ]);
  for (const [index, record] of records.entries()) {
    const prev = index === 0 ? "0".repeat(64) : hashLine(canonicalJson(records[index - 1]));
    assert.equal(record.prev, prev);
  }
  const note = records[3]?.detail?.note as string;
  assert.equal(openCheckpoint(note, [first.verifierKey])?.size, 3);
  assert.equal(records[4]?.detail?.tampered, undefined);
  await second.close();
  await store.close();
  assert.equal(((await Deno.stat(`${keysPath}.signing.pem`)).mode ?? 0) & 0o777, 0o600);
  assert.equal(((await Deno.stat(`${keysPath}.payload.key`)).mode ?? 0) & 0o777, 0o600);
  assert.equal(await Deno.readTextFile(`${keysPath}.signing.pub`), `${first.verifierKey}\n`);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openAuditLog() ends what a crash left open with the outcome unknown", async () => {
  const store = createMemoryStore();
  const first = await openAuditLog({ store, chain: "main", config: CONFIG });
  await first.append({ kind: "execution.start", execution: "e" });
  await first.append(intent("e:0"));
  await first.append(intent("e:1"));
  await first.checkpoint();
  await first.append(outcome("e:0"));
  await first.append(intent("e:2"));
  await first.append({ ...intent("e:3"), decision: { effect: "deny", because: [], bundle: "b" } });
  // No close: the process ended here.
  const second = await openAuditLog({ store, chain: "main", config: CONFIG });
  const unknown = (await allRecords(second)).filter(({ result }) => result?.status === "unknown");
  assert.deepEqual(unknown.map(({ kind, call, execution }) => [kind, call, execution]), [
    ["execution.end", undefined, "e"],
    ["call.outcome", "e:1", "e"],
    ["call.outcome", "e:2", "e"],
  ]);
  assert.equal(unknown[1]?.err?.code, "ERR_OUTCOME_UNKNOWN");
  assert.deepEqual(unknown[1]?.tool, { server: "pay", name: "refund", access: "write" });
  const size = (await allRecords(second)).length;
  await second.close();
  const third = await openAuditLog({ store, chain: "main", config: CONFIG });
  assert.equal((await allRecords(third)).length, size + 1);
  await third.close();
  await first.close().catch(() => {});
});

Deno.test("a checkpoint is written every so many records and after some time", async () => {
  await withLog(async (log) => {
    for (let n = 0; n < 25; n++) await log.append(intent(`e:${n}`));
    const marks = (await allRecords(log)).filter(({ kind }) => kind === "checkpoint");
    assert.deepEqual(marks.map(({ seq }) => seq), [10, 21]);
    assert.equal((marks[0]?.detail?.open as string[]).length, 9);
  }, AuditSchema.parse({ checkpointEvery: 10 }));
  const timed = Promise.withResolvers<AuditRecord>();
  await withLog(async (log, store) => {
    log.follow((record) => record.kind === "checkpoint" && timed.resolve(record));
    await log.append(intent("e:0"));
    const record = await timed.promise;
    assert.equal(record.seq, 2);
    assert.ok(await store.get(keyOf.auditState("main")));
  }, AuditSchema.parse({ checkpointEveryMs: 100 }));
});

Deno.test("the process that lost its chain to another one refuses everything", async () => {
  const store = createMemoryStore();
  const first = await openAuditLog({ store, chain: "main", config: CONFIG });
  await first.append(intent("e:0"));
  const second = await openAuditLog({ store, chain: "main", config: CONFIG });
  await second.append(intent("f:0"));
  await assert.rejects(first.append(intent("e:1")), (error) => {
    assert.ok(error instanceof GateError);
    assert.match(error.message, /another process writes the chain "main"/);
    return error.code === "ERR_AUDIT_UNAVAILABLE";
  });
  assert.equal(first.health().ok, false);
  await assert.rejects(first.append(outcome("e:0")), GateError);
  await second.append(outcome("f:0"));
  await second.close();
  await first.close();
});
