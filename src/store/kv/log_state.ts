/**
 * The single writer's memory of one log: its end, the runs that have columns, and the labels of the
 * entries after those runs.
 *
 * Columns are derived: a later append writes them. After a crash the next load reads the entries
 * without columns from the blocks.
 */
import { encodeColumns, encodeTerms } from "./columns.ts";
import { unpackBlock } from "./block.ts";
import { KV_COMMIT, readKv } from "./commit.ts";
import type { EntryLabels } from "../entry_filter.ts";
import type { LogEntry } from "../store.ts";

/** Entries in a run that gets columns. */
export const RUN_ENTRIES = 4_096;

export interface LogHead {
  /** A small number for the log's name, used in keys. */
  readonly ordinal: number;
  readonly next: number;
  /** Time of the last entry. */
  readonly ts: number;
  /** The first entry that no run's columns cover. */
  readonly covered: number;
}

/** One run with columns. */
export interface Run {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTs: number;
  readonly lastTs: number;
}

export interface LogState {
  readonly log: string;
  readonly ordinal: number;
  head: LogHead;
  versionstamp: string | null;
  /** Oldest first. */
  readonly runs: Run[];
  /** Labels of the entries after the runs, oldest first. */
  tail: EntryLabels[];
}

export function newLogState(log: string, ordinal: number): LogState {
  const head = { ordinal, next: 0, ts: 0, covered: 0 };
  return { log, ordinal, head, versionstamp: null, runs: [], tail: [] };
}

export async function loadLogState(kv: Deno.Kv, log: string): Promise<LogState | null> {
  return await readKv(async () => {
    const entry = await kv.get<LogHead>(["g", log]);
    if (entry.value === null) return null;
    const { ordinal, covered } = entry.value;
    const runs: Run[] = [];
    for await (
      const { key, value } of kv.list<[number, number, number]>({ prefix: ["s", ordinal] })
    ) {
      const [lastSeq, firstTs, lastTs] = value;
      runs.push({ firstSeq: key[2] as number, lastSeq, firstTs, lastTs });
    }
    const tail: EntryLabels[] = [];
    const start = await blockAt(kv, ordinal, covered);
    const selector = { start: ["b", ordinal, start?.firstSeq ?? 0], end: ["b", ordinal, Infinity] };
    for await (const { value } of kv.list<Uint8Array>(selector)) {
      for (const entry of unpackBlock(log, value)) {
        if (entry.seq >= covered) tail.push(labels(entry));
      }
    }
    return { log, ordinal, head: entry.value, versionstamp: entry.versionstamp, runs, tail };
  });
}

/** The block that holds an entry, or the one before it. */
export async function blockAt(
  kv: Deno.Kv,
  ordinal: number,
  seq: number,
): Promise<{ firstSeq: number; bytes: Uint8Array } | null> {
  const selector = { start: ["b", ordinal, 0], end: ["b", ordinal, seq + 1] };
  for await (const { key, value } of kv.list<Uint8Array>(selector, { reverse: true, limit: 1 })) {
    return { firstSeq: key[2] as number, bytes: value };
  }
  return null;
}

export function labels(entry: LogEntry): EntryLabels {
  const { log: _log, body: _body, ...rest } = entry;
  return rest;
}

/** Rows of complete runs, which the next append writes. */
export interface CutRuns {
  readonly runs: readonly Run[];
  readonly covered: number;
  readonly bytes: number;
  readonly mutations: number;
  apply(operation: Deno.AtomicOperation): void;
}

/** @returns null while the tail has fewer than `RUN_ENTRIES` entries. */
export function cutRuns(state: LogState): CutRuns | null {
  if (state.tail.length < RUN_ENTRIES) return null;
  const packed = packRuns(state.tail.slice(0, RUN_ENTRIES));
  const runs = packed.map(({ run }) => run);
  return {
    runs,
    covered: (runs.at(-1)?.lastSeq ?? -1) + 1,
    bytes: packed.reduce((sum, { columns, terms }) => sum + columns.length + terms.length + 300, 0),
    mutations: packed.length * 3,
    apply(operation) {
      for (const { run, columns, terms } of packed) {
        const place = [state.ordinal, run.firstSeq];
        operation.set(["s", ...place], [run.lastSeq, run.firstTs, run.lastTs]);
        operation.set(["x", ...place], terms);
        operation.set(["y", ...place], columns);
      }
    },
  };
}

/** Adds the runs of a successful commit to the state. */
export function adoptRuns(state: LogState, cut: CutRuns | null): void {
  if (cut === null) return;
  state.runs.push(...cut.runs);
  state.tail = state.tail.filter((entry) => entry.seq >= cut.covered);
}

interface PackedRun {
  readonly run: Run;
  readonly columns: Uint8Array;
  readonly terms: Uint8Array;
}

function packRuns(entries: readonly EntryLabels[]): PackedRun[] {
  const columns = encodeColumns(entries);
  if (columns.length > KV_COMMIT.valueBytesMax && entries.length > 1) {
    const middle = entries.length >> 1;
    return [...packRuns(entries.slice(0, middle)), ...packRuns(entries.slice(middle))];
  }
  const first = entries[0] as EntryLabels;
  const last = entries.at(-1) as EntryLabels;
  const run = { firstSeq: first.seq, lastSeq: last.seq, firstTs: first.ts, lastTs: last.ts };
  return [{ run, columns, terms: encodeTerms(entries) }];
}
