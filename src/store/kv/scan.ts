import { unpackBlock } from "./block.ts";
import { readKv } from "./commit.ts";
import { decodeColumns, matchColumns, mayMatch } from "./columns.ts";
import {
  compileQuery,
  type EntryFilter,
  hasLabels,
  isInBounds,
  matchesLabels,
} from "../entry_filter.ts";
import { blockAt, type LogHead, type LogState, type Run } from "./log_state.ts";
import { compareNewestFirst, formatCursor } from "../scan_cursor.ts";
import type { LogEntry, ScanPage, ScanQuery } from "../store.ts";

/** Parallel reads. */
const READS_MAX = 10;

/** One page over several logs, newest first. */
export async function scanLogs(
  kv: Deno.Kv,
  logs: readonly { readonly state: LogState; readonly next: number }[],
  query: ScanQuery,
): Promise<ScanPage> {
  const { limit = 100 } = query;
  const filter = compileQuery(query);
  const sources = logs.map(({ state, next }) => {
    const bounded = { ...filter, beforeSeq: Math.min(filter.beforeSeq, next) };
    return hasLabels(filter)
      ? findEntries(kv, state, bounded, limit + 1)
      : walkEntries(kv, state, bounded, limit + 1);
  });
  return await readKv(async () => {
    const entries: LogEntry[] = [];
    for await (const entry of mergeNewestFirst(sources)) {
      if (entries.length === limit) {
        const last = entries.at(-1);
        return last === undefined ? { entries } : { entries, next: formatCursor(last) };
      }
      entries.push(entry);
    }
    return { entries };
  });
}

export async function lastEntry(kv: Deno.Kv, log: string, head: LogHead): Promise<LogEntry | null> {
  const block = await blockAt(kv, head.ordinal, head.next - 1);
  if (block === null) return null;
  return unpackBlock(log, block.bytes).find((entry) => entry.seq === head.next - 1) ?? null;
}

async function* mergeNewestFirst(
  sources: readonly AsyncGenerator<LogEntry>[],
): AsyncGenerator<LogEntry> {
  const open: { source: AsyncGenerator<LogEntry>; entry: LogEntry }[] = [];
  try {
    for (const source of sources) {
      const first = await source.next();
      if (!first.done) open.push({ source, entry: first.value });
    }
    while (open.length > 0) {
      open.sort((a, b) => compareNewestFirst(a.entry, b.entry));
      const newest = open[0] as { source: AsyncGenerator<LogEntry>; entry: LogEntry };
      yield newest.entry;
      const following = await newest.source.next();
      if (following.done) open.shift();
      else newest.entry = following.value;
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}

/** Every entry within the bounds, block by block. */
async function* walkEntries(
  kv: Deno.Kv,
  state: LogState,
  filter: EntryFilter,
  wanted: number,
): AsyncGenerator<LogEntry> {
  const before = await seqBound(kv, state, filter);
  const selector = { start: ["b", state.ordinal, 0], end: ["b", state.ordinal, before] };
  const options = { reverse: true, batchSize: Math.min(100, Math.max(2, wanted >> 3)) };
  for await (const { value } of kv.list<Uint8Array>(selector, options)) {
    for (const entry of unpackBlock(state.log, value).reverse()) {
      if (entry.ts < filter.from) return;
      if (isInBounds(filter, state.log, entry)) yield entry;
    }
  }
}

/** An upper bound: all wanted entries have smaller numbers. */
async function seqBound(kv: Deno.Kv, state: LogState, filter: EntryFilter): Promise<number> {
  let before = filter.beforeSeq;
  if (filter.place?.log === state.log) before = Math.min(before, filter.place.seq);
  if (filter.to === Infinity) return before;
  const later = state.tail.find((entry) => entry.ts >= filter.to);
  if (later !== undefined) before = Math.min(before, later.seq);
  const run = state.runs.find((run) => run.lastTs >= filter.to);
  if (run === undefined) return before;
  return Math.min(before, await seqAtTime(kv, state, run, filter.to));
}

/** The number of the first entry in a run at or after a time. */
export async function seqAtTime(
  kv: Deno.Kv,
  state: LogState,
  run: Run,
  time: number,
): Promise<number> {
  if (run.firstTs >= time) return run.firstSeq;
  const columns = await kv.get<Uint8Array>(["y", state.ordinal, run.firstSeq]);
  if (columns.value === null) return run.lastSeq + 1;
  const { ts, firstSeq } = decodeColumns(columns.value);
  const row = ts.findIndex((at) => at >= time);
  return row === -1 ? run.lastSeq + 1 : firstSeq + row;
}

/** Entries whose labels match, found through the tail and the columns. */
async function* findEntries(
  kv: Deno.Kv,
  state: LogState,
  filter: EntryFilter,
  wanted: number,
): AsyncGenerator<LogEntry> {
  let waiting: number[] = [];
  for await (const seqs of findNumbers(kv, state, filter)) {
    waiting.push(...seqs);
    while (waiting.length > 0) {
      const batch = waiting.splice(0, Math.min(wanted, 500));
      yield* loadEntries(kv, state, batch);
    }
    waiting = [];
  }
}

async function* findNumbers(
  kv: Deno.Kv,
  state: LogState,
  filter: EntryFilter,
): AsyncGenerator<number[]> {
  // Copies: an append during the search may cut the tail into a run.
  const tail = state.tail;
  const runs = [...state.runs];
  const found: number[] = [];
  for (let index = tail.length - 1; index >= 0; index--) {
    const entry = tail[index];
    if (entry === undefined || !isInBounds(filter, state.log, entry)) continue;
    if (matchesLabels(filter, entry)) found.push(entry.seq);
  }
  if (found.length > 0) yield found;
  const inRange = runs.filter((run) =>
    run.firstTs < filter.to && run.lastTs >= filter.from && run.firstSeq < filter.beforeSeq
  ).reverse();
  for (let start = 0; start < inRange.length; start += READS_MAX) {
    const batch = inRange.slice(start, start + READS_MAX);
    for (const run of await filterRuns(kv, state, batch, filter)) {
      const columns = await kv.get<Uint8Array>(["y", state.ordinal, run.firstSeq]);
      if (columns.value === null) continue; // trimmed in the meantime
      const seqs = matchColumns(decodeColumns(columns.value), filter, state.log);
      if (seqs.length > 0) yield seqs;
    }
  }
}

async function filterRuns(
  kv: Deno.Kv,
  state: LogState,
  runs: readonly Run[],
  filter: EntryFilter,
): Promise<Run[]> {
  if (filter.exact.length === 0) return [...runs];
  const rows = await kv.getMany<Uint8Array[]>(
    runs.map((run) => ["x", state.ordinal, run.firstSeq]),
  );
  return runs.filter((_, index) => {
    const terms = rows[index]?.value as Uint8Array | null | undefined;
    return terms !== null && terms !== undefined && mayMatch(terms, filter);
  });
}

/** @param seqs numbers, newest first */
async function* loadEntries(
  kv: Deno.Kv,
  state: LogState,
  seqs: readonly number[],
): AsyncGenerator<LogEntry> {
  let block: LogEntry[] = [];
  for (const seq of seqs) {
    const first = block[0];
    if (first === undefined || seq < first.seq || seq > (block.at(-1)?.seq ?? -1)) {
      const stored = await blockAt(kv, state.ordinal, seq);
      block = stored === null ? [] : unpackBlock(state.log, stored.bytes);
    }
    const entry = block[seq - (block[0]?.seq ?? 0)];
    if (entry?.seq === seq) yield entry;
  }
}
