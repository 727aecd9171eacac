import { readKv } from "./commit.ts";

const CACHED_MAX = 100_000;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A counter of the single writer; memory holds the exact value. */
export interface KvCounter {
  /** False until the first addition: the window has not begun. */
  begun: boolean;
  value: number;
  /** 0: never */
  expiresAt: number;
  /** The expiry of the stored row, to remove the row's mark when the expiry changes. */
  storedExpiresAt: number;
  /** Number of changes, so that a change during a commit does not count as written. */
  changes: number;
  written: number;
}

/** The counters that this process knows, and the keys of those not stored yet. */
export interface KvCounterCache {
  of(key: string): Promise<KvCounter>;
  /** Keys that wait to be written, the oldest first. */
  readonly changed: ReadonlySet<string>;
  /** Marks a counter whose sum differs from its stored row. */
  touch(key: string, counter: KvCounter): void;
  /**
   * Puts up to `countMax` waiting counters into a commit.
   *
   * @returns a function for the outcome; after a failed commit the counters wait again.
   */
  ride(operation: Deno.AtomicOperation, countMax: number): (committed: boolean) => void;
  forgetExpired(now: number): void;
}

export function createKvCounterCache(kv: Deno.Kv): KvCounterCache {
  const counters = new Map<string, KvCounter>();
  const loading = new Map<string, Promise<KvCounter>>();
  const changed = new Set<string>();

  async function load(key: string): Promise<KvCounter> {
    const counter = await loadCounter(kv, key);
    if (counters.size >= CACHED_MAX) forget(() => true);
    counters.set(key, counter);
    return counter;
  }

  /** Keeps counters that wait to be written. */
  function forget(isForgotten: (counter: KvCounter) => boolean): void {
    for (const [key, counter] of counters) {
      if (!changed.has(key) && isForgotten(counter)) counters.delete(key);
    }
  }

  return {
    changed,
    async of(key) {
      const cached = counters.get(key);
      if (cached !== undefined) return cached;
      const pending = loading.get(key) ?? load(key).finally(() => loading.delete(key));
      loading.set(key, pending);
      return await pending;
    },
    touch(key, counter) {
      counter.changes++;
      counters.set(key, counter);
      changed.add(key);
    },
    ride(operation, countMax) {
      const riding: { key: string; counter: KvCounter; changes: number; expiresAt: number }[] = [];
      for (const key of changed) {
        if (riding.length >= countMax) break;
        const counter = counters.get(key);
        if (counter === undefined) continue;
        riding.push({ key, counter, changes: counter.changes, expiresAt: counter.expiresAt });
        writeCounter(operation, key, counter);
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
      };
    },
    forgetExpired: (now) => forget(({ expiresAt }) => expiresAt > 0 && expiresAt <= now),
  };
}

/** A row is the JSON text `[expiresAt, value]` as bytes. */
async function loadCounter(kv: Deno.Kv, key: string): Promise<KvCounter> {
  const row = await readKv(() => kv.get<Uint8Array>(["n", key]));
  const [expiresAt, value] = row.value === null
    ? [0, 0]
    : JSON.parse(decoder.decode(row.value)) as [number, number];
  const begun = row.value !== null;
  return { begun, value, expiresAt, storedExpiresAt: expiresAt, changes: 0, written: 0 };
}

function writeCounter(operation: Deno.AtomicOperation, key: string, counter: KvCounter): void {
  const { expiresAt, storedExpiresAt, value } = counter;
  operation.set(["n", key], encoder.encode(JSON.stringify([expiresAt, value])));
  if (storedExpiresAt > 0 && storedExpiresAt !== expiresAt) {
    operation.delete(["e", storedExpiresAt, "n", key]);
  }
  if (expiresAt > 0) operation.set(["e", expiresAt, "n", key], NOTHING);
}
