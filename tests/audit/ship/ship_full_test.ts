import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { type AuditLog, openAuditLog } from "../../../src/audit/audit_log.ts";
import { GENESIS, placeEvent } from "../../../src/audit/audit_record.ts";
import type { ShipConfig } from "../../../src/audit/ship/place.ts";
import { type Shipping, startShipping } from "../../../src/audit/ship/ship.ts";
import { createSyslogSink, renderSyslog } from "../../../src/audit/ship/sink_syslog.ts";
import { verifySegments } from "../../../src/audit/verify/segment.ts";
import { AuditSchema } from "../../../src/config/schema.ts";
import { GateError } from "../../../src/model/errors.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import type { Store } from "../../../src/store/store.ts";
import { CONFIG, intent, outcome, writeExecutions } from "../audit_fixture.ts";

const TLS = new URL("./tls_for_tests/", import.meta.url);

function shipConfig(...sinks: { to: string; [name: string]: unknown }[]): ShipConfig {
  return AuditSchema.parse({ ship: sinks.map((sink) => ({ every: "1h", ...sink })) }).ship;
}

interface Fixture {
  readonly store: Store;
  readonly log: AuditLog;
  readonly folder: string;
  ship(config: ShipConfig): Shipping;
}

async function withShipping(run: (fixture: Fixture) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const store = createMemoryStore();
  const log = await openAuditLog({ store, chain: "main", config: CONFIG });
  const shippings: Shipping[] = [];
  try {
    await run({
      store,
      log,
      folder,
      ship(config) {
        const shipping = startShipping({
          store,
          signNote: log.signNote,
          resolveSecrets: (text) => Promise.resolve(text.replace("${env:TOKEN}", "s3cret")),
          log: () => {},
          retentionMs: 90 * 86_400_000,
        }, config);
        shippings.push(shipping);
        return shipping;
      },
    });
  } finally {
    for (const shipping of shippings) await shipping.close();
    await log.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the file sink leaves signed segments that verify with the public key alone", async () => {
  await withShipping(async ({ log, folder, ship }) => {
    const shipping = ship(
      shipConfig({ to: `file:${folder}/out` }, { to: `file:${folder}/ocsf`, format: "ocsf" }),
    );
    await writeExecutions(log, 5);
    await shipping.flush();
    await writeExecutions(log, 5);
    await log.checkpoint();
    await shipping.flush();
    await shipping.flush();
    const names = readdirSync(`${folder}/out`).sort();
    assert.equal(names.length, 4);
    assert.match(names[0] ?? "", /^main-000000000000-000000000031\.jsonl$/);
    assert.match(names[1] ?? "", /\.jsonl\.note$/);
    const report = await verifySegments(`${folder}/out`, [log.verifierKey]);
    const records = (await Array.fromAsync(log.records())).length;
    assert.deepEqual(report, { ok: true, segments: 2, records, problems: [] });
    const ocsf = await verifySegments(`${folder}/ocsf`, [log.verifierKey]);
    assert.deepEqual(ocsf, { ok: true, segments: 2, records, problems: [] });
  });
});

Deno.test("verifySegments() finds a changed, a missing and a forged segment", async () => {
  await withShipping(async ({ log, folder, ship }) => {
    const shipping = ship(shipConfig({ to: `file:${folder}/out` }));
    for (let n = 0; n < 3; n++) {
      await writeExecutions(log, 2);
      await shipping.flush();
    }
    const out = `${folder}/out`;
    const names = readdirSync(out).sort();
    const [first = "", firstNote = "", second = "", secondNote = ""] = names;
    const problemsAfter = async (path: string, change: (text: string) => string) => {
      const text = await Deno.readTextFile(`${out}/${path}`);
      await Deno.writeTextFile(`${out}/${path}`, change(text));
      const { ok, problems } = await verifySegments(out, [log.verifierKey]);
      await Deno.writeTextFile(`${out}/${path}`, text);
      assert.equal(ok, false);
      return problems.join("; ");
    };
    assert.match(await problemsAfter(first, (text) => text.replace("ada", "eve")), /not what was/);
    assert.match(
      await problemsAfter(firstNote, (text) => text.replace("first 0", "first 1")),
      /signed/,
    );
    await Deno.remove(`${out}/${secondNote}`);
    const gap = await verifySegments(out, [log.verifierKey]);
    assert.match(gap.problems.join(), /^main: records \d+ to \d+ are not there$/);
    await Deno.remove(`${out}/${second}`);
    await Deno.remove(`${out}/${first}`);
    assert.match((await verifySegments(out, [log.verifierKey])).problems.join(), /is not there/);
    assert.match((await verifySegments(out, [])).problems.join(), /trusted key/);
  });
});

