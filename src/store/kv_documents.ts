/**
 * Documents in Deno KV.
 *
 * A row is the JSON text `[expiresAt, value]` as bytes; a value above the engine's 64 KiB is
 * `[expiresAt, null, chunkId, chunkCount]` with its text under `["c", chunkId, i]`. Chunks have a
 * fresh id and are complete before the row names them, so a reader never sees half a value.
 * Expiry is our own: `["e", expiresAt, kind, key]` says what `trim` has to look at.
 */
import type { Json } from "../model/json/json.ts";
import { checkChanges, checkKey, checkValueBytes } from "./change_rules.ts";
import { commitKv, KV_COMMIT, readKv } from "./kv_commit.ts";
import type { Change, StoredEntry } from "./store.ts";

const CONFLICT_RETRIES_MAX = 1_000;
const CHUNKS_PER_COMMIT = 10;
/** Expired rows that one commit removes. */
const TRIM_ROWS = 90;
const ORPHAN_CHUNKS_KEPT_MS = 3_600_000;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Row {
  /** 0: never */
  readonly expiresAt: number;
  readonly value: Json;
  readonly chunks: { readonly id: string; readonly count: number } | null;
}

export interface KvDocuments {
  get(key: string): Promise<StoredEntry | null>;
  list(prefix: string, options?: { after?: string; limit?: number }): Promise<StoredEntry[]>;
  put(changes: readonly Change[]): Promise<string | null>;
  /**
   * Prepares unconditional changes to ride in somebody else's commit.
   *
   * `mutations` and `bytes` are upper bounds of what `apply` adds.
   */
  prepare(changes: readonly Change[]): Promise<PreparedChanges>;
  trimExpired(): Promise<void>;
}

export interface PreparedChanges {
  readonly mutations: number;
  readonly bytes: number;
  apply(operation: Deno.AtomicOperation): void;
  /** Removes the chunks that the commit replaced. */
  committed(): Promise<void>;
}

