/**
 * The service over a store that does something wrong at its n-th operation, for every n: the process
 * goes on, every answer is true (compared with what the upstream has seen), and all is well again by
 * itself. Shipping, retention and anchors are on.
 *
 * Every fifteenth n from a random first one, unless `TOOLGATE_SOAK` is set.
 */
import assert from "node:assert/strict";
import { type App, openApp } from "../../src/app.ts";
import { openAuditLog } from "../../src/audit/audit_log.ts";
import { systemDeps } from "../../src/cli/system_deps.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import type { ExecutionResult } from "../../src/model/execution.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import { openKvStore } from "../../src/store/kv/kv_store.ts";
import { type CountingUpstream, startCountingUpstream } from "../fakes/counting_upstream.ts";
import { type FaultyStore, makeFaulty, type StoreFault } from "../fakes/faulty_store.ts";

const N_MAX = 300;
const N_STEP = Deno.env.get("TOOLGATE_SOAK") ? 1 : 15;
/** To repeat a run that failed: `TOOLGATE_N_FIRST` is the number that it printed. */
const N_FIRST = Number(Deno.env.get("TOOLGATE_N_FIRST") ?? 1 + Math.floor(Math.random() * N_STEP));
/** A hang is longer than every patience below, and short for a test. */
const HANG_MS = 1_200;
export const PATIENCE = {
  stallMs: 600,
  factPatienceMs: 800,
  closePatienceMs: 500,
  retryMinMs: 5,
  retryMaxMs: 40,
  firstTrimMs: 50,
  trimEveryMs: 150,
};
/** Stands for "never". */
const RECOVERY_MS = 60_000;

/** Registers the test of one fault: at the n-th operation of a running service, for many n. */
export function testStoreFault(name: string, faultAt: (n: number) => StoreFault): void {
  Deno.test(`a store that ${name}, at the n-th operation of a running service`, async () => {
    console.log(`n from ${N_FIRST} in steps of ${N_STEP}`);
    await withBench(async (bench) => {
      for (let n = N_FIRST; n <= N_MAX; n += N_STEP) await checkFault(bench, n, faultAt(n));
    });
  });
}

/** The fault comes in the middle of work; afterwards all is well again, and what was said stays true. */
async function checkFault(bench: Bench, n: number, fault: StoreFault): Promise<void> {
  const { faulty, strays } = bench;
  faulty.arm(fault);
  let over = false;
  const happened = faulty.happened().then(async () => {
    if (fault.kind.startsWith("hangs")) {
      await new Promise((resolve) => setTimeout(resolve, HANG_MS));
      faulty.release();
    }
    over = true;
  });
  await work(bench, `n${n}`, () => over);
  await happened;
  faulty.release();
  await recovers(bench);
  for (const check of later.splice(0)) check();
  assert.deepEqual(strays, [], `${n}`);
}

interface Bench {
  readonly app: App;
  readonly url: string;
  readonly faulty: FaultyStore;
  readonly upstream: CountingUpstream;
  readonly strays: string[];
}

