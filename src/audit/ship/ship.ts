/**
 * Ships the log to sinks. The log itself is the queue: the store keeps a cursor for each sink with
 * the records that the sink acknowledged. A sink that is away loses nothing, may get records twice,
 * and never delays calls.
 */
import type { LogLevel } from "../../model/log.ts";
import type { Store } from "../../store/store.ts";
import { createSink, type SinkDeps } from "./create_sink.ts";
import { releaseLease, type ShipConfig } from "./place.ts";
import { createShipLine, type ShipLine, type SinkStatus, statusOf } from "./ship_line.ts";
import { countBacklog, type RoundDeps, shipRound } from "./ship_round.ts";

const RETRY_MAX_MS = 300_000;
/** The backlog is also counted between tries, because pauses between tries can be long. */
const COUNT_EVERY_MS = 30_000;

export interface ShippingDeps extends Omit<SinkDeps, "now"> {
  readonly store: Store;
  readonly log: (level: LogLevel, message: string) => void;
  /** How long records are kept when no sink waits for them. */
  readonly retentionMs: number;
  readonly now?: () => number;
}

export interface Shipping {
  status(): Promise<SinkStatus[]>;
  /** The last known status, without a read of the store. */
  known(): readonly SinkStatus[];
  /** Delivers the waiting records once; resolves when every sink has been tried. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** @throws {GateError} `ERR_CONFIG` for an address of an unknown kind. */
export function startShipping(deps: ShippingDeps, config: ShipConfig): Shipping {
  const { store, log, retentionMs, now = Date.now } = deps;
  const closing = new AbortController();
  const holder = crypto.randomUUID();
  const roundDeps = { store, log, now, retentionMs, holder, signal: closing.signal };
  const lines = config.map((one, index) =>
    createShipLine(one, index, createSink(one, { ...deps, now }))
  );
  const rounds = lines.map((line) => startRounds(roundDeps, line));
  let counting: Promise<unknown> | null = null;
  const countAll = () =>
    counting ??= Promise.all(lines.map((line) => countBacklog(roundDeps, line)))
      .finally(() => counting = null);
  const counter = setInterval(countAll, COUNT_EVERY_MS);
  Deno.unrefTimer(Number(counter));
  const known = () => lines.map((line) => statusOf(line, now()));
  return {
    async status() {
      await countAll();
      return known();
    },
    known,
    async flush() {
      await Promise.all(rounds.map((one) => one.run()));
    },
    async close() {
      closing.abort();
      clearInterval(counter);
      await Promise.all(rounds.map((one) => one.close()));
      await counting;
      for (const line of lines) {
        // If the store is away, the lease ends by itself, and another replica can take it.
        await releaseLease(store, line.id, holder).catch(() => {});
      }
    },
  };
}

interface Rounds {
  /** Starts a round, or joins the one under way. */
  run(): Promise<void>;
  /** Call after the rounds' signal aborted; resolves when no round is under way. */
  close(): Promise<void>;
}

/** Runs the rounds of one sink, one at a time; pauses grow after failures. */
function startRounds(deps: RoundDeps, line: ShipLine): Rounds {
  let running: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function run(): Promise<void> {
    running ??= shipRound(deps, line).finally(() => running = null);
    return running;
  }

  async function runByTimer(): Promise<void> {
    await run();
    schedule();
  }

  function schedule(): void {
    if (deps.signal.aborted) return;
    timer = setTimeout(() => {
      runByTimer().catch((error) => deps.log("error", `audit: shipping has stopped: ${error}`));
    }, pauseMsAfter(line));
    Deno.unrefTimer(Number(timer));
  }

  schedule();
  return {
    run,
    async close() {
      clearTimeout(timer);
      await running;
    },
  };
}

function pauseMsAfter({ failures, everyMs }: ShipLine): number {
  if (failures === 0) return everyMs;
  const grownMs = Math.max(1_000, everyMs) * 2 ** Math.min(failures - 1, 10);
  return Math.min(RETRY_MAX_MS, grownMs);
}
