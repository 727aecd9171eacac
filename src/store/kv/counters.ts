/**
 * Counters of the single writer: exact in memory, written behind.
 *
 * A counter that changed rides in the next commit of anything else (a call's audit intent follows its
 * reservation at once, so it costs no commit of its own), or is written by a timer soon after.
 */
import { checkKey } from "../change_rules.ts";
import { commitKv } from "./commit.ts";
import { createKvCounterCache, type KvCounterCache } from "./counter_cache.ts";

const FLUSH_AFTER_MS = 200;
const RIDING_MAX = 40;
/** Counters of one commit of their own: three mutations each. */
const SPILLED_MAX = 300;

export interface KvCounters {
  add(
    key: string,
    by: number,
    options?: { max?: number; ttlMs?: number },
  ): Promise<{ ok: boolean; value: number }>;
  /** Adds waiting counters to a commit that is made anyway; call the answer with its outcome. */
  ride(operation: Deno.AtomicOperation): (committed: boolean) => void;
  /**
   * Writes the counters that one commit cannot carry along. What was added before this call is then
   * stored no later than the commit that follows.
   */
  spill(): Promise<void>;
  forgetExpired(): void;
  /** Writes what waits and stops the timer. */
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
        // The oldest go first: what is added meanwhile belongs to calls that are not in this commit.
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

/** Runs `flush` some time after it was asked for, and again until it works. */
function createDelayedFlush(
  flush: () => Promise<void>,
): { readonly schedule: () => void; readonly stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isStopped = false;

  function schedule(): void {
    if (timer !== null || isStopped) return;
    timer = setTimeout(() => {
      timer = null;
      // A store that cannot be written refuses calls through the audit log; the sums wait here.
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