export function createKvDocuments(
  deps: {
    kv: Deno.Kv;
    now: () => number;
    /** Lets waiting counters ride along; returns what to call once the commit stands. */
    ride: (operation: Deno.AtomicOperation) => (committed: boolean) => void;
  },
): KvDocuments {
  const { kv, now, ride } = deps;

  async function load(entry: Deno.KvEntryMaybe<Uint8Array>): Promise<StoredEntry | null> {
    if (entry.value === null || entry.versionstamp === null) return null;
    const row = decodeRow(entry.value);
    if (isExpired(row, now())) return null;
    const key = entry.key[1] as string;
    if (row.chunks === null) return { key, value: row.value, revision: entry.versionstamp };
    const text = await loadChunks(row.chunks);
    // The row was overwritten while its chunks were read: the new one is the answer.
    if (text === null) return await readDocument(key);
    return { key, value: JSON.parse(text), revision: entry.versionstamp };
  }

  async function loadChunks(chunks: { id: string; count: number }): Promise<string | null> {
    const keys = Array.from({ length: chunks.count }, (_, index) => ["c", chunks.id, index]);
    const parts: Uint8Array[] = [];
    for (let start = 0; start < keys.length; start += 10) {
      const batch = await kv.getMany<Uint8Array[]>(keys.slice(start, start + 10));
      for (const { value } of batch) {
        if (value === null) return null;
        parts.push(value as Uint8Array);
      }
    }
    const streaming = new TextDecoder();
    return parts.map((part) => streaming.decode(part, { stream: true })).join("") +
      streaming.decode();
  }

  async function readDocument(key: string): Promise<StoredEntry | null> {
    return await load(await kv.get<Uint8Array>(["d", key]));
  }

  async function readRows(keys: readonly string[]): Promise<Deno.KvEntryMaybe<Uint8Array>[]> {
    return await readKeys(keys.map((key) => ["d", key]));
  }

  async function readKeys(keys: readonly Deno.KvKey[]): Promise<Deno.KvEntryMaybe<Uint8Array>[]> {
    const rows: Deno.KvEntryMaybe<Uint8Array>[] = [];
    for (let start = 0; start < keys.length; start += 10) {
      const batch = keys.slice(start, start + 10);
      rows.push(...await kv.getMany<Uint8Array[]>(batch) as Deno.KvEntryMaybe<Uint8Array>[]);
    }
    return rows;
  }

  async function removeChunks(ids: readonly { id: string; count: number }[]): Promise<void> {
    for (const { id, count } of ids) {
      for (let start = 0; start < count; start += 500) {
        const operation = kv.atomic();
        for (let index = start; index < Math.min(count, start + 500); index++) {
          operation.delete(["c", id, index]);
        }
        await commitKv(operation);
      }
    }
  }

  /** Texts of the changes; those that do not fit into one commit have their chunks written already. */
  async function encodeChanges(changes: readonly Change[]): Promise<EncodedChange[]> {
    const encoded = changes.map((change) => encodeChange(change, now()));
    let room = KV_COMMIT.bytesMax / 2;
    for (const change of encoded) {
      room -= change.bytes;
      if (change.chunks === null || room >= 0) continue;
      await writeChunks(change.chunks);
      change.chunks = { ...change.chunks, written: true };
    }
    return encoded;
  }

  async function writeChunks(chunks: Chunks): Promise<void> {
    for (let start = 0; start < chunks.parts.length; start += CHUNKS_PER_COMMIT) {
      const operation = kv.atomic();
      // If the process ends before the row names them, `trim` finds them by this.
      if (start === 0) operation.set(orphanKey(chunks, chunks.guardedUntil), NOTHING);
      for (const [offset, part] of chunks.parts.slice(start, start + CHUNKS_PER_COMMIT).entries()) {
        operation.set(["c", chunks.id, start + offset], part);
      }
      await commitKv(operation);
    }
  }

  function applyChange(
    operation: Deno.AtomicOperation,
    change: EncodedChange,
    current: Row | null,
  ): void {
    const key = ["d", change.key];
    if (current !== null && current.expiresAt > 0) {
      operation.delete(["e", current.expiresAt, "d", change.key]);
    }
    // Until the replaced chunks are gone, `trim` knows of them.
    if (current?.chunks) operation.set(orphanKey(current.chunks, 1), NOTHING);
    if (change.row === null) {
      operation.delete(key);
      return;
    }
    operation.set(key, change.row);
    if (change.expiresAt > 0) operation.set(["e", change.expiresAt, "d", change.key], NOTHING);
    if (change.chunks === null) return;
    if (change.chunks.written) {
      operation.delete(orphanKey(change.chunks, change.chunks.guardedUntil));
    } else {
      for (const [index, part] of change.chunks.parts.entries()) {
        operation.set(["c", change.chunks.id, index], part);
      }
    }
  }

  async function collectReplaced(currents: readonly (Row | null)[]): Promise<void> {
    const replaced = currents.flatMap((row) => row?.chunks ? [row.chunks] : []);
    if (replaced.length === 0) return;
    await removeChunks(replaced);
    const operation = kv.atomic();
    for (const chunks of replaced) operation.delete(orphanKey(chunks, 1));
    await commitKv(operation);
  }

  async function put(changes: readonly Change[]): Promise<string | null> {
    checkChanges(changes);
    let encoded: EncodedChange[] | null = null;
    for (let attempt = 0; attempt < CONFLICT_RETRIES_MAX; attempt++) {
      const rows = await readKv(() => readRows(changes.map((change) => change.key)));
      const currents = rows.map((row) => row.value === null ? null : decodeRow(row.value));
      if (!meetsExpectations(changes, rows, currents, now())) {
        await removeWritten(encoded ?? []);
        return null;
      }
      encoded ??= await encodeChanges(changes);
      const operation = kv.atomic();
      for (const [index, change] of encoded.entries()) {
        operation.check({
          key: ["d", change.key],
          versionstamp: rows[index]?.versionstamp ?? null,
        });
        applyChange(operation, change, currents[index] ?? null);
      }
      const settle = ride(operation);
      const result = await commitKv(operation).catch((error) => {
        settle(false);
        throw error;
      });
      settle(result.ok);
      if (!result.ok) continue;
      await collectReplaced(currents);
      return result.versionstamp;
    }
    throw new Error("Cannot write the store: other writers change the same keys without a pause");
  }

  async function removeWritten(encoded: readonly EncodedChange[]): Promise<void> {
    const written = encoded.flatMap((change) => change.chunks?.written ? [change.chunks] : []);
    await removeChunks(written.map((chunks) => ({ id: chunks.id, count: chunks.parts.length })));
    for (const chunks of written) await kv.delete(orphanKey(chunks, chunks.guardedUntil));
  }

  async function trimBatch(): Promise<boolean> {
    const due: Deno.KvEntry<Uint8Array>[] = [];
    const selector = { start: ["e"], end: ["e", now() + 1] };
    const options = { limit: TRIM_ROWS };
    for await (const entry of kv.list<Uint8Array>(selector, options)) due.push(entry);
    const orphans = due.filter(({ key }) => key[2] === "c");
    await removeChunks(
      orphans.map(({ key }) => JSON.parse(key[3] as string) as [string, number])
        .map(([id, count]) => ({ id, count })),
    );
    const named = due.filter(({ key }) => key[2] !== "c");
    const rows = await readKeys(named.map(({ key }) => [key[2] as string, key[3] as string]));
    const operation = kv.atomic();
    for (const { key } of due) operation.delete(key);
    for (const [index, row] of rows.entries()) {
      const current = row.value === null ? null : decodeRow(row.value);
      if (current === null || current.expiresAt !== named[index]?.key[1]) continue;
      if (current.chunks) await removeChunks([current.chunks]);
      operation.check(row).delete(row.key);
    }
    // A row that was written meanwhile fails the commit: the next round looks again.
    await commitKv(operation);
    return due.length === TRIM_ROWS;
  }

  return {
    async get(key) {
      checkKey(key);
      return await readKv(() => readDocument(key));
    },
    async list(prefix, { after, limit = 1_000 } = {}) {
      const start = after !== undefined && after >= prefix ? `${after}\0` : prefix;
      const selector = { start: ["d", start], end: ["d", `${prefix}\u{10ffff}`] };
      const found: StoredEntry[] = [];
      return await readKv(async () => {
        if (limit <= 0) return found;
        const options = { batchSize: Math.min(500, Math.max(1, limit)) };
        for await (const entry of kv.list<Uint8Array>(selector, options)) {
          const document = await load(entry);
          if (document !== null) found.push(document);
          if (found.length >= limit) break;
        }
        return found;
      });
    },
    put,
    async prepare(changes) {
      const rows = await readKv(() => readRows(changes.map((change) => change.key)));
      const currents = rows.map((row) => row.value === null ? null : decodeRow(row.value));
      const encoded = await encodeChanges(changes);
      return {
        mutations: encoded.reduce(
          (sum, change) =>
            sum + 5 + (change.chunks?.written ? 0 : change.chunks?.parts.length ?? 0),
          0,
        ),
        bytes: encoded.reduce(
          (sum, change) => sum + (change.chunks?.written ? 200 : change.bytes + 200),
          0,
        ),
        apply(operation) {
          for (const [index, change] of encoded.entries()) {
            applyChange(operation, change, currents[index] ?? null);
          }
        },
        committed: () => collectReplaced(currents),
      };
    },
    async trimExpired() {
      while (await readKv(trimBatch));
    },
  };
}

