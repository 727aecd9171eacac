/**
 * Logs in Deno KV.
 *
 * `["g", log]` head of a log · `["b", ordinal, firstSeq]` a block of entries ·
 * `["t", ts, ordinal, firstSeq]` blocks by time · `["i", term, ts, ordinal, firstSeq]` blocks by
 * principal, tool and execution, where `term` is a short hash: a block found by it is looked through.
 */
import { createHash } from "node:crypto";
import { checkEntries } from "./change_rules.ts";
import { type Block, BLOCK_SPAN_MAX_MS, packBlocks, unpackBlock } from "./kv_block.ts";
import { commitKv, KV_COMMIT, readKv } from "./kv_commit.ts";
import type { KvDocuments, PreparedChanges } from "./kv_documents.ts";
import { compareNewestFirst, formatCursor, parseCursor, type ScanPlace } from "./scan_cursor.ts";
import { type Change, FencedError, type LogEntry, type ScanPage, type ScanQuery } from "./store.ts";

const NOTHING = new Uint8Array(0);
/** Left free in a commit for counters that ride along and for the head. */
const MUTATIONS_RESERVED = 130;
const TRIM_BLOCKS = 50;

interface Head {
  /** A small number for the log's name, used in keys. */
  readonly ordinal: number;
  readonly next: number;
  readonly ts: number;
}

export interface KvLog {
  append(entries: readonly LogEntry[], beside?: readonly Change[]): Promise<void>;
  scan(query: ScanQuery): Promise<ScanPage>;
  head(log: string): Promise<LogEntry | null>;
  logs(): Promise<string[]>;
  trim(beforeTs: number, only?: string): Promise<number>;
}