Deno.test("a sink that is away loses nothing, and does not slow what is written", async () => {
  await withShipping(async ({ log, ship }) => {
    let isUp = false;
    const received: { seq: number }[] = [];
    const keys: string[] = [];
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const text = await request.text();
        if (!isUp) return new Response("no", { status: 503 });
        assert.equal(request.headers.get("authorization"), "Bearer s3cret");
        assert.equal(request.headers.get("content-type"), "application/x-ndjson");
        keys.push(request.headers.get("idempotency-key") ?? "");
        received.push(...text.trim().split("\n").map((line) => JSON.parse(line)));
        return new Response();
      },
    );
    const to = `http://127.0.0.1:${server.addr.port}/in?token=x`;
    const shipping = ship(
      shipConfig({ to, every: "100ms", headers: { authorization: "Bearer ${env:TOKEN}" } }),
    );
    await writeExecutions(log, 5);
    await shipping.flush();
    const [down] = await shipping.status();
    assert.match(down?.error ?? "", /it answered 503/);
    assert.equal(down?.to, `http://127.0.0.1:${server.addr.port}/in`);
    assert.equal(down?.behind, 32);
    await writeExecutions(log, 5);
    isUp = true;
    await shipping.flush();
    const size = (await Array.fromAsync(log.records())).length;
    assert.deepEqual(received.map(({ seq }) => seq), Array.from({ length: size }, (_, n) => n));
    // The batch that failed is sent again as it was, under its key; what came meanwhile is another.
    assert.deepEqual(keys, ['"main/0-31"', `"main/32-${size - 1}"`]);
    const [up] = await shipping.status();
    assert.deepEqual([up?.error, up?.behind], [null, 0]);
    await shipping.close();
    await server.shutdown();
  });
});

Deno.test("shipping goes on from its cursor after a start, and repeats what was not acknowledged", async () => {
  await withShipping(async ({ log, ship }) => {
    const received: number[] = [];
    let answers = 0;
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const lines = (await request.text()).trim().split("\n");
        received.push(...lines.map((line) => JSON.parse(line).seq));
        return new Response(null, { status: ++answers === 2 ? 500 : 200 });
      },
    );
    const config = shipConfig({ to: `http://127.0.0.1:${server.addr.port}/` });
    await log.append(intent("e:0"));
    const first = ship(config);
    await first.flush();
    await log.append(outcome("e:0"));
    await first.flush(); // received, but not acknowledged
    await first.close();
    const second = ship(config);
    await second.flush();
    assert.deepEqual(received, [0, 1, 2, 2]);
    await second.close();
    await server.shutdown();
  });
});

Deno.test("a sink that hangs holds up nobody, and close() ends it", async () => {
  await withShipping(async ({ log, ship }) => {
    const asked = Promise.withResolvers<void>();
    const hang = Promise.withResolvers<Response>();
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
      asked.resolve();
      return hang.promise;
    });
    const shipping = ship(shipConfig({ to: `http://127.0.0.1:${server.addr.port}/` }));
    await log.append(intent("e:0"));
    const flushed = shipping.flush();
    await asked.promise;
    await writeExecutions(log, 20);
    assert.equal(log.health().ok, true);
    await shipping.close();
    await flushed;
    hang.resolve(new Response());
    await server.shutdown();
  });
});

