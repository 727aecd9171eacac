import type { LogEntry, Store } from "../store/store.ts";

const PAGE_ENTRIES = 500;

/**
 * The entries `from` … `to - 1` of a log, oldest first, in pages.
 *
 * Entries that are not there are left out, so that a gap shows as one.
 */
export async function* readAscending(
  store: Pick<Store, "scan">,
  log: string,
  from: number,
  to: number,
): AsyncGenerator<LogEntry[]> {
  for (let start = from; start < to; start += PAGE_ENTRIES) {
    const end = Math.min(to, start + PAGE_ENTRIES);
    const { entries } = await store.scan({ log, beforeSeq: end, limit: end - start });
    const page = entries.filter((entry) => entry.seq >= start).reverse();
    if (page.length > 0) yield page;
  }
}