interface Chunks {
  readonly id: string;
  readonly count: number;
  readonly parts: readonly Uint8Array[];
  readonly guardedUntil: number;
  readonly written: boolean;
}

interface EncodedChange {
  readonly key: string;
  readonly expiresAt: number;
  /** null deletes */
  readonly row: Uint8Array | null;
  readonly bytes: number;
  chunks: Chunks | null;
}

function encodeChange(change: Change, now: number): EncodedChange {
  const { key, value, ttlMs } = change;
  if (value === null) return { key, expiresAt: 0, row: null, bytes: 0, chunks: null };
  const expiresAt = ttlMs === undefined ? 0 : Math.ceil(now + ttlMs);
  const text = JSON.stringify(value);
  const row = encoder.encode(`[${expiresAt},${text}]`);
  checkValueBytes(key, row.length);
  if (row.length <= KV_COMMIT.valueBytesMax) {
    return { key, expiresAt, row, bytes: row.length, chunks: null };
  }
  const bytes = encoder.encode(text);
  const parts: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += KV_COMMIT.valueBytesMax) {
    parts.push(bytes.slice(start, start + KV_COMMIT.valueBytesMax));
  }
  const id = crypto.randomUUID();
  const guardedUntil = now + ORPHAN_CHUNKS_KEPT_MS;
  return {
    key,
    expiresAt,
    row: encoder.encode(JSON.stringify([expiresAt, null, id, parts.length])),
    bytes: bytes.length,
    chunks: { id, count: parts.length, parts, guardedUntil, written: false },
  };
}

function decodeRow(bytes: Uint8Array): Row {
  const [expiresAt, value, id, count] = JSON.parse(decoder.decode(bytes)) as [
    number,
    Json,
    string?,
    number?,
  ];
  const chunks = id === undefined || count === undefined ? null : { id, count };
  return { expiresAt, value, chunks };
}

function isExpired(row: Row, now: number): boolean {
  return row.expiresAt > 0 && row.expiresAt <= now;
}

function orphanKey(chunks: { id: string; count: number }, at: number): Deno.KvKey {
  return ["e", at, "c", JSON.stringify([chunks.id, chunks.count])];
}

function meetsExpectations(
  changes: readonly Change[],
  rows: readonly Deno.KvEntryMaybe<Uint8Array>[],
  currents: readonly (Row | null)[],
  now: number,
): boolean {
  return changes.every(({ expect }, index) => {
    if (expect === undefined) return true;
    const current = currents[index] ?? null;
    const revision = current === null || isExpired(current, now)
      ? null
      : rows[index]?.versionstamp ?? null;
    return revision === expect;
  });
}
