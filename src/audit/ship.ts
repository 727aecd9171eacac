/**
 * Ships the log to other places. The log itself is the queue: each sink keeps a cursor of what it has
 * acknowledged, so nothing is dropped while a sink is away, records may come twice, and calls are
 * never held up.
 */
import type { Config } from "../config/schema.ts";
import { GateError } from "../model/errors.ts";
import type { AuditRecord } from "../model/event.ts";
import { keyOf } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { toRecord } from "./audit_record.ts";
import { readAscending } from "./read_chain.ts";
import type { Sink } from "./sink.ts";
import { createFileSink } from "./sink_file.ts";
import { createHttpSink } from "./sink_http.ts";
import { createSyslogSink } from "./sink_syslog.ts";

export type ShipConfig = Config["audit"]["ship"];

/** Records in one delivery. */
const BATCH_RECORDS_MAX = 5_000;
const RETRY_MAX_MS = 300_000;
/** A replica that ships keeps the others from it for this long at a time. */
const LEASE_MS = 60_000;

export interface ShippingDeps {
  readonly store: Store;
  /** Signs segments with the key of the checkpoints: `AuditLog.signNote`. */
  readonly signNote: (text: string) => string;
  readonly resolveSecrets: (text: string) => Promise<string>;
  /** What a relative folder starts from. */
  readonly baseDir: string;
  readonly log: (message: string) => void;
  readonly now?: () => number;
}

export interface SinkStatus {
  /** Without credentials. */
  readonly to: string;
  readonly format: string;
  /** Why the last delivery failed; null if it did not. */
  readonly error: string | null;
  /** Records that wait. */
  readonly behind: number;
}

