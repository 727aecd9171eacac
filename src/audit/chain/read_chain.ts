import type { LogEntry, Store } from "../../store/store.ts";

const PAGE_ENTRIES = 4_000;
/** How closely damage is located. */
const DAMAGE_ENTRIES = 8;

/** The entries `from` … `to - 1` of a log. */
export interface LogRange {
  readonly log: string;
  readonly from: number;
  readonly to: number;
}

/** Told the numbers of the first and the last entry that cannot be read. */
export type OnDamage = (first: number, last: number, error: unknown) => void;

/** What `readAscending` reads, going on behind entries that the store cannot read. */
export async function* readTolerant(
  store: Pick<Store, "scan">,
  { log, from, to }: LogRange,
  onDamage: OnDamage,
): AsyncGenerator<LogEntry[]> {
  for (let start = from; start < to; start += PAGE_ENTRIES) {
    const end = Math.min(to, start + PAGE_ENTRIES);
    yield* readHalves(store, { log, from: start, to: end }, onDamage);
  }
}

async function* readHalves(
  store: Pick<Store, "scan">,
  { log, from, to }: LogRange,
  onDamage: OnDamage,
): AsyncGenerator<LogEntry[]> {
  let page: LogEntry[];
  try {
    page = (await Array.fromAsync(readAscending(store, log, from, to))).flat();
  } catch (error) {
    if (to - from <= DAMAGE_ENTRIES) return onDamage(from, to - 1, error);
    const middle = from + ((to - from) >> 1);
    yield* readHalves(store, { log, from, to: middle }, onDamage);
    yield* readHalves(store, { log, from: middle, to }, onDamage);
    return;
  }
  if (page.length > 0) yield page;
}

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
  const first = await firstStored(store, log, from, to);
  for (let start = first; start < to; start += PAGE_ENTRIES) {
    const end = Math.min(to, start + PAGE_ENTRIES);
    const { entries } = await store.scan({ log, beforeSeq: end, limit: end - start });
    const page = entries.filter((entry) => entry.seq >= start).reverse();
    if (page.length > 0) yield page;
  }
}

/** The number of the first entry that is there, between `from` and `to`: retention leaves a gap. */
async function firstStored(
  store: Pick<Store, "scan">,
  log: string,
  from: number,
  to: number,
): Promise<number> {
  const isThere = async (before: number) => {
    const { entries } = await store.scan({ log, beforeSeq: before, limit: 1 });
    return entries[0] !== undefined && entries[0].seq >= from;
  };
  if (to - from <= PAGE_ENTRIES || await isThere(from + PAGE_ENTRIES)) return from;
  let low = from + PAGE_ENTRIES;
  let high = to;
  while (high - low > PAGE_ENTRIES) {
    const middle = low + ((high - low) >> 1);
    if (await isThere(middle)) high = middle;
    else low = middle;
  }
  return low;
}

/** The first entry from `from` on that is there, below `to`; null if there is none. */
export async function firstEntry(
  store: Pick<Store, "scan">,
  log: string,
  from: number,
  to: number,
): Promise<LogEntry | null> {
  /** The newest entry below a number, if it is not before `from`. */
  const newestBelow = async (before: number) => {
    const [entry] = (await store.scan({ log, beforeSeq: before, limit: 1 })).entries;
    return entry !== undefined && entry.seq >= from ? entry : null;
  };
  if (from >= to) return null;
  let found = await newestBelow(from + 1);
  if (found !== null) return found;
  found = await newestBelow(to);
  // Entries are consecutive from the first that is there: retention leaves a gap before it.
  for (let low = from + 1; found !== null && low < found.seq;) {
    const middle = low + ((found.seq - low) >> 1);
    const earlier = await newestBelow(middle + 1);
    if (earlier === null) low = middle + 1;
    else found = earlier;
  }
  return found;
}
