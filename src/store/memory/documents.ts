import { checkChanges, checkKey, checkValueBytes } from "../change_rules.ts";
import type { Change, Store, StoredEntry } from "../store.ts";

interface Row {
  /** JSON text, so that a reader never gets the object that a writer passed in. */
  readonly text: string;
  readonly revision: string;
  readonly expiresAt: number;
}

export interface MemoryDocuments extends Pick<Store, "get" | "list" | "put"> {
  /** Writes checked changes without looking at expectations. */
  write(changes: readonly Change[]): string;
  removeExpired(): void;
}

/** Documents that end with the process. */
export function createMemoryDocuments(now: () => number): MemoryDocuments {
  const rows = new Map<string, Row>();
  let revision = 0;

  function live(key: string): Row | null {
    const row = rows.get(key);
    return row === undefined || row.expiresAt <= now() ? null : row;
  }

  function write(changes: readonly Change[]): string {
    const texts = changes.map(({ key, value }) => {
      const text = JSON.stringify(value);
      checkValueBytes(key, text.length);
      return text;
    });
    const written = String(++revision);
    for (const [index, { key, value, ttlMs }] of changes.entries()) {
      const expiresAt = ttlMs === undefined ? Infinity : now() + ttlMs;
      if (value === null) rows.delete(key);
      else rows.set(key, { text: texts[index] ?? "null", revision: written, expiresAt });
    }
    return written;
  }

  return {
    write,
    // deno-lint-ignore require-await -- a refusal is a rejection, as in the other backends
    async get(key) {
      checkKey(key);
      const row = live(key);
      return row === null ? null : toEntry(key, row);
    },
    list(prefix, { after = "", limit = 1_000 } = {}) {
      const keys = [...rows.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
      const found: StoredEntry[] = [];
      for (const key of keys) {
        if (found.length >= limit) break;
        const row = live(key);
        if (row !== null) found.push(toEntry(key, row));
      }
      return Promise.resolve(found);
    },
    // deno-lint-ignore require-await
    async put(changes) {
      checkChanges(changes);
      const isExpected = ({ key, expect }: Change) =>
        expect === undefined || (live(key)?.revision ?? null) === expect;
      return changes.every(isExpected) ? write(changes) : null;
    },
    removeExpired() {
      for (const [key, row] of rows) if (row.expiresAt <= now()) rows.delete(key);
    },
  };
}

function toEntry(key: string, { text, revision }: Row): StoredEntry {
  return { key, value: JSON.parse(text), revision };
}
