import { compileQuery, isInBounds, matchesLabels } from "../entry_filter.ts";
import { compareNewestFirst, formatCursor } from "../scan_cursor.ts";
import { FencedError, type LogEntry, type ScanPage, type ScanQuery, type Store } from "../store.ts";

export interface MemoryLogs extends Pick<Store, "scan" | "head" | "logs"> {
  /**
   * Appends checked entries, after `beside` has written the documents beside them.
   *
   * @throws {FencedError} when the first entry's number is not the next one.
   */
  append(entries: readonly LogEntry[], beside: () => void): void;
  /** @returns the number of removed entries. */
  trim(beforeTs: number, only: string | undefined): number;
}

/** Logs that end with the process. */
export function createMemoryLogs(): MemoryLogs {
  const logs = new Map<string, LogEntry[]>();
  return {
    append(entries, beside) {
      const first = entries[0] as LogEntry;
      const log = logs.get(first.log) ?? [];
      checkNext(first, log.at(-1));
      beside();
      for (const entry of entries) log.push({ ...entry });
      logs.set(first.log, log);
    },
    // deno-lint-ignore require-await -- a refusal is a rejection, as in the other backends
    async scan(query) {
      return scanEntries(logs.values(), query);
    },
    head(log) {
      return Promise.resolve(logs.get(log)?.at(-1) ?? null);
    },
    logs() {
      return Promise.resolve([...logs.keys()].sort());
    },
    trim(beforeTs, only) {
      let removed = 0;
      for (const [name, entries] of logs) {
        if (only !== undefined && name !== only) continue;
        const last = entries.length - 1;
        const kept = entries.filter((entry, index) => entry.ts >= beforeTs || index === last);
        removed += entries.length - kept.length;
        logs.set(name, kept);
      }
      return removed;
    },
  };
}

function checkNext(first: LogEntry, last: LogEntry | undefined): void {
  if (first.seq !== (last === undefined ? 0 : last.seq + 1)) {
    throw new FencedError(`Cannot append entry ${first.seq} to "${first.log}": not the next`);
  }
  if (last !== undefined && first.ts < last.ts) {
    throw new RangeError(
      `Cannot append entry ${first.seq} of "${first.log}": its time goes back`,
    );
  }
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
