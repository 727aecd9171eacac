import assert from "node:assert/strict";
import {
  FencedError,
  type LogEntry,
  type ScanQuery,
  type Store,
  STORE_CHANGES_MAX,
} from "../../src/store/store.ts";

export interface StoreUnderTest {
  readonly name: string;
  /** Opens an empty store; `now` is the store's clock. */
  open(now: () => number): Promise<Store>;
}

/** The one suite that every backend passes. */
export function testStoreConformance(backend: StoreUnderTest): void {
  function test(title: string, run: (store: Store, clock: { now: number }) => Promise<void>) {
    Deno.test(`${backend.name} store ${title}`, async () => {
      const clock = { now: 1_700_000_000_000 };
      const store = await backend.open(() => clock.now);
      try {
        await run(store, clock);
      } finally {
        await store.close();
      }
    });
  }

  test("keeps, changes and deletes documents", async (store) => {
    assert.equal(await store.get("a/x"), null);
    const revision = await store.put([{ key: "a/x", value: { n: [1, "é日", null] } }]);
    const found = await store.get("a/x");
    assert.deepEqual(found?.value, { n: [1, "é日", null] });
    assert.equal(found?.revision, revision);
    await store.put([{ key: "a/x", value: null }]);
    assert.equal(await store.get("a/x"), null);
  });

  test("creates only once and compares before it sets", async (store) => {
    const first = await store.put([{ key: "k", value: 1, expect: null }]);
    assert.ok(first);
    assert.equal(await store.put([{ key: "k", value: 2, expect: null }]), null);
    const second = await store.put([{ key: "k", value: 2, expect: first }]);
    assert.ok(second);
    assert.notEqual(first, second);
    assert.equal(await store.put([{ key: "k", value: 3, expect: first }]), null);
    assert.equal((await store.get("k"))?.value, 2);
    assert.equal(await store.put([{ key: "k", value: null, expect: first }]), null);
    assert.ok(await store.put([{ key: "k", value: null, expect: second }]));
    assert.equal(await store.get("k"), null);
  });

  test("puts all or nothing", async (store) => {
    const revision = await store.put([{ key: "a", value: 1 }]);
    const refused = await store.put([
      { key: "b", value: 1, expect: null },
      { key: "a", value: 9, expect: "none such" },
    ]);
    assert.equal(refused, null);
    assert.equal(await store.get("b"), null);
    const changed = await store.put([
      { key: "b", value: 1, expect: null },
      { key: "a", value: 2, expect: revision },
    ]);
    assert.ok(changed);
    assert.deepEqual((await store.list("")).map(({ key, value }) => [key, value]), [
      ["a", 2],
      ["b", 1],
    ]);
  });

  test("lets exactly one of many writers win", async (store) => {
    const revision = await store.put([{ key: "k", value: 0 }]);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => store.put([{ key: "k", value: n, expect: revision }])),
    );
    assert.equal(results.filter((result) => result !== null).length, 1);
    await Promise.all(Array.from({ length: 20 }, (_, n) => store.put([{ key: "k", value: n }])));
    assert.equal(typeof (await store.get("k"))?.value, "number");
  });

  test("lists by prefix, in order, in pages", async (store) => {
    for (let n = 0; n < 25; n++) {
      await store.put([{ key: `p/k${String(n).padStart(2, "0")}`, value: n }]);
    }
    await store.put([{ key: "px/zz", value: 99 }, { key: "o", value: 98 }]);
    const first = await store.list("p/", { limit: 10 });
    const rest = await store.list("p/", { after: first.at(-1)?.key ?? "", limit: 100 });
    assert.deepEqual(
      [...first, ...rest].map(({ value }) => value),
      Array.from({ length: 25 }, (_, n) => n),
    );
    assert.deepEqual(await store.list("p/", { after: "p/zzz" }), []);
    assert.equal((await store.list("p/", { after: "a" })).length, 25);
  });

  test("keeps a document of 2 MB and one after it, and overwrites both ways", async (store) => {
    const large = { text: "日本é".repeat(300_000) };
    await store.put([{ key: "large", value: large }, { key: "small", value: 1 }]);
    assert.deepEqual((await store.get("large"))?.value, large);
    assert.equal((await store.list("")).length, 2);
    await store.put([{ key: "large", value: 2 }, { key: "small", value: large }]);
    assert.equal((await store.get("large"))?.value, 2);
    assert.deepEqual((await store.get("small"))?.value, large);
    await store.put([{ key: "small", value: null }]);
    assert.equal(await store.get("small"), null);
  });

  test("refuses a large document whose expectation fails", async (store) => {
    const large = "x".repeat(1_500_000);
    assert.ok(await store.put([{ key: "k", value: large, expect: null }]));
    assert.equal(await store.put([{ key: "k", value: `${large}y`, expect: null }]), null);
    assert.equal((await store.get("k"))?.value, large);
  });

  test("treats an expired document as absent at once", async (store, clock) => {
    await store.put([{ key: "e/1", value: 1, ttlMs: 1_000 }, { key: "e/2", value: 2 }]);
    clock.now += 999;
    assert.equal((await store.get("e/1"))?.value, 1);
    clock.now += 1;
    assert.equal(await store.get("e/1"), null);
    assert.deepEqual((await store.list("e/")).map(({ key }) => key), ["e/2"]);
    assert.ok(await store.put([{ key: "e/1", value: 3, expect: null }]));
    await store.trim(0);
    assert.equal((await store.get("e/1"))?.value, 3);
  });

  test("removes what has expired when it trims, and nothing else", async (store, clock) => {
    const large = "z".repeat(200_000);
    for (let n = 0; n < 150; n++) await store.put([{ key: `e/${n}`, value: n, ttlMs: 500 }]);
    await store.put([
      { key: "large", value: large, ttlMs: 500 },
      { key: "kept", value: large, ttlMs: 2_000 },
      { key: "renewed", value: 1, ttlMs: 500 },
    ]);
    await store.put([{ key: "renewed", value: 2, ttlMs: 5_000 }]);
    clock.now += 1_000;
    await store.trim(0);
    assert.deepEqual((await store.list("")).map(({ key }) => key), ["kept", "renewed"]);
    assert.equal((await store.get("kept"))?.value, large);
  });

  test("bounds a counter under concurrency", async (store) => {
    const results = await Promise.all(
      Array.from({ length: 50 }, () => store.add("c", 1, { max: 30, ttlMs: 60_000 })),
    );
    assert.equal(results.filter(({ ok }) => ok).length, 30);
    assert.deepEqual(await store.add("c", 1, { max: 30 }), { ok: false, value: 30 });
    assert.deepEqual(await store.add("c", 1, { max: 31 }), { ok: true, value: 31 });
    assert.deepEqual(await store.add("c", -31), { ok: true, value: 0 });
    assert.equal((await store.add("new", 5, { max: 4 })).ok, false);
    assert.deepEqual(await store.add("new", 0), { ok: true, value: 0 });
  });

  test("starts a counter's window at its first use", async (store, clock) => {
    assert.deepEqual(await store.add("c", 2.5, { ttlMs: 100 }), { ok: true, value: 2.5 });
    clock.now += 99;
    assert.deepEqual(await store.add("c", 1, { ttlMs: 100 }), { ok: true, value: 3.5 });
    clock.now += 1;
    assert.deepEqual(await store.add("c", 1, { ttlMs: 100 }), { ok: true, value: 1 });
    clock.now += 100;
    await store.trim(0);
    assert.deepEqual(await store.add("c", 0), { ok: true, value: 0 });
  });

  test("appends with consecutive numbers and fences a second writer", async (store) => {
    assert.equal(await store.head("r1"), null);
    await store.append(entries("r1", 0, 300));
    await store.append(entries("r1", 300, 1));
    await assert.rejects(store.append(entries("r1", 300, 1)), FencedError);
    await assert.rejects(store.append(entries("r1", 400, 1)), FencedError);
    await assert.rejects(store.append(entries("r2", 1, 1)), FencedError);
    assert.deepEqual(await store.head("r1"), entries("r1", 300, 1)[0]);
    await Promise.all([store.append(entries("r2", 0, 1)), store.append(entries("r3", 0, 1))]);
    assert.deepEqual(await store.logs(), ["r1", "r2", "r3"]);
    assert.equal((await store.head("r2"))?.log, "r2");
  });

  test("refuses what is not one run of one log", async (store) => {
    const [a, b] = entries("r", 0, 2) as [LogEntry, LogEntry];
    await assert.rejects(store.append([]), RangeError);
    await assert.rejects(store.append([b, a]), RangeError);
    await assert.rejects(store.append([a, { ...b, log: "other" }]), RangeError);
    await assert.rejects(store.append([a, { ...b, ts: a.ts - 1 }]), RangeError);
    await assert.rejects(store.append([{ ...a, body: "x".repeat(49_153) }]), RangeError);
    await assert.rejects(store.append([a], [{ key: "k", value: 1, expect: null }]), RangeError);
    await store.append([{ ...a, body: "x".repeat(49_152) }]);
    await assert.rejects(store.append([{ ...b, ts: a.ts - 1 }]), RangeError);
    const many = Array.from({ length: STORE_CHANGES_MAX + 1 }, (_, n) => ({
      key: `m/${n}`,
      value: n,
    }));
    await assert.rejects(store.put(many), RangeError);
    assert.ok(await store.put(many.slice(1)));
    await assert.rejects(store.put([{ key: "é", value: 1 }]), RangeError);
    await assert.rejects(store.put([{ key: "k", value: 1 }, { key: "k", value: 2 }]), RangeError);
    await assert.rejects(store.scan({ after: "nonsense" }), RangeError);
  });

  test("writes documents beside log entries", async (store) => {
    const large = "y".repeat(900_000);
    await store.append(entries("r", 0, 3), [{ key: "seal", value: 1 }]);
    await store.append(entries("r", 3, 3), [{ key: "seal", value: 2 }, { key: "l", value: large }]);
    assert.equal((await store.get("seal"))?.value, 2);
    assert.equal((await store.get("l"))?.value, large);
    await assert.rejects(store.append(entries("r", 9, 1), [{ key: "seal", value: 3 }]));
    assert.equal((await store.get("seal"))?.value, 2);
  });

  test("appends a batch above the engine's bounds in order", async (store) => {
    const many = entries("r", 0, 2_500).map((entry) => ({
      ...entry,
      execution: `e${entry.seq}`,
      tool: `t${entry.seq}`,
      body: `${entry.body}${randomText(entry.seq, 600)}`,
    }));
    await store.append(many);
    assert.deepEqual((await readAll(store, { log: "r", limit: 700 })).reverse(), many);
    assert.deepEqual((await store.scan({ execution: "e1234" })).entries, [many[1_234]]);
  });

  test("scans by log, principal, tool, execution and time, in pages", async (store) => {
    const all = entries("r", 0, 301);
    await store.append(all.slice(0, 300));
    await store.append(all.slice(300));
    const seqs = (found: LogEntry[]) => found.map(({ seq }) => seq);
    const down = Array.from({ length: 301 }, (_, n) => 300 - n);
    assert.deepEqual(seqs(await readAll(store, { log: "r", limit: 70 })), down);
    assert.deepEqual(seqs(await readAll(store, { limit: 301 })), down);
    assert.deepEqual(
      seqs(await readAll(store, { principal: "p1", limit: 30 })),
      down.filter((n) => n % 3 === 1),
    );
    assert.deepEqual(
      seqs(await readAll(store, { tool: "t0", from: BASE + 100, to: BASE + 120 })),
      [118, 116, 114, 112, 110, 108, 106, 104, 102, 100],
    );
    assert.deepEqual(
      seqs(await readAll(store, { execution: "e7" })),
      down.filter((n) => n >> 2 === 7),
    );
    assert.deepEqual(seqs(await readAll(store, { log: "r", from: BASE + 298 })), [300, 299, 298]);
    assert.deepEqual(
      seqs((await store.scan({ log: "r", beforeSeq: 200, limit: 2 })).entries),
      [199, 198],
    );
    assert.deepEqual(await store.scan({ log: "none" }), { entries: [] });
    assert.deepEqual(await store.scan({ principal: "nobody" }), { entries: [] });
  });

  test("scans by several labels at once and by patterns of tools", async (store) => {
    const all = entries("r", 0, 9_000).map((entry, n) => ({
      ...entry,
      tool: ["pay.refund", "pay.get", "mail.send", ""][n % 4] as string,
      execution: `run ${n >> 3}`,
      kind: n % 7 === 0 ? "outcome" : "intent",
      ...(n % 11 === 0 ? { effect: "deny" } : {}),
    }));
    for (let start = 0; start < all.length; start += 500) {
      await store.append(all.slice(start, start + 500));
    }
    const expectSame = async (query: ScanQuery, wanted: (entry: typeof all[number]) => boolean) => {
      const found = await readAll(store, { ...query, limit: 300 });
      assert.deepEqual(found, all.filter(wanted).reverse());
      assert.ok(found.length > 0);
    };
    await expectSame({ kind: "outcome" }, ({ kind }) => kind === "outcome");
    await expectSame({ effect: "deny", principal: "p1" }, (entry) => {
      return entry.effect === "deny" && entry.principal === "p1";
    });
    await expectSame({ toolPattern: "pay.*" }, ({ tool }) => tool.startsWith("pay."));
    await expectSame({ toolPattern: "*.?en*", kind: "outcome" }, ({ tool, kind }) => {
      return tool === "mail.send" && kind === "outcome";
    });
    await expectSame({ toolPattern: "*" }, ({ tool }) => tool !== "");
    await expectSame({ execution: "run 17", tool: "pay.get" }, ({ seq, tool }) => {
      return seq >> 3 === 17 && tool === "pay.get";
    });
    await expectSame({ kind: "intent", from: BASE + 3_000, to: BASE + 3_050 }, ({ seq, kind }) => {
      return kind === "intent" && seq >= 3_000 && seq < 3_050;
    });
    await expectSame({ from: BASE + 4_090, to: BASE + 4_100 }, ({ seq }) => {
      return seq >= 4_090 && seq < 4_100;
    });
    await expectSame({ log: "r", beforeSeq: 40, principal: "p2" }, ({ seq }) => {
      return seq < 40 && seq % 3 === 2;
    });
    assert.deepEqual(await store.scan({ kind: "intent", effect: "allow" }), { entries: [] });
    assert.deepEqual(await store.scan({ toolPattern: "pay" }), { entries: [] });
    await store.trim(BASE + 5_000);
    await expectSame({ effect: "deny" }, ({ seq, effect }) => seq >= 5_000 && effect === "deny");
  });

  test("scans several logs in one order", async (store) => {
    const merged: LogEntry[] = [];
    for (let round = 0; round < 10; round++) {
      for (const log of ["b", "a", "c"]) {
        const step = log === "a" ? 3 : log === "b" ? 0.5 : 40;
        const run = entries(log, round * 7, 7).map((entry) => ({
          ...entry,
          ts: BASE + Math.floor(entry.seq * step),
        }));
        merged.push(...run);
        await store.append(run);
      }
    }
    merged.sort((x, y) =>
      y.ts - x.ts || (x.log < y.log ? 1 : x.log > y.log ? -1 : 0) || y.seq - x.seq
    );
    assert.deepEqual(await readAll(store, { limit: 11 }), merged);
    assert.deepEqual(
      await readAll(store, { tool: "t1", limit: 5 }),
      merged.filter(({ tool }) => tool === "t1"),
    );
  });

  test("finds entries of a slow log by time", async (store) => {
    for (let n = 0; n < 20; n++) await store.append(entries("r", n * 2, 2, n * 60_000));
    const found = await readAll(store, { from: BASE + 60_000, to: BASE + 180_000 });
    assert.deepEqual(found.map(({ seq }) => seq), [5, 4, 3, 2]);
    const spread = entries("s", 0, 30).map((entry, n) => ({ ...entry, ts: BASE + n * 1_000 }));
    await store.append(spread);
    const middle = await readAll(store, { log: "s", from: BASE + 9_500, to: BASE + 12_500 });
    assert.deepEqual(middle.map(({ seq }) => seq), [12, 11, 10]);
  });

  test("trims exactly, and keeps a log's last entry", async (store) => {
    await store.append(entries("r", 0, 40));
    await store.append(entries("r", 40, 10));
    await store.append(entries("q", 0, 5));
    assert.equal(await store.trim(BASE + 33, { log: "r" }), 33);
    const left = await readAll(store, { log: "r" });
    assert.deepEqual(left.map(({ seq }) => seq), Array.from({ length: 17 }, (_, n) => 49 - n));
    assert.deepEqual(await readAll(store, { principal: "p0", from: 0, to: BASE + 33 }), [
      entries("q", 3, 1)[0],
      entries("q", 0, 1)[0],
    ]);
    assert.equal(await store.trim(BASE + 1_000_000), 16 + 4);
    assert.equal((await store.head("r"))?.seq, 49);
    assert.equal((await store.head("q"))?.seq, 4);
    assert.equal(await store.trim(BASE + 1_000_000), 0);
    await store.append(entries("r", 50, 1));
    assert.deepEqual((await readAll(store, { log: "r" })).map(({ seq }) => seq), [50, 49]);
  });

  test("notifies subscribers of a topic until they stop", async (store) => {
    const heard: string[] = [];
    const first = Promise.withResolvers<void>();
    const stop = await store.subscribe("t", (message) => {
      heard.push(message);
      first.resolve();
    });
    await store.notify("other", "no");
    await store.notify("t", "yes");
    await first.promise;
    await stop();
    await store.notify("t", "late");
    const after = Promise.withResolvers<void>();
    const stopAfter = await store.subscribe("t", () => after.resolve());
    await store.notify("t", "later");
    await after.promise;
    await stopAfter();
    assert.deepEqual(heard, ["yes"]);
  });
}

const BASE = 1_690_000_000_000;

/** Entries whose index fields follow from their number. */
function entries(log: string, from: number, count: number, shiftMs = 0): LogEntry[] {
  return Array.from({ length: count }, (_, n) => {
    const seq = from + n;
    return {
      log,
      seq,
      ts: BASE + shiftMs + (shiftMs === 0 ? seq : n),
      principal: `p${seq % 3}`,
      tool: `t${seq % 2}`,
      execution: `e${seq >> 2}`,
      body: JSON.stringify({ seq, text: `line\n${"é".repeat(seq % 50)}` }),
    };
  });
}

async function readAll(store: Store, query: ScanQuery): Promise<LogEntry[]> {
  const found: LogEntry[] = [];
  let after: string | undefined;
  do {
    const page = await store.scan({ ...query, ...(after === undefined ? {} : { after }) });
    found.push(...page.entries);
    after = page.next;
  } while (after !== undefined);
  return found;
}

/** Text that does not deflate well, the same for the same seed. */
function randomText(seed: number, length: number): string {
  let state = seed + 1;
  let text = "";
  while (text.length < length) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    text += state.toString(36);
  }
  return text.slice(0, length);
}
