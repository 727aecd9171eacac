import type { ConnectionKeeper } from "./connection_keeper.ts";

/** One connection keeper for each scope (the account that calls act for). */
export interface KeeperPool {
  get(scope: string): ConnectionKeeper;
  /** Lets all of them try again at once. */
  retry(): void;
  close(): Promise<void>;
}

const SCOPES_MAX = 256;

/** Makes a keeper for each scope on demand; the least recently used one beyond 256 is closed. */
export function createKeeperPool(make: (scope: string) => ConnectionKeeper): KeeperPool {
  const keepers = new Map<string, ConnectionKeeper>();
  const closing = new Set<Promise<void>>();
  return {
    get(scope) {
      const keeper = keepers.get(scope) ?? make(scope);
      keepers.delete(scope);
      keepers.set(scope, keeper);
      for (const [oldest, old] of keepers) {
        if (keepers.size <= SCOPES_MAX) break;
        keepers.delete(oldest);
        const closed = old.close().finally(() => closing.delete(closed));
        closing.add(closed);
      }
      return keeper;
    },
    retry() {
      for (const keeper of keepers.values()) keeper.retry();
    },
    async close() {
      await Promise.all([...keepers.values()].map((keeper) => keeper.close()));
      await Promise.all(closing);
    },
  };
}