export function createKvLog(
  deps: {
    kv: Deno.Kv;
    documents: KvDocuments;
    ride: (operation: Deno.AtomicOperation) => (committed: boolean) => void;
  },
): KvLog {
  const { kv, documents, ride } = deps;
  const names = new Map<number, string>();
  let creating: Promise<unknown> = Promise.resolve();

  async function readHead(log: string): Promise<Deno.KvEntryMaybe<Head>> {
    return await readKv(() => kv.get<Head>(["g", log]));
  }

  async function listHeads(): Promise<Deno.KvEntry<Head>[]> {
    return await readKv(() => Array.fromAsync(kv.list<Head>({ prefix: ["g"] })));
  }

  async function nameOf(ordinal: number): Promise<string> {
    const known = names.get(ordinal);
    if (known !== undefined) return known;
    for (const { key, value } of await listHeads()) names.set(value.ordinal, key[1] as string);
    return names.get(ordinal) ?? "";
  }

  async function nextOrdinal(): Promise<number> {
    const heads = await listHeads();
    return heads.reduce((next, { value }) => Math.max(next, value.ordinal + 1), 0);
  }

  /** One commit: all of `blocks`, and with the last one what goes beside. */
  async function commitBlocks(
    head: Deno.KvEntryMaybe<Head>,
    ordinal: number,
    blocks: readonly Block[],
    prepared: PreparedChanges | null,
  ): Promise<Deno.KvEntryMaybe<Head>> {
    const log = head.key[1] as string;
    const last = blocks.at(-1)?.entries.at(-1) as LogEntry;
    const value: Head = { ordinal, next: last.seq + 1, ts: last.ts };
    const operation = kv.atomic().check(head).set(head.key, value);
    for (const block of blocks) {
      operation.set(["b", ordinal, block.firstSeq], block.bytes);
      for (const key of blockIndexKeys(ordinal, block)) operation.set(key, NOTHING);
    }
    prepared?.apply(operation);
    const settle = ride(operation);
    const result = await commitKv(operation).catch((error) => {
      settle(false);
      throw error;
    });
    settle(result.ok);
    if (!result.ok) throw new FencedError(`Cannot append to "${log}": another writer owns it`);
    return { key: head.key, value, versionstamp: result.versionstamp };
  }

  async function append(entries: readonly LogEntry[], beside: readonly Change[] = []) {
    checkEntries(entries, beside);
    const first = entries[0] as LogEntry;
    let head = await readHead(first.log);
    if ((head.value?.next ?? 0) !== first.seq) {
      throw new FencedError(`Cannot append entry ${first.seq} to "${first.log}": not the next`);
    }
    if (head.value !== null && first.ts < head.value.ts) {
      throw new RangeError(
        `Cannot append entry ${first.seq} of "${first.log}": its time goes back`,
      );
    }
    const ordinal = head.value?.ordinal ?? await nextOrdinal();
    const prepared = beside.length === 0 ? null : await documents.prepare(beside);
    const groups = groupByCommit(packBlocks(entries), prepared);
    for (const [index, blocks] of groups.entries()) {
      const riding = index === groups.length - 1 ? prepared : null;
      head = await commitBlocks(head, ordinal, blocks, riding);
    }
    names.set(ordinal, first.log);
    await prepared?.committed();
  }

  async function loadBlocks(keys: readonly BlockKey[]): Promise<(Uint8Array | null)[]> {
    const found: (Uint8Array | null)[] = [];
    for (let start = 0; start < keys.length; start += 10) {
      const batch = keys.slice(start, start + 10).map((key) => ["b", key.ordinal, key.firstSeq]);
      for (const row of await kv.getMany<Uint8Array[]>(batch)) {
        found.push(row.value as Uint8Array | null);
      }
    }
    return found;
  }

  /** Blocks that may hold what is asked for, newest first. */
  async function* findBlocks(query: ScanQuery, place: ScanPlace | null, batchSize: number) {
    const to = Math.min(query.to ?? Infinity, place === null ? Infinity : place.ts + 1);
    const start = query.from ?? 0;
    const end = to === Infinity ? Infinity : to + BLOCK_SPAN_MAX_MS + 1;
    const options = { reverse: true, batchSize };
    if (query.log !== undefined) {
      const head = await readHead(query.log);
      if (head.value === null) return;
      const { ordinal } = head.value;
      if (query.from === undefined && query.to === undefined) {
        const before = Math.min(query.beforeSeq ?? Infinity, place?.seq ?? Infinity);
        const selector = { start: ["b", ordinal, 0], end: ["b", ordinal, before] };
        for await (const { key, value } of kv.list<Uint8Array>(selector, options)) {
          yield { ts: Infinity, ordinal, firstSeq: key[2] as number, bytes: value };
        }
        return;
      }
      const selector = { start: ["t", start], end: ["t", end] };
      for await (const { key } of kv.list(selector, options)) {
        const [, ts, of, firstSeq] = key as [string, number, number, number];
        if (of === ordinal) yield { ts, ordinal, firstSeq, bytes: null };
      }
      return;
    }
    const term = termOf(query);
    const prefix = term === null ? ["t"] : ["i", term];
    const selector = { start: [...prefix, start], end: [...prefix, end] };
    for await (const { key } of kv.list(selector, options)) {
      const [ts, ordinal, firstSeq] = key.slice(prefix.length) as [number, number, number];
      yield { ts, ordinal, firstSeq, bytes: null };
    }
  }

  /** The same blocks with their contents, read ten at a time. */
  async function* readBlocks(query: ScanQuery, place: ScanPlace | null, batchSize: number) {
    let waiting: BlockKey[] = [];
    for await (const { bytes, ...key } of findBlocks(query, place, batchSize)) {
      if (bytes !== null) {
        yield { key, bytes };
        continue;
      }
      waiting.push(key);
      if (waiting.length < 10) continue;
      const loaded = await loadBlocks(waiting);
      for (const [index, key] of waiting.entries()) yield { key, bytes: loaded[index] ?? null };
      waiting = [];
    }
    const loaded = await loadBlocks(waiting);
    for (const [index, key] of waiting.entries()) yield { key, bytes: loaded[index] ?? null };
  }

  async function scan(query: ScanQuery): Promise<ScanPage> {
    const { limit = 100 } = query;
    const place = query.after === undefined ? null : parseCursor(query.after);
    const batchSize = Math.min(500, Math.max(10, limit));
    const wanted = (entry: LogEntry) => isWanted(entry, query, place);
    const done: LogEntry[] = [];
    // Blocks of several logs overlap in time: an entry is in its place once no later block can be newer.
    const open: LogEntry[] = [];
    for await (const { key, bytes } of readBlocks(query, place, batchSize)) {
      if (open.length > 0 && query.log === undefined) {
        open.sort(compareNewestFirst);
        const settled = open.findIndex((entry) => entry.ts <= key.ts);
        done.push(...open.splice(0, settled === -1 ? open.length : settled));
      }
      if (done.length > limit) break;
      if (bytes === null) continue;
      const found = unpackBlock(await nameOf(key.ordinal), bytes).filter(wanted).reverse();
      if (query.log === undefined) open.push(...found);
      else done.push(...found);
    }
    done.push(...open.sort(compareNewestFirst));
    const entries = done.slice(0, limit);
    const last = entries.at(-1);
    return done.length > entries.length && last !== undefined
      ? { entries, next: formatCursor(last) }
      : { entries };
  }

  async function head(log: string): Promise<LogEntry | null> {
    const { entries } = await readKv(() => scan({ log, limit: 1 }));
    return entries[0] ?? null;
  }

  async function trimBlock(key: BlockKey, beforeTs: number): Promise<number> {
    const row = await readKv(() => kv.get<Uint8Array>(["b", key.ordinal, key.firstSeq]));
    const log = await nameOf(key.ordinal);
    const head = await readHead(log);
    const entries = row.value === null ? [] : unpackBlock(log, row.value);
    const lastSeq = (head.value?.next ?? 0) - 1;
    const kept = entries.filter((entry) => entry.ts >= beforeTs || entry.seq === lastSeq);
    if (kept.length > 0 && kept.length === entries.length) return 0;
    const operation = kv.atomic().delete(["t", key.ts, key.ordinal, key.firstSeq]).delete(row.key);
    const whole = { firstSeq: key.firstSeq, ts: key.ts, entries, bytes: NOTHING };
    for (const index of blockIndexKeys(key.ordinal, whole)) operation.delete(index);
    if (kept.length > 0) {
      for (const block of packBlocks(kept)) {
        operation.set(["b", key.ordinal, block.firstSeq], block.bytes);
        for (const index of blockIndexKeys(key.ordinal, block)) operation.set(index, NOTHING);
      }
    }
    await commitKv(operation);
    return entries.length - kept.length;
  }

  async function trim(beforeTs: number, only?: string): Promise<number> {
    const onlyOrdinal = only === undefined ? null : (await readHead(only)).value?.ordinal ?? -1;
    let removed = 0;
    let start: Deno.KvKey = ["t"];
    for (;;) {
      const batch: Deno.KvEntry<Uint8Array>[] = [];
      // A block is filed under its newest entry: one that reaches past the bound may hold older ones.
      const selector = { start, end: ["t", beforeTs + BLOCK_SPAN_MAX_MS + 1] };
      await readKv(async () => {
        for await (const entry of kv.list<Uint8Array>(selector, { limit: TRIM_BLOCKS })) {
          batch.push(entry);
        }
      });
      for (const { key } of batch) {
        const [, ts, ordinal, firstSeq] = key as [string, number, number, number];
        if (onlyOrdinal !== null && ordinal !== onlyOrdinal) continue;
        removed += await trimBlock({ ts, ordinal, firstSeq }, beforeTs);
      }
      const last = batch.at(-1);
      if (last === undefined || batch.length < TRIM_BLOCKS) return removed;
      start = [...last.key, 0];
    }
  }

  return {
    append(entries, beside) {
      // A first append chooses the log's ordinal; two at once would choose the same.
      const first = entries[0];
      if (first === undefined || first.seq > 0) return append(entries, beside);
      const result = creating.then(() => append(entries, beside));
      creating = result.catch(() => {});
      return result;
    },
    scan: (query) => readKv(() => scan(query)),
    head,
    async logs() {
      return (await listHeads()).map(({ key }) => key[1] as string);
    },
    trim,
  };
}

