/**
 * Ships the log to other places. The log itself is the queue: each sink keeps a cursor of what it has
 * acknowledged, so nothing is dropped while a sink is away, records may come twice, and calls are
 * never held up.
 */
import type { LogLevel } from "../../model/log.ts";
import type { Store } from "../../store/store.ts";
import { createSink, type SinkDeps } from "./create_sink.ts";
import { releaseLease, type ShipConfig } from "./place.ts";
import { createShipLine, type ShipLine, type SinkStatus, statusOf } from "./ship_line.ts";
import { countBacklog, type RoundDeps, shipRound } from "./ship_round.ts";

const RETRY_MAX_MS = 300_000;
/** How often the backlog is counted besides each try: a pause may be longer than anybody waits. */
const COUNT_EVERY_MS = 30_000;

export interface ShippingDeps extends Omit<SinkDeps, "now"> {
  readonly store: Store;
  readonly log: (level: LogLevel, message: string) => void;
  /** How long records are kept where nothing waits for them. */
  readonly retentionMs: number;
  readonly now?: () => number;
}

export interface Shipping {
  status(): Promise<SinkStatus[]>;
  /** The same as it was found last, without asking the store. */
  known(): readonly SinkStatus[];
  /** Delivers what waits now, once; resolves when every sink has been tried. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** @throws {GateError} `ERR_CONFIG` for a place of an unknown kind. */
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
        // A store that is away keeps the lease for its time; then anybody may have it.
        await releaseLease(store, line.id, holder).catch(() => {});
      }
    },
  };
}

interface Rounds {
  /** A round now, or the one that is under way. */
  run(): Promise<void>;
  /** After the signal of the rounds: resolves when none is under way. */
  close(): Promise<void>;
}

/** Rounds of one sink, one at a time; after failures the pauses grow. */
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
