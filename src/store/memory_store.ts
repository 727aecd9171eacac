import type { Json } from "../model/json/json.ts";
import { checkChanges, checkEntries, checkKey, checkValueBytes } from "./change_rules.ts";
import { compileQuery, isInBounds, matchesLabels } from "./entry_filter.ts";
import { compareNewestFirst, formatCursor } from "./scan_cursor.ts";
import { FencedError, type LogEntry, type ScanPage, type ScanQuery, type Store } from "./store.ts";
import { createTopicBus } from "./topic_bus.ts";

interface Row {
  /** JSON text: what is read is never what was passed in. */
  readonly text: string;
  readonly revision: string;
  readonly expiresAt: number;
}

/** A store that ends with the process: for tests and trials. */
export function createMemoryStore(now: () => number = Date.now): Store {
  const rows = new Map<string, Row>();
  const counters = new Map<string, { value: number; expiresAt: number }>();
  const logs = new Map<string, LogEntry[]>();
  const bus = createTopicBus();
  let revision = 0;

  function live(key: string): Row | null {
    const row = rows.get(key);
    return row === undefined || row.expiresAt <= now() ? null : row;
  }

  function write(changes: readonly { key: string; value: Json; ttlMs?: number }[]): string {
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
    kind: "memory",
    get(key) {
      checkKey(key);
      const row = live(key);
      return Promise.resolve(
        row === null ? null : { key, value: JSON.parse(row.text), revision: row.revision },
      );
    },
    list(prefix, { after = "", limit = 1_000 } = {}) {
      const keys = [...rows.keys()]
        .filter((key) => key.startsWith(prefix) && key > after && live(key) !== null)
        .sort()
        .slice(0, limit);
      return Promise.resolve(keys.map((key) => {
        const row = rows.get(key) as Row;
        return { key, value: JSON.parse(row.text), revision: row.revision };
      }));
    },
    // deno-lint-ignore require-await -- a refusal is a rejection, as in the other backends
    async put(changes) {
      checkChanges(changes);
      for (const { key, expect } of changes) {
        if (expect === undefined) continue;
        if ((live(key)?.revision ?? null) !== expect) return null;
      }
      return write(changes);
    },
    add(key, by, { max = Infinity, ttlMs } = {}) {
      checkKey(key);
      let counter = counters.get(key);
      if (counter === undefined || counter.expiresAt <= now()) {
        counter = { value: 0, expiresAt: ttlMs === undefined ? Infinity : now() + ttlMs };
      }
      if (counter.value + by > max) return Promise.resolve({ ok: false, value: counter.value });
      counters.set(key, { ...counter, value: counter.value + by });
      return Promise.resolve({ ok: true, value: counter.value + by });
    },
    // deno-lint-ignore require-await
    async append(entries, beside = []) {
      checkEntries(entries, beside);
      const first = entries[0] as LogEntry;
      const log = logs.get(first.log) ?? [];
      const last = log.at(-1);
      if (first.seq !== (last === undefined ? 0 : last.seq + 1)) {
        throw new FencedError(`Cannot append entry ${first.seq} to "${first.log}": not the next`);
      }
      if (last !== undefined && first.ts < last.ts) {
        throw new RangeError(
          `Cannot append entry ${first.seq} of "${first.log}": its time goes back`,
        );
      }
      write(beside);
      for (const entry of entries) log.push({ ...entry });
      logs.set(first.log, log);
    },
    // deno-lint-ignore require-await
    async scan(query) {
      return scanEntries(logs.values(), query);
    },
    head(log) {
      return Promise.resolve(logs.get(log)?.at(-1) ?? null);
    },
    logs() {
      return Promise.resolve([...logs.keys()].sort());
    },
    trim(beforeTs, { log: only } = {}) {
      let removed = 0;
      for (const [name, entries] of logs) {
        if (only !== undefined && name !== only) continue;
        const kept = entries.filter((entry, index) =>
          entry.ts >= beforeTs || index === entries.length - 1
        );
        removed += entries.length - kept.length;
        logs.set(name, kept);
      }
      for (const [key, row] of rows) if (row.expiresAt <= now()) rows.delete(key);
      for (const [key, counter] of counters) if (counter.expiresAt <= now()) counters.delete(key);
      return Promise.resolve(removed);
    },
    check() {
      return Promise.resolve([]); // nothing is derived
    },
    notify(topic, message) {
      bus.notify(topic, message);
      return Promise.resolve();
    },
    subscribe(topic, listener) {
      const stop = bus.subscribe(topic, listener);
      return Promise.resolve(() => Promise.resolve(stop()));
    },
    fault: () => null,
    close() {
      return Promise.resolve();
    },
  };
}

function scanEntries(logs: Iterable<readonly LogEntry[]>, query: ScanQuery): ScanPage {
  const { limit = 100 } = query;
  const filter = compileQuery(query);
  const found: LogEntry[] = [];
  for (const entries of logs) {
    for (const entry of entries) {
      if (query.log !== undefined && entry.log !== query.log) break;
      if (isInBounds(filter, entry.log, entry) && matchesLabels(filter, entry)) found.push(entry);
    }
  }
  found.sort(compareNewestFirst);
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  return found.length > entries.length && last !== undefined
    ? { entries, next: formatCursor(last) }
    : { entries };
}