async function withBench(use: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-faults-" });
  const upstream = startCountingUpstream();
  const strays: string[] = [];
  const stopListening = systemDeps.onStrayError((origin, error) =>
    strays.push(`${origin}: ${error instanceof Error ? error.stack : error}`)
  );
  const policy = `
version: 1
name: faults
tools: { counter: { write: [touch] } }
rules: [{ id: touch, allow: write, tools: ["counter.*"] }]
limits: [{ id: many, per: principal, unit: calls, max: 1000000, every: 1h, tools: ["counter.*"] }]
`;
  await Deno.writeTextFile(`${folder}/policy.yaml`, policy);
  const config = ConfigSchema.parse({
    server: { port: 0, drainMs: 2_000 },
    store: `kv:${folder}/toolgate.kv`,
    policies: `${folder}/policy.yaml`,
    preflight: "off",
    sandbox: { warm: 1, isolation: "realm" },
    limits: { wallTimeMs: 10_000, resultBytesMax: 1_024 },
    mcpServers: { counter: { url: upstream.url } },
    spaces: { default: { mode: "hybrid", classic: ["counter.touch"] } },
    audit: {
      retentionDays: 1,
      checkpointEvery: 20,
      checkpointEveryMs: 100,
      anchors: [`${folder}/anchors`],
      ship: [{ to: `file:${folder}/ship`, every: "100ms" }],
    },
  });
  const real = await openKvStore(`${folder}/toolgate.kv`);
  await writeOldRecords(`${folder}/toolgate.kv`, real);
  const faulty = makeFaulty(real);
  const options = { config, source: `${folder}/toolgate.yaml`, baseDir: folder, log: () => {} };
  const app = await openApp(options, faulty.store, PATIENCE);
  try {
    const { url } = await app.listen();
    const bench = { app, url, faulty, upstream, strays };
    await recovers(bench);
    await use(bench);
    await checkAll(bench, `${folder}/toolgate.kv`, folder);
  } finally {
    faulty.release();
    await app.close();
    stopListening();
    await upstream.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** So that retention has something to remove. */
async function writeOldRecords(
  keysPath: string,
  store: Parameters<typeof openAuditLog>[0]["store"],
): Promise<void> {
  const old = Date.now() - 40 * 86_400_000;
  const log = await openAuditLog({
    store,
    chain: "main",
    config: ConfigSchema.parse({}).audit,
    keysPath,
    now: () => old,
  });
  for (let n = 0; n < 500; n++) await log.append({ kind: "limit.hit", detail: { n } }, {}, "soon");
  await log.close();
}

async function api<T>({ url, app }: Bench, method: string, path: string, body?: unknown) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${app.localToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() as T };
}

/** Green again by itself, and the next program runs; on a busy machine another stall may come between. */
async function recovers(bench: Bench): Promise<void> {
  const from = performance.now();
  for (let tries = 0;; tries++) {
    const ready = await fetch(`${bench.url}/readyz`);
    let text = await ready.text();
    if (ready.ok) {
      const id = `after-${crypto.randomUUID()}`;
      const code = `return await tools.counter.touch({ id: "${id}" });`;
      const { status, body } = await api<ExecutionResult>(bench, "POST", "/execute", { code });
      text = JSON.stringify(body);
      assert.ok(bench.upstream.touched(id) <= (status === 200 ? 1 : 0), text);
      if (body.result === `touched ${id}`) return;
    }
    assert.ok(performance.now() - from < RECOVERY_MS, text);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Calls of which an answer says that they were not made. */
const NOT_MADE = new Set(["ERR_AUDIT_UNAVAILABLE", "ERR_STORE", "ERR_BUSY", "ERR_LIMIT_REACHED"]);

/** A program over the API: everything that its answer says is compared with the upstream. */
async function checkProgram(
  bench: Bench,
  prefix: string,
  code: string,
  calls: number,
): Promise<void> {
  const { upstream } = bench;
  const touched = () => Array.from({ length: calls }, (_, i) => upstream.touched(`${prefix}-${i}`));
  const { status, body } = await api<ExecutionResult & { detail?: string; code?: string }>(
    bench,
    "POST",
    "/execute",
    { code: code.replaceAll("PREFIX", prefix) },
  );
  const seen = touched();
  const text = JSON.stringify(body);
  const about = `${prefix}: ${text}\nseen ${seen}`;
  assert.ok(seen.every((count) => count <= 1), about);
  const made = seen.filter((count) => count === 1).length;
  if (status !== 200) {
    // An error alone is only for what has called nothing.
    assert.equal(made, 0, about);
    // A busy machine may refuse for its own reasons.
    assert.match(
      body.code ?? "",
      /^ERR_(AUDIT_UNAVAILABLE|STORE|BUSY|SANDBOX_UNAVAILABLE)$/,
      about,
    );
  } else {
    assert.match(body.executionId, /^[0-9a-f-]{36}$/, about);
    assert.ok(!/[Nn]othing was done|No tool was called/.test(text), about);
    const ok = body.calls.filter((call) => call.status === "ok").length;
    const maybe = body.calls.filter((call) => !NOT_MADE.has(call.status)).length;
    assert.ok(ok <= made && made <= maybe, `${about}: ${ok} ok, ${maybe} perhaps`);
    if (body.status === "ok" && calls > 0) assert.equal(ok, calls, about);
  }
  // What was not made then is not made later either.
  later.push(() => assert.deepEqual(touched(), seen, about));
}

const later: (() => void)[] = [];

/** A call outside a program, over MCP. */
async function checkClassic(bench: Bench, id: string): Promise<void> {
  const response = await fetch(`${bench.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${bench.app.localToken}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "counter__touch", arguments: { id } },
    }),
  });
  const text = await response.text();
  const seen = bench.upstream.touched(id);
  const about = `${id}: ${text}\nseen ${seen}`;
  assert.ok(seen <= 1, about);
  if (/This call was not made/.test(text)) assert.equal(seen, 0, about);
  else if (text.includes(`touched ${id}`)) assert.equal(seen, 1, about);
  else assert.fail(about);
  later.push(() => assert.equal(bench.upstream.touched(id), seen, about));
}

const SEQUENTIAL = `
  const done = [];
  for (let i = 0; i < 40; i++) done.push(await tools.counter.touch({ id: "PREFIX-" + i }));
  return done.length;`;
const PARALLEL = `
  const all = Array.from({ length: 4 }, (_, i) => tools.counter.touch({ id: "PREFIX-" + i }));
  return (await Promise.allSettled(all)).every(({ status }) => status === "fulfilled") ? 4 : fail();`;
const LARGE = `
  await tools.counter.touch({ id: "PREFIX-0" });
  return "x".repeat(5000);`;

/** One round of work: some of everything, until the fault has happened and its round is over. */
async function work(bench: Bench, name: string, isOver: () => boolean): Promise<void> {
  for (let round = 0; !isOver(); round++) {
    assert.ok(round < 100, "the n-th operation never came");
    const prefix = `${name}-${round}`;
    await checkProgram(bench, `${prefix}s`, SEQUENTIAL, 40);
    if (isOver()) return;
    await Promise.all([
      checkProgram(bench, `${prefix}p`, PARALLEL, 4),
      checkProgram(bench, `${prefix}q`, PARALLEL, 4),
      checkClassic(bench, `${prefix}c`),
      checkProgram(bench, `${prefix}n`, "return 1;", 0),
    ]);
    if (isOver()) return;
    await checkProgram(bench, `${prefix}l`, LARGE, 1);
    await checkClassic(bench, `${prefix}d`);
  }
}

/** The log has an intent for everything that the upstream saw, verifies, and was shipped. */
async function checkAll(bench: Bench, keysPath: string, folder: string): Promise<void> {
  const { body } = await api<{ ok: boolean }>(bench, "POST", "/audit/verify");
  assert.equal(body.ok, true, JSON.stringify(body, null, 1));
  const intents = new Set<string>();
  const response = await fetch(`${bench.url}/api/v1/audit/export?format=jsonl`, {
    headers: { authorization: `Bearer ${bench.app.localToken}` },
  });
  for (const line of (await response.text()).split("\n")) {
    if (!line.includes('"call.intent"')) continue;
    intents.add((JSON.parse(line) as AuditRecord).call ?? "");
  }
  const { received } = bench.upstream;
  assert.deepEqual(received.filter((key) => !intents.has(key)), []);
  assert.equal(new Set(received).size, received.length, "no call was made twice");
  assert.ok(keysPath !== "" && [...Deno.readDirSync(`${folder}/ship`)].length > 0);
  assert.ok((await Deno.readTextFile(`${folder}/anchors`)).length > 0);
}