interface BlockKey {
  readonly ts: number;
  readonly ordinal: number;
  readonly firstSeq: number;
}

function isWanted(entry: LogEntry, query: ScanQuery, place: ScanPlace | null): boolean {
  return entry.ts >= (query.from ?? 0) && entry.ts < (query.to ?? Infinity) &&
    (query.beforeSeq === undefined || entry.seq < query.beforeSeq) &&
    (query.log === undefined || entry.log === query.log) &&
    (query.principal === undefined || entry.principal === query.principal) &&
    (query.tool === undefined || entry.tool === query.tool) &&
    (query.execution === undefined || entry.execution === query.execution) &&
    (place === null || compareNewestFirst(place, entry) < 0);
}

function termOf(query: ScanQuery): Uint8Array | null {
  if (query.execution !== undefined) return term("execution", query.execution);
  if (query.principal !== undefined) return term("principal", query.principal);
  if (query.tool !== undefined) return term("tool", query.tool);
  return null;
}

function term(field: string, value: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(`${field}\0${value}`).digest().subarray(0, 8));
}

/** Every index row of a block. */
function blockIndexKeys(ordinal: number, block: Block): Deno.KvKey[] {
  const place = [block.ts, ordinal, block.firstSeq];
  const keys: Deno.KvKey[] = [["t", ...place]];
  for (const field of ["principal", "tool", "execution"] as const) {
    for (const value of new Set(block.entries.map((entry) => entry[field]))) {
      if (value !== "") keys.push(["i", term(field, value), ...place]);
    }
  }
  return keys;
}

/** Divides blocks into commits within the engine's bounds; what goes beside is in the last one. */
function groupByCommit(blocks: readonly Block[], prepared: PreparedChanges | null): Block[][] {
  const mutationsMax = KV_COMMIT.mutationsMax - MUTATIONS_RESERVED - (prepared?.mutations ?? 0);
  const bytesMax = KV_COMMIT.bytesMax - (prepared?.bytes ?? 0);
  const groups: Block[][] = [];
  let group: Block[] = [];
  let mutations = 0;
  let bytes = 0;
  for (const block of blocks.flatMap((block) => splitByMutations(block, mutationsMax))) {
    const needed = 1 + blockIndexKeys(0, block).length;
    const size = block.bytes.length + needed * 60;
    if (group.length > 0 && (mutations + needed > mutationsMax || bytes + size > bytesMax)) {
      groups.push(group);
      group = [];
      mutations = 0;
      bytes = 0;
    }
    group.push(block);
    mutations += needed;
    bytes += size;
  }
  groups.push(group);
  return groups;
}

function splitByMutations(block: Block, mutationsMax: number): Block[] {
  if (block.entries.length < 2 || 1 + blockIndexKeys(0, block).length <= mutationsMax) {
    return [block];
  }
  const middle = block.entries.length >> 1;
  return [block.entries.slice(0, middle), block.entries.slice(middle)]
    .flatMap(packBlocks)
    .flatMap((half) => splitByMutations(half, mutationsMax));
}
