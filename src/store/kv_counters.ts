/**
 * Counters of the single writer: exact in memory, written behind.
 *
 * A counter that changed rides in the next commit of anything else (a call's audit intent follows its
 * reservation at once, so it costs no commit of its own), or is written by a timer soon after.
 */
import { checkKey } from "./change_rules.ts";
import { commitKv, readKv } from "./kv_commit.ts";

const FLUSH_AFTER_MS = 200;
const RIDING_MAX = 40;
/** Counters of one commit of their own: three mutations each. */
const SPILLED_MAX = 300;
const CACHED_MAX = 100_000;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Counter {
  /** False until the first sum: its window has not begun. */
  begun: boolean;
  value: number;
  /** 0: never */
  expiresAt: number;
  /** The expiry that the stored row has, to remove its mark when that changes. */
  storedExpiresAt: number;
  /** Counts changes, so that one made during a commit is not taken for written. */
  changes: number;
  written: number;
}

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
  const counters = new Map<string, Counter>();
  const loading = new Map<string, Promise<Counter>>();
  const changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let closed = false;

  async function load(key: string): Promise<Counter> {
    const row = await readKv(() => kv.get<Uint8Array>(["n", key]));
    const [expiresAt, value] = row.value === null
      ? [0, 0]
      : JSON.parse(decoder.decode(row.value)) as [number, number];
    const begun = row.value !== null;
    const counter = { begun, value, expiresAt, storedExpiresAt: expiresAt, changes: 0, written: 0 };
    if (counters.size >= CACHED_MAX) forgetWritten();
    counters.set(key, counter);
    return counter;
  }

  function forgetWritten(): void {
    for (const key of counters.keys()) if (!changed.has(key)) counters.delete(key);
  }

  async function counterOf(key: string): Promise<Counter> {
    const cached = counters.get(key);
    if (cached !== undefined) return cached;
    const pending = loading.get(key) ?? load(key).finally(() => loading.delete(key));
    loading.set(key, pending);
    return await pending;
  }

  function ride(
    operation: Deno.AtomicOperation,
    countMax = RIDING_MAX,
  ): (committed: boolean) => void {
    const riding: { key: string; counter: Counter; changes: number; expiresAt: number }[] = [];
    for (const key of changed) {
      if (riding.length >= countMax) break;
      const counter = counters.get(key);
      if (counter === undefined) continue;
      const { expiresAt, storedExpiresAt } = counter;
      riding.push({ key, counter, changes: counter.changes, expiresAt });
      operation.set(["n", key], encoder.encode(JSON.stringify([expiresAt, counter.value])));
      if (storedExpiresAt > 0 && storedExpiresAt !== expiresAt) {
        operation.delete(["e", storedExpiresAt, "n", key]);
      }
      if (expiresAt > 0) operation.set(["e", expiresAt, "n", key], NOTHING);
      changed.delete(key);
    }
    return (committed) => {
      for (const { key, counter, changes, expiresAt } of riding) {
        if (committed) {
          counter.written = changes;
          counter.storedExpiresAt = expiresAt;
        }
        if (counter.written !== counter.changes) changed.add(key);
      }
      if (changed.size > 0) schedule();
    };
  }

  async function flush(): Promise<void> {
    while (changed.size > 0) {
      const operation = kv.atomic();
      const settle = ride(operation);
      try {
        settle((await commitKv(operation)).ok);
      } catch (error) {
        settle(false);
        throw error;
      }
    }
  }

  async function spill(): Promise<void> {
    // The oldest go first: what is added meanwhile belongs to calls that are not in this commit.
    for (let left = changed.size - RIDING_MAX; left > 0; left -= SPILLED_MAX) {
      const operation = kv.atomic();
      const settle = ride(operation, Math.min(left, SPILLED_MAX));
      try {
        settle((await commitKv(operation)).ok);
      } catch (error) {
        settle(false);
        throw error;
      }
    }
  }

  function schedule(): void {
    if (timer !== null || closed) return;
    timer = setTimeout(() => {
      timer = null;
      // A store that cannot be written refuses calls through the audit log; the sums wait here.
      flush().catch(() => schedule());
    }, FLUSH_AFTER_MS);
  }

  return {
    async add(key, by, { max = Infinity, ttlMs } = {}) {
      checkKey(key);
      const counter = await counterOf(key);
      // No await from here on: the check and the change are one step.
      const time = now();
      const ended = counter.expiresAt > 0 && counter.expiresAt <= time;
      const value = ended ? 0 : counter.value;
      if (value + by > max) return { ok: false, value };
      if (ended || !counter.begun) {
        counter.expiresAt = ttlMs === undefined ? 0 : Math.ceil(time + ttlMs);
      }
      counter.begun = true;
      counter.value = value + by;
      counter.changes++;
      counters.set(key, counter);
      changed.add(key);
      schedule();
      return { ok: true, value: counter.value };
    },
    ride,
    spill,
    forgetExpired() {
      const time = now();
      for (const [key, counter] of counters) {
        if (counter.expiresAt > 0 && counter.expiresAt <= time && !changed.has(key)) {
          counters.delete(key);
        }
      }
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await flush();
    },
  };
}
