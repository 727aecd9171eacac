import type { LogEntry, Store } from "../../store/store.ts";

const PAGE_ENTRIES = 4_000;
/** Damage is located to a range of this many entries. */
const DAMAGE_ENTRIES = 8;

/** The entries `from` … `to - 1` of a log. */
export interface LogRange {
  readonly log: string;
  readonly from: number;
  readonly to: number;
}

/** Called with the numbers of the first and the last entry that cannot be read. */
export type OnDamage = (first: number, last: number, error: unknown) => void;

/** Like `readAscending`, but skips entries that the store cannot read. */
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
 * Missing entries are left out, so that the caller sees a gap in the numbers.
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

/** The number of the first stored entry between `from` and `to`: retention leaves a gap. */
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

/** The first stored entry at or after `from` and below `to`; null if there is none. */
export async function firstEntry(
  store: Pick<Store, "scan">,
  log: string,
  from: number,
  to: number,
): Promise<LogEntry | null> {
  /** The newest entry below a number, or null if that entry is before `from`. */
  const newestBelow = async (before: number) => {
    const [entry] = (await store.scan({ log, beforeSeq: before, limit: 1 })).entries;
    return entry !== undefined && entry.seq >= from ? entry : null;
  };
  if (from >= to) return null;
  let found = await newestBelow(from + 1);
  if (found !== null) return found;
  found = await newestBelow(to);
  // Stored entries are consecutive: retention leaves a gap only before the first one.
  for (let low = from + 1; found !== null && low < found.seq;) {
    const middle = low + ((found.seq - low) >> 1);
    const earlier = await newestBelow(middle + 1);
    if (earlier === null) low = middle + 1;
    else found = earlier;
  }
  return found;
}
