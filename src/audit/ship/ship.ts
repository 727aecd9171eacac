/**
 * Ships the log to other places. The log itself is the queue: each sink keeps a cursor of what it has
 * acknowledged, so nothing is dropped while a sink is away, records may come twice, and calls are
 * never held up.
 */
import type { LogLevel } from "../../model/log.ts";
import { parseDurationMs } from "../../model/time/duration.ts";
import type { Store } from "../../store/store.ts";
import { createSink, nameOfSink, type SinkDeps } from "./create_sink.ts";
import {
  type Backlog,
  readBacklog,
  releaseLease,
  type ShipConfig,
  sinkId,
  takeLease,
} from "./place.ts";
import { reasonOfSink } from "./reason.ts";
import { type Delivery, shipChain } from "./ship_chain.ts";

const RETRY_MAX_MS = 300_000;
/** How often the backlog is counted besides each try: a pause may be longer than anybody waits. */
const COUNT_EVERY_MS = 30_000;
/** Records named in one line of the service's log. */
const NAMED_MAX = 10;

export interface ShippingDeps extends Omit<SinkDeps, "now"> {
  readonly store: Store;
  readonly log: (level: LogLevel, message: string) => void;
  /** How long records are kept where nothing waits for them. */
  readonly retentionMs: number;
  readonly now?: () => number;
}

export interface SinkStatus {
  /** Its place in the configuration: `audit.ship[0]`. */
  readonly sink: string;
  /** Without credentials. */
  readonly to: string;
  readonly format: string;
  /** Why the last delivery failed; null if it did not. */
  readonly error: string | null;
  /** Tries that failed, one after the other. */
  readonly failures: number;
  /** Records that wait. */
  readonly behind: number;
  /** Age of the oldest record that waits; null if none does. */
  readonly oldestSeconds: number | null;
  /** Records that went without their texts since the start: the place does not take them whole. */
  readonly reduced: number;
  /** Records that the place took in no form since the start, while it took others. */
  readonly passedOver: number;
  /** Records wait for longer than the retention: the store grows. An alarm. */
  readonly isLate: boolean;
}