Deno.test("the syslog sink frames each record by its octets, over TCP", async () => {
  await withShipping(async ({ log, ship }) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const text = receiveAll(listener);
    const { port } = listener.addr as Deno.NetAddr;
    const shipping = ship(shipConfig({ to: `syslog+tcp://127.0.0.1:${port}`, format: "cef" }));
    await log.append(intent("e:0", "pay.zahlen_ü"));
    await log.append({ kind: "auth.fail", err: { code: "ERR_UNAUTHENTICATED", message: "a\nb" } });
    await shipping.flush();
    const messages = parseFrames(await text);
    assert.equal(messages.length, 3);
    assert.match(
      messages[1] ?? "",
      /^<110>1 \d{4}-\d\d-\d\dT[\d:.]+Z main toolgate \d+ call\.intent - CEF:0\|toolgate\|.*zahlen_ü/,
    );
    assert.match(messages[2] ?? "", /^<108>1 .* auth\.fail - CEF:0\|.*msg=a\\nb/);
    assert.equal((await shipping.status())[0]?.behind, 0);
    listener.close();
  });
});

Deno.test("the syslog sink sends again what a broken connection took", async () => {
  await withShipping(async ({ log, ship }) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const shipping = ship(shipConfig({ to: `syslog+tcp://127.0.0.1:${port}`, format: "jsonl" }));
    const pad = "x".repeat(20_000);
    for (let n = 0; n < 300; n++) await log.append({ kind: "admin", detail: { n, pad } });
    const broken = (async () => {
      const connection = await listener.accept();
      await connection.read(new Uint8Array(1_000));
      connection.close(); // with unread data: the sender sees a reset
    })();
    await shipping.flush();
    await broken;
    const [status] = await shipping.status();
    assert.ok(status?.error !== null && status?.behind === 301, JSON.stringify(status));
    const messages: string[] = [];
    const received = (async () => {
      while (messages.length < 301) messages.push(...parseFrames(await receiveAll(listener)));
    })();
    await shipping.flush();
    await received;
    assert.equal(messages.length, 301);
    assert.equal((await shipping.status())[0]?.error, null);
    listener.close();
  });
});

Deno.test("the syslog sink does not take a receiver that never closes for one that has read", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const sink = createSyslogSink(new URL(`syslog+tcp://127.0.0.1:${port}`), {
    readAuthorities: () => Promise.resolve([]),
    closePatienceMs: 20,
  });
  const accepted = listener.accept();
  const batch = {
    chain: "main",
    format: "cef" as const,
    lines: [],
    isReduced: false,
    records: [placeEvent(intent("e:0"), { chain: "main", seq: 0, ts: 0, prev: GENESIS })],
  };
  await assert.rejects(
    sink.deliver(batch, new AbortController().signal),
    /did not close the connection/,
  );
  (await accepted).close();
  listener.close();
});

Deno.test("the syslog sink speaks TLS with a configured authority, and with no other", async () => {
  await withShipping(async ({ log, ship }) => {
    const listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: await Deno.readTextFile(new URL("cert.pem", TLS)),
      key: await Deno.readTextFile(new URL("key.pem", TLS)),
    });
    const { port } = listener.addr as Deno.NetAddr;
    const to = `syslog+tls://127.0.0.1:${port}`;
    await log.append(intent("e:0"));
    const refused = (async () => {
      const connection = await listener.accept();
      await assert.rejects(connection.handshake());
      connection.close();
    })();
    const distrusting = ship(shipConfig({ to, format: "ocsf" }));
    await distrusting.flush();
    await refused;
    assert.match((await distrusting.status())[0]?.error ?? "", /certificate/i);
    const text = receiveAll(listener);
    // The file of the authority is read for each delivery: one that comes late, or anew, counts.
    const ca = await Deno.makeTempFile();
    const trusting = ship(shipConfig({ to, format: "cef", ca }));
    await Deno.remove(ca);
    await trusting.flush();
    assert.match((await trusting.status())[0]?.error ?? "", /no such file/i);
    await Deno.copyFile(new URL("ca.pem", TLS), ca);
    await trusting.flush();
    await Deno.remove(ca);
    assert.equal((await trusting.status())[0]?.error, null);
    assert.equal(parseFrames(await text).length, 2);
    listener.close();
  });
});

