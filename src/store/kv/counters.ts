/**
 * Counters of the single writer: exact in memory, stored a little later.
 *
 * A changed counter joins the next commit of anything else: a call's audit intent follows its
 * reservation at once, so the counter costs no extra commit. Otherwise a timer writes the counter.
 */
import { checkKey } from "../change_rules.ts";
import { commitKv } from "./commit.ts";
import { createKvCounterCache, type KvCounterCache } from "./counter_cache.ts";

const FLUSH_AFTER_MS = 200;
const RIDING_MAX = 40;
/** Counters in one commit without other changes: three mutations each. */
const SPILLED_MAX = 300;

export interface KvCounters {
  add(
    key: string,
    by: number,
    options?: { max?: number; ttlMs?: number },
  ): Promise<{ ok: boolean; value: number }>;
  /** Adds waiting counters to another commit; call the result with the outcome of that commit. */
  ride(operation: Deno.AtomicOperation): (committed: boolean) => void;
  /**
   * Writes the counters that do not fit into the next commit, so that all earlier additions are
   * stored no later than that commit.
   */
  spill(): Promise<void>;
  forgetExpired(): void;
  /** Writes waiting counters and stops the timer. */
  close(): Promise<void>;
}

export function createKvCounters(deps: { kv: Deno.Kv; now: () => number }): KvCounters {
  const { kv, now } = deps;
  const cache = createKvCounterCache(kv);
  const behind = createDelayedFlush(() => flush(kv, cache));

  function ride(operation: Deno.AtomicOperation): (committed: boolean) => void {
    const settle = cache.ride(operation, RIDING_MAX);
    return (committed) => {
      settle(committed);
      if (cache.changed.size > 0) behind.schedule();
    };
  }

  return {
    async add(key, by, options = {}) {
      checkKey(key);
      const counter = await cache.of(key);
      // No await from here on: the check and the change are one step.
      const { max = Infinity, ttlMs } = options;
      const time = now();
      const ended = counter.expiresAt > 0 && counter.expiresAt <= time;
      const value = ended ? 0 : counter.value;
      if (value + by > max) return { ok: false, value };
      if (ended || !counter.begun) {
        counter.expiresAt = ttlMs === undefined ? 0 : Math.ceil(time + ttlMs);
      }
      counter.begun = true;
      counter.value = value + by;
      cache.touch(key, counter);
      behind.schedule();
      return { ok: true, value: counter.value };
    },
    ride,
    async spill() {
      try {
        // Oldest first: counters added meanwhile belong to calls outside the next commit.
        for (let left = cache.changed.size - RIDING_MAX; left > 0; left -= SPILLED_MAX) {
          await writeWaiting(kv, cache, Math.min(left, SPILLED_MAX));
        }
      } finally {
        if (cache.changed.size > 0) behind.schedule();
      }
    },
    forgetExpired: () => cache.forgetExpired(now()),
    async close() {
      behind.stop();
      await flush(kv, cache);
    },
  };
}

async function flush(kv: Deno.Kv, cache: KvCounterCache): Promise<void> {
  while (cache.changed.size > 0) await writeWaiting(kv, cache, RIDING_MAX);
}

async function writeWaiting(kv: Deno.Kv, cache: KvCounterCache, countMax: number): Promise<void> {
  const operation = kv.atomic();
  const settle = cache.ride(operation, countMax);
  try {
    settle((await commitKv(operation)).ok);
  } catch (error) {
    settle(false);
    throw error;
  }
}

/** Runs `flush` some time after `schedule`, and again until it succeeds. */
function createDelayedFlush(
  flush: () => Promise<void>,
): { readonly schedule: () => void; readonly stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isStopped = false;

  function schedule(): void {
    if (timer !== null || isStopped) return;
    timer = setTimeout(() => {
      timer = null;
      // If the store cannot be written, the audit log refuses calls; the sums wait here.
      flush().catch(schedule);
    }, FLUSH_AFTER_MS);
  }

  return {
    schedule,
    stop() {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
