import { checkKey } from "../change_rules.ts";
import type { Store } from "../store.ts";

export interface MemoryCounters extends Pick<Store, "add"> {
  removeExpired(): void;
}

/** Counters that end with the process. */
export function createMemoryCounters(now: () => number): MemoryCounters {
  const counters = new Map<string, { readonly value: number; readonly expiresAt: number }>();
  return {
    // deno-lint-ignore require-await -- a refusal is a rejection, as in the other backends
    async add(key, by, { max = Infinity, ttlMs } = {}) {
      checkKey(key);
      let counter = counters.get(key);
      if (counter === undefined || counter.expiresAt <= now()) {
        counter = { value: 0, expiresAt: ttlMs === undefined ? Infinity : now() + ttlMs };
      }
      const value = counter.value + by;
      if (value > max) return { ok: false, value: counter.value };
      counters.set(key, { ...counter, value });
      return { ok: true, value };
    },
    removeExpired() {
      for (const [key, counter] of counters) if (counter.expiresAt <= now()) counters.delete(key);
    },
  };
}