export interface Shipping {
  status(): Promise<SinkStatus[]>;
  /** Delivers what waits now, once; resolves when every sink has been tried. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Line {
  readonly config: ShipConfig[number];
  readonly id: string;
  readonly sink: Sink;
  readonly everyMs: number;
  error: string | null;
  failures: number;
  running: Promise<void> | null;
  timer: ReturnType<typeof setTimeout> | null;
}

/** @throws {GateError} `ERR_CONFIG` for a place of an unknown kind. */
export function startShipping(deps: ShippingDeps, config: ShipConfig): Shipping {
  const closing = new AbortController();
  const holder = crypto.randomUUID();
  const lines = config.map((one): Line => ({
    config: one,
    id: sinkId(one),
    sink: createSink(one, deps),
    everyMs: parseEvery(one.every),
    error: null,
    failures: 0,
    running: null,
    timer: null,
  }));

  /** Never fails: a sink or a store that is away is told in the status, and tried again later. */
  async function shipAll(line: Line): Promise<void> {
    try {
      if (!await takeLease(deps.store, line.id, holder)) return;
      for (const chain of await deps.store.logs()) await shipChain(line, chain);
      line.error = null;
      line.failures = 0;
    } catch (error) {
      if (closing.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (line.error === null) deps.log(`audit: cannot ship to ${nameOf(line.config)}: ${reason}`);
      line.error = reason;
      line.failures++;
    }
  }

  async function shipChain(line: Line, chain: string): Promise<void> {
    const size = ((await deps.store.head(chain))?.seq ?? -1) + 1;
    let next = (await readCursor(deps.store, line.id))[chain] ?? 0;
    let records: AuditRecord[] = [];
    for await (const entries of readAscending(deps.store, chain, next, size)) {
      records.push(...entries.map(toRecord));
      const isLast = (records.at(-1)?.seq ?? 0) >= size - 1;
      if (records.length < BATCH_RECORDS_MAX && !isLast) continue;
      if (closing.signal.aborted) return;
      await line.sink.deliver({ chain, records, format: line.config.format }, closing.signal);
      next = (records.at(-1)?.seq ?? next) + 1;
      await advanceCursor(deps.store, line.id, chain, next);
      records = [];
    }
  }

  function run(line: Line): Promise<void> {
    line.running ??= shipAll(line).finally(() => line.running = null);
    return line.running;
  }

  async function runByTimer(line: Line): Promise<void> {
    await run(line);
    schedule(line);
  }

  function schedule(line: Line): void {
    if (closing.signal.aborted) return;
    const pauseMs = line.failures === 0 ? line.everyMs : Math.min(
      RETRY_MAX_MS,
      Math.max(1_000, line.everyMs) * 2 ** Math.min(line.failures - 1, 10),
    );
    line.timer = setTimeout(() => {
      runByTimer(line).catch((error) => deps.log(`audit: shipping has stopped: ${error}`));
    }, pauseMs);
    Deno.unrefTimer(Number(line.timer));
  }

  for (const line of lines) schedule(line);
  return {
    async status() {
      return await Promise.all(lines.map(async (line) => ({
        to: nameOf(line.config),
        format: line.config.format,
        error: line.error,
        behind: await countBehind(deps.store, line.id),
      })));
    },
    async flush() {
      await Promise.all(lines.map(run));
    },
    async close() {
      closing.abort();
      for (const line of lines) if (line.timer !== null) clearTimeout(line.timer);
      await Promise.all(lines.map((line) => line.running));
      for (const line of lines) {
        if (line.timer !== null) clearTimeout(line.timer);
        // A store that is away keeps the lease for its time; then anybody may have it.
        await releaseLease(deps.store, line.id, holder).catch(() => {});
      }
    },
  };
}

/** The first record of a chain that some sink has not acknowledged: retention stops before it. */
export async function firstUnshipped(
  store: Pick<Store, "get">,
  config: ShipConfig,
  chain: string,
): Promise<number> {
  const cursors = await Promise.all(config.map((one) => readCursor(store, sinkId(one))));
  return Math.min(Infinity, ...cursors.map((cursor) => cursor[chain] ?? 0));
}

function createSink(config: ShipConfig[number], deps: ShippingDeps): Sink {
  const { to, headers, ca } = config;
  const { now = Date.now } = deps;
  const readAuthorities = async () => ca === undefined ? [] : [await readText(ca, deps.baseDir)];
  if (to.startsWith("file:")) {
    const path = to.slice("file:".length).replace(/^\/\//, "");
    const folder = path.startsWith("/") ? path : `${deps.baseDir}/${path}`;
    return createFileSink(folder, { signNote: deps.signNote, now });
  }
  if (/^https?:\/\//.test(to)) {
    return createHttpSink(to, headers, { resolveSecrets: deps.resolveSecrets, readAuthorities });
  }
  if (/^syslog\+(tcp|tls):\/\/[^/]/.test(to) && URL.canParse(to)) {
    return createSyslogSink(new URL(to), { readAuthorities });
  }
  throw new GateError("ERR_CONFIG", `Cannot ship the audit log to "${nameOf(config)}"`, {
    hint: "Use file:<folder>, https://…, syslog+tcp://host:port or syslog+tls://host:port.",
  });
}

async function readText(path: string, baseDir: string): Promise<string> {
  return await Deno.readTextFile(path.startsWith("/") ? path : `${baseDir}/${path}`);
}

/** The same for the same place and format: a changed place is a new sink, which starts anew. */
function sinkId(config: ShipConfig[number]): string {
  return `${config.format} ${config.to}`;
}

function nameOf(config: ShipConfig[number]): string {
  return config.to.replace(/\/\/[^/@]*@/, "//").replace(/\?.*$/, "");
}

function parseEvery(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const unit = units[(match?.[2] ?? "s") as keyof typeof units];
  // Timers hold 31 bits of milliseconds.
  return Math.min(2 ** 31 - 1, Math.max(100, Number(match?.[1] ?? 60) * unit));
}

async function readCursor(
  store: Pick<Store, "get">,
  id: string,
): Promise<{ readonly [chain: string]: number }> {
  const value = (await store.get(keyOf.auditCursor(id)))?.value;
  const cursor: { [chain: string]: number } = Object.create(null);
  if (typeof value !== "object" || value === null) return cursor;
  for (const [chain, next] of Object.entries(value)) {
    if (typeof next === "number") cursor[chain] = next;
  }
  return cursor;
}

async function advanceCursor(
  store: Store,
  id: string,
  chain: string,
  next: number,
): Promise<void> {
  const cursor = await readCursor(store, id);
  await store.put([{ key: keyOf.auditCursor(id), value: { ...cursor, [chain]: next } }]);
}

/** Only one replica ships to a sink at a time. */
async function takeLease(store: Store, id: string, holder: string): Promise<boolean> {
  const key = keyOf.auditShipLease(id);
  const held = await store.get(key);
  if (held !== null && held.value !== holder) return false;
  const change = { key, value: holder, expect: held?.revision ?? null, ttlMs: LEASE_MS };
  return (await store.put([change])) !== null;
}

async function releaseLease(store: Store, id: string, holder: string): Promise<void> {
  const key = keyOf.auditShipLease(id);
  const held = await store.get(key);
  if (held?.value === holder) await store.put([{ key, value: null, expect: held.revision }]);
}

async function countBehind(store: Store, id: string): Promise<number> {
  const cursor = await readCursor(store, id);
  let behind = 0;
  for (const chain of await store.logs()) {
    const head = await store.head(chain);
    behind += Math.max(0, (head?.seq ?? -1) + 1 - (cursor[chain] ?? 0));
  }
  return behind;
}