export interface Shipping {
  status(): Promise<SinkStatus[]>;
  /** The same as it was found last, without asking the store. */
  known(): readonly SinkStatus[];
  /** Delivers what waits now, once; resolves when every sink has been tried. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Line extends Delivery {
  readonly name: string;
  readonly to: string;
  readonly everyMs: number;
  error: string | null;
  failures: number;
  backlog: Backlog;
  reduced: number;
  passedOver: number;
  isLate: boolean;
  running: Promise<void> | null;
  timer: ReturnType<typeof setTimeout> | null;
}

/** @throws {GateError} `ERR_CONFIG` for a place of an unknown kind. */
export function startShipping(deps: ShippingDeps, config: ShipConfig): Shipping {
  const { store, log, retentionMs, now = Date.now } = deps;
  const closing = new AbortController();
  const { signal } = closing;
  const holder = crypto.randomUUID();
  const lines = config.map((one, index): Line => ({
    id: sinkId(one),
    name: `audit.ship[${index}]`,
    to: nameOfSink(one),
    config: one,
    sink: createSink(one, { ...deps, now }),
    everyMs: pauseMsOf(one.every),
    bytesMax: one.batchBytesMax,
    mayGrow: true,
    successes: 0,
    broken: { batch: "", tries: 0 },
    reducedNow: [],
    passedOverNow: [],
    error: null,
    failures: 0,
    backlog: { records: 0, oldestTs: null },
    reduced: 0,
    passedOver: 0,
    isLate: false,
    running: null,
    timer: null,
  }));

  /** Never fails: a sink or a store that is away is told in the status, and tried again later. */
  async function shipAll(line: Line): Promise<void> {
    try {
      const mayGoOn = async () => !signal.aborted && await takeLease(store, line.id, holder);
      if (!await mayGoOn()) {
        line.error = null; // another replica ships, and says how it goes
        line.failures = 0;
        return;
      }
      for (const chain of await store.logs()) {
        await shipChain({ store, signal, mayGoOn }, line, chain);
      }
      noteSuccess(line);
    } catch (error) {
      if (!signal.aborted) noteFailure(line, reasonOfSink(error, line.config));
    } finally {
      noteChangedRecords(line);
      await count(line);
    }
  }

  function noteSuccess(line: Line): void {
    if (line.error !== null) {
      const tries = line.failures === 1 ? "one failed try" : `${line.failures} failed tries`;
      log("info", `audit: ships to ${line.to} again, after ${tries}`);
    }
    line.error = null;
    line.failures = 0;
  }

  function noteFailure(line: Line, reason: string): void {
    if (line.error !== reason) log("warn", `audit: cannot ship to ${line.to}: ${reason}`);
    line.error = reason;
    line.failures++;
  }

  /** Counts and tells the records of a run that did not go as they are. */
  function noteChangedRecords(line: Line): void {
    const reduced = line.reducedNow.splice(0);
    if (reduced.length > 0) {
      line.reduced += reduced.length;
      const why = "does not take them whole, so they went without their texts";
      log("warn", `audit: ${line.to} ${why}: records ${listRecords(reduced)}`);
    }
    const passedOver = line.passedOverNow.splice(0);
    if (passedOver.length > 0) {
      line.passedOver += passedOver.length;
      const why = "takes others and not these, so it went on without them";
      const list = listRecords(passedOver);
      log("error", `audit: ${line.to} ${why}: records ${list}; the log has them`);
    }
  }

  /** Counts what waits; a backlog older than the retention is an alarm once, and so is its end. */
  async function count(line: Line): Promise<void> {
    try {
      line.backlog = await readBacklog(store, line.id);
    } catch {
      return; // a store that is away says so itself, in `/readyz`
    }
    const { records, oldestTs } = line.backlog;
    const isLate = oldestTs !== null && now() - oldestTs > retentionMs;
    if (isLate === line.isLate) return;
    line.isLate = isLate;
    const days = Math.round(retentionMs / 86_400_000 * 100) / 100;
    if (isLate) {
      log(
        "error",
        `audit: ${line.to} is behind by more than retentionDays (${days}): ${records} records wait, ` +
          `the oldest since ${
            new Date(oldestTs ?? 0).toISOString()
          }; the store grows until they are ` +
          `shipped, or ${line.name} is removed from the configuration` +
          (line.error === null ? "" : `. Last reason: ${line.error}`),
      );
    } else log("info", `audit: ${line.to} is no longer behind by more than retentionDays`);
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
    if (signal.aborted) return;
    const pauseMs = line.failures === 0 ? line.everyMs : Math.min(
      RETRY_MAX_MS,
      Math.max(1_000, line.everyMs) * 2 ** Math.min(line.failures - 1, 10),
    );
    line.timer = setTimeout(() => {
      runByTimer(line).catch((error) => log("error", `audit: shipping has stopped: ${error}`));
    }, pauseMs);
    Deno.unrefTimer(Number(line.timer));
  }

  const statusOf = (line: Line): SinkStatus => ({
    sink: line.name,
    to: line.to,
    format: line.config.format,
    error: line.error,
    failures: line.failures,
    behind: line.backlog.records,
    oldestSeconds: line.backlog.oldestTs === null
      ? null
      : Math.max(0, Math.round((now() - line.backlog.oldestTs) / 1_000)),
    reduced: line.reduced,
    passedOver: line.passedOver,
    isLate: line.isLate,
  });

  let counting: Promise<unknown> | null = null;
  const countAll = () => counting ??= Promise.all(lines.map(count)).finally(() => counting = null);
  for (const line of lines) schedule(line);
  const counter = setInterval(countAll, COUNT_EVERY_MS);
  Deno.unrefTimer(Number(counter));
  return {
    async status() {
      await countAll();
      return lines.map(statusOf);
    },
    known: () => lines.map(statusOf),
    async flush() {
      await Promise.all(lines.map(run));
    },
    async close() {
      closing.abort();
      clearInterval(counter);
      for (const line of lines) if (line.timer !== null) clearTimeout(line.timer);
      await Promise.all(lines.map((line) => line.running));
      await counting;
      for (const line of lines) {
        if (line.timer !== null) clearTimeout(line.timer);
        // A store that is away keeps the lease for its time; then anybody may have it.
        await releaseLease(store, line.id, holder).catch(() => {});
      }
    },
  };
}

function listRecords(records: readonly string[]): string {
  const more = records.length > NAMED_MAX ? ` and ${records.length - NAMED_MAX} more` : "";
  return `${records.slice(0, NAMED_MAX).join(", ")}${more}`;
}

/** Within what a timer can hold: 31 bits of milliseconds. */
function pauseMsOf(every: string): number {
  return Math.min(2 ** 31 - 1, Math.max(100, parseDurationMs(every) ?? 60_000));
}