Deno.test("startShipping() refuses a place and a format it does not know", async () => {
  await withShipping(({ log, ship }) => {
    for (const to of ["ftp://x/", "syslog+udp://x:1", "nothing"]) {
      assert.throws(() => ship(shipConfig({ to })), (error) => {
        return error instanceof GateError && error.code === "ERR_CONFIG";
      });
    }
    const record = { v: 1, chain: "a b", seq: 0, ts: "t", prev: "", kind: "admin" } as const;
    assert.throws(() => renderSyslog(record, "parquet"), GateError);
    assert.match(renderSyslog(record, "cef"), /^<110>1 t a_b toolgate /);
    assert.equal(log.health().ok, true);
    return Promise.resolve();
  });
});

Deno.test("of two replicas only one ships to a sink at a time", async () => {
  await withShipping(async ({ log, ship }) => {
    let requests = 0;
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
      requests++;
      return new Response();
    });
    const config = shipConfig({ to: `http://127.0.0.1:${server.addr.port}/` });
    const [one, other] = [ship(config), ship(config)];
    await log.append(intent("e:0"));
    await Promise.all([one?.flush(), other?.flush()]);
    await log.append(intent("e:1"));
    await Promise.all([one?.flush(), other?.flush()]);
    assert.equal(requests, 2);
    await one?.close();
    await other?.close();
    await server.shutdown();
  });
});

/** Fails the n-th operation of one delivery, for every n, until there is no n-th. */
Deno.test("a store that fails at the n-th operation of a delivery ends nothing, and the next one delivers", async () => {
  const real = createMemoryStore();
  const log = await openAuditLog({ store: real, chain: "main", config: CONFIG });
  await writeExecutions(log, 2);
  const folder = await Deno.makeTempDir();
  let n = 0;
  for (let reached = true; reached; n++) {
    reached = false;
    let left = n;
    const failing = async <T>(run: () => Promise<T>): Promise<T> => {
      if (left-- === 0) {
        reached = true;
        throw new GateError("ERR_STORE", "Cannot read the store: disk I/O error", { hint: "" });
      }
      return await run();
    };
    const store: Store = {
      ...real,
      get: (key) => failing(() => real.get(key)),
      put: (changes) => failing(() => real.put(changes)),
      logs: () => failing(() => real.logs()),
      head: (name) => failing(() => real.head(name)),
      scan: (query) => failing(() => real.scan(query)),
    };
    const config =
      AuditSchema.parse({ ship: [{ to: `file:${folder}/out${n}`, every: "100ms" }] }).ship;
    const shipping = startShipping({
      store,
      signNote: log.signNote,
      resolveSecrets: (text) => Promise.resolve(text),
      log: () => {},
      retentionMs: 90 * 86_400_000,
    }, config);
    // By its own timer: the second try comes a second after a failure.
    const isThere = () => {
      try {
        return readdirSync(`${folder}/out${n}`).some((name) => name.endsWith(".note"));
      } catch {
        return false; // no folder yet
      }
    };
    for (let tries = 0; tries < 1_000 && !isThere(); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(isThere(), `operation ${n}`);
    await shipping.close();
    const report = await verifySegments(`${folder}/out${n}`, [log.verifierKey]);
    assert.deepEqual(report.problems, [], `operation ${n}`);
  }
  assert.ok(n > 5, `${n} operations`);
  await log.close();
  await Deno.remove(folder, { recursive: true });
});

async function receiveAll(listener: Deno.Listener): Promise<Uint8Array> {
  const connection = await listener.accept();
  const bytes = await new Response(connection.readable).bytes();
  return bytes;
}

/** @see RFC 6587, section 3.4.1 */
function parseFrames(bytes: Uint8Array): string[] {
  const messages: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(new TextDecoder().decode(bytes.subarray(at, space)));
    assert.ok(Number.isSafeInteger(length) && length > 0);
    messages.push(new TextDecoder().decode(bytes.subarray(space + 1, space + 1 + length)));
    at = space + 1 + length;
  }
  return messages;
}
