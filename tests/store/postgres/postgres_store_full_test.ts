import assert from "node:assert/strict";
import { openAuditLog } from "../../../src/audit/audit_log.ts";
import { createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import { renderAuditReport, verifyAudit } from "../../../src/audit/verify/verify_audit.ts";
import { AuditSchema } from "../../../src/config/schema.ts";
import { GateError } from "../../../src/model/errors.ts";
import { openPostgresStore } from "../../../src/store/postgres/postgres_store.ts";
import { FencedError, type Store } from "../../../src/store/store.ts";
import { type PostgresServer, startPostgres } from "../postgres_server.ts";
import { testStoreConformance } from "../store_conformance.ts";

let started: PostgresServer | null = null;
const serverOf = (): PostgresServer => started ?? assert.fail("PostgreSQL did not start");

Deno.test.beforeAll(async () => {
  started = await startPostgres();
});

Deno.test.afterAll(async () => {
  await started?.stop();
});

testStoreConformance({
  name: "postgres",
  async open(now) {
    return await openPostgresStore(await serverOf().createDatabase(), now);
  },
});

function test(title: string, run: (server: PostgresServer, url: string) => Promise<void>): void {
  Deno.test(`postgres store ${title}`, async () => {
    await run(serverOf(), await serverOf().createDatabase());
  });
}

test("is opened by several replicas at once while its tables are not there", async (server) => {
  // Two that go in step lose more races than many do.
  for (let round = 0; round < 12; round++) {
    const url = await server.createDatabase();
    const count = round % 4 === 0 ? 6 : 2;
    const stores = await Promise.all(Array.from({ length: count }, () => openPostgresStore(url)));
    await stores[0]?.put([{ key: "k", value: round }]);
    assert.equal((await stores.at(-1)?.get("k"))?.value, round);
    await Promise.all(stores.map((store) => store.close()));
  }
});

test("shares documents, counters, logs and hints between replicas", async (_server, url) => {
  const [a, b] = await Promise.all([openPostgresStore(url), openPostgresStore(url)]) as [
    Store,
    Store,
  ];
  const claims = await Promise.all(
    Array.from(
      { length: 20 },
      (_, n) => (n % 2 ? a : b).put([{ key: "k", value: n, expect: null }]),
    ),
  );
  assert.equal(claims.filter((claim) => claim !== null).length, 1);
  const adds = await Promise.all(
    Array.from({ length: 60 }, (_, n) => (n % 2 ? a : b).add("c", 1, { max: 40 })),
  );
  assert.equal(adds.filter(({ ok }) => ok).length, 40);
  const heard = Promise.withResolvers<string>();
  const stop = await b.subscribe("t", heard.resolve);
  await a.notify("t", "hello");
  assert.equal(await heard.promise, "hello");
  await stop();
  const entry = { log: "r", seq: 0, ts: 1, principal: "p", tool: "t", execution: "e", body: "{}" };
  const appends = await Promise.allSettled([a.append([entry]), b.append([entry])]);
  assert.equal(appends.filter(({ status }) => status === "fulfilled").length, 1);
  const refused = appends.find((result) => result.status === "rejected");
  assert.ok(refused?.reason instanceof FencedError);
  await a.close();
  await b.close();
});

test(
  "keeps what it acknowledged through a crash of the server, and goes on",
  async (server, url) => {
    const store = await openPostgresStore(url);
    const keys = createAuditKeys();
    const config = AuditSchema.parse({});
    const limits = { retryMinMs: 20, retryMaxMs: 200 };
    const log = await openAuditLog({ store, chain: "r1", config, keys, limits });
    const acknowledged: string[] = [];
    let running = true;
    const workers = Array.from({ length: 8 }, async (_, worker) => {
      for (let n = 0; running; n++) {
        const call = `${worker}:${n}`;
        try {
          await log.append({ kind: "call.intent", call }, { args: "{}" });
          acknowledged.push(call);
          await log.append({ kind: "call.outcome", call, result: { status: "ok" } });
        } catch (error) {
          assert.ok(
            error instanceof GateError && error.code === "ERR_AUDIT_UNAVAILABLE",
            `${error}`,
          );
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    });
    while (acknowledged.length < 300) await log.append({ kind: "limit.hit" });
    await server.crashAndStart();
    const before = acknowledged.length;
    while (acknowledged.length < before + 300) await log.append({ kind: "limit.hit" });
    running = false;
    await Promise.all(workers);
    const intents = new Set<string>();
    for await (const { kind, call = "" } of log.records()) {
      if (kind !== "call.intent") continue;
      assert.ok(!intents.has(call), `${call} is there twice`);
      intents.add(call);
    }
    for (const call of acknowledged) assert.ok(intents.has(call), `${call} is lost`);
    const report = await log.verify();
    assert.equal(report.ok, true, renderAuditReport(report));
    await log.close();
    await store.close();
  },
);

test("holds the chains of several replicas, each whole", async (_server, url) => {
  const keys = createAuditKeys();
  const config = AuditSchema.parse({});
  const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore(url)));
  const logs = await Promise.all(
    stores.map((store, n) => openAuditLog({ store, chain: `replica-${n}`, config, keys })),
  );
  await Promise.all(
    Array.from(
      { length: 300 },
      (_, n) => logs[n % 3]?.append({ kind: "search", execution: `e${n}` }),
    ),
  );
  const { records } = await (logs[0] ?? assert.fail()).query({ kind: "search", limit: 1_000 });
  assert.equal(records.length, 300);
  assert.equal(new Set(records.map(({ chain }) => chain)).size, 3);
  const report = await verifyAudit({
    store: stores[0] ?? assert.fail(),
    verifierKeys: [keys.signer.verifierKey],
  });
  assert.equal(report.ok, true, renderAuditReport(report));
  assert.equal(report.chains.length, 3);
  for (const log of logs) await log.close();
  for (const store of stores) await store.close();
});

Deno.test("openPostgresStore() says that nobody answers", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await assert.rejects(openPostgresStore(`postgres://x@127.0.0.1:${port}/none`), (error) => {
    assert.ok(error instanceof GateError);
    assert.equal(error.code, "ERR_STORE");
    assert.match(error.hint, /Start the database server/);
    return true;
  });
});

test("demands keys that replicas share", async (_server, url) => {
  const folder = await Deno.makeTempDir();
  const store = await openPostgresStore(url);
  const open = (config: unknown) =>
    openAuditLog({ store, chain: "a", config: AuditSchema.parse(config) });
  await assert.rejects(open({}), (error) => {
    return error instanceof GateError && error.code === "ERR_CONFIG" &&
      /audit\.keys/.test(error.message);
  });
  const log = await open({ keys: `${folder}/keys/shared` });
  await log.append({ kind: "search", tool: { server: "a\0b", name: "c" } });
  assert.equal((await log.verify()).ok, true);
  await log.close();
  assert.ok((await Deno.stat(`${folder}/keys/shared.signing.pub`)).isFile);
  await store.close();
  await Deno.remove(folder, { recursive: true });
});
