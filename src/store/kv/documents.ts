/**
 * Documents in Deno KV: rows under `["d", key]` (`document_row.ts`), large values in chunks
 * (`chunks.ts`), and a mark for each row that expires (`expiry.ts`).
 */
import { checkChanges, checkKey } from "../change_rules.ts";
import { loadChunks, markOrphan, removeOrphans, unmarkOrphan, writeChunks } from "./chunks.ts";
import { commitKv, KV_COMMIT, readKv } from "./commit.ts";
import {
  decodeRow,
  type DocumentRow,
  encodeChange,
  type EncodedChange,
  isExpired,
} from "./document_row.ts";
import { trimExpired } from "./expiry.ts";
import { readMany } from "./read_many.ts";
import type { Change, StoredEntry } from "../store.ts";

const CONFLICT_RETRIES_MAX = 1_000;
const ORPHAN_CHUNKS_KEPT_MS = 3_600_000;
/** The mark's time for replaced chunks: `trim` may remove them at once. */
const REPLACED_AT = 1;
const NOTHING = new Uint8Array(0);

export interface KvDocuments {
  get(key: string): Promise<StoredEntry | null>;
  list(prefix: string, options?: { after?: string; limit?: number }): Promise<StoredEntry[]>;
  put(changes: readonly Change[]): Promise<string | null>;
  /**
   * Prepares unconditional changes for a commit that the caller makes.
   *
   * `mutations` and `bytes` are upper bounds for the additions of `apply`.
   */
  prepare(changes: readonly Change[]): Promise<PreparedChanges>;
  trimExpired(): Promise<void>;
}

export interface PreparedChanges {
  readonly mutations: number;
  readonly bytes: number;
  apply(operation: Deno.AtomicOperation): void;
  /** Call after the commit: removes the replaced chunks. */
  committed(): Promise<void>;
}

export interface KvDocumentsDeps {
  readonly kv: Deno.Kv;
  readonly now: () => number;
  /** Adds waiting counters to a commit; call the result with the outcome of the commit. */
  readonly ride: (operation: Deno.AtomicOperation) => (committed: boolean) => void;
}

export function createKvDocuments(deps: KvDocumentsDeps): KvDocuments {
  return {
    async get(key) {
      checkKey(key);
      return await readKv(() => readDocument(deps, key));
    },
    list: (prefix, options = {}) => readKv(() => listDocuments(deps, prefix, options)),
    put: (changes) => putChanges(deps, changes),
    prepare: (changes) => prepareChanges(deps, changes),
    trimExpired: () => trimExpired(deps.kv, deps.now),
  };
}

async function readDocument(deps: KvDocumentsDeps, key: string): Promise<StoredEntry | null> {
  return await loadDocument(deps, await deps.kv.get<Uint8Array>(["d", key]));
}

async function loadDocument(
  deps: KvDocumentsDeps,
  entry: Deno.KvEntryMaybe<Uint8Array>,
): Promise<StoredEntry | null> {
  if (entry.value === null || entry.versionstamp === null) return null;
  const row = decodeRow(entry.value);
  if (isExpired(row, deps.now())) return null;
  const key = entry.key[1] as string;
  if (row.chunks === null) return { key, value: row.value, revision: entry.versionstamp };
  const text = await loadChunks(deps.kv, row.chunks);
  // A writer replaced the row while its chunks were read: read the new row.
  if (text === null) return await readDocument(deps, key);
  return { key, value: JSON.parse(text), revision: entry.versionstamp };
}

async function listDocuments(
  deps: KvDocumentsDeps,
  prefix: string,
  { after, limit = 1_000 }: { after?: string; limit?: number },
): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  if (limit <= 0) return found;
  const start = after !== undefined && after >= prefix ? `${after}\0` : prefix;
  const selector = { start: ["d", start], end: ["d", `${prefix}\u{10ffff}`] };
  const options = { batchSize: Math.min(500, Math.max(1, limit)) };
  for await (const entry of deps.kv.list<Uint8Array>(selector, options)) {
    const document = await loadDocument(deps, entry);
    if (document !== null) found.push(document);
    if (found.length >= limit) break;
  }
  return found;
}

async function putChanges(
  deps: KvDocumentsDeps,
  changes: readonly Change[],
): Promise<string | null> {
  checkChanges(changes);
  let writing: Writing | null = null;
  for (let attempt = 0; attempt < CONFLICT_RETRIES_MAX; attempt++) {
    const current = await readCurrent(deps.kv, changes);
    if (!meetsExpectations(changes, current, deps.now())) {
      if (writing !== null) await removeWritten(deps.kv, writing);
      return null;
    }
    writing ??= await encodeChanges(deps, changes);
    const versionstamp = await commitChanges(deps, writing, current);
    if (versionstamp === null) continue;
    await removeReplaced(deps.kv, current);
    return versionstamp;
  }
  throw new Error("Cannot write the store: other writers change the same keys without a pause");
}

/** @returns null if another writer has changed one of the rows. */
async function commitChanges(
  deps: KvDocumentsDeps,
  writing: Writing,
  current: readonly CurrentRow[],
): Promise<string | null> {
  const operation = deps.kv.atomic();
  for (const { entry: { key, versionstamp } } of current) operation.check({ key, versionstamp });
  applyChanges(operation, writing, current);
  const settle = deps.ride(operation);
  const result = await commitKv(operation).catch((error) => {
    settle(false);
    throw error;
  });
  settle(result.ok);
  return result.ok ? result.versionstamp : null;
}

async function prepareChanges(
  deps: KvDocumentsDeps,
  changes: readonly Change[],
): Promise<PreparedChanges> {
  const current = await readCurrent(deps.kv, changes);
  const writing = await encodeChanges(deps, changes);
  const partsOf = (change: EncodedChange) => writing.written.has(change) ? 0 : change.parts.length;
  const bytesOf = (change: EncodedChange) => writing.written.has(change) ? 0 : change.bytes;
  return {
    mutations: writing.changes.reduce((sum, change) => sum + 5 + partsOf(change), 0),
    bytes: writing.changes.reduce((sum, change) => sum + 200 + bytesOf(change), 0),
    apply: (operation) => applyChanges(operation, writing, current),
    committed: () => removeReplaced(deps.kv, current),
  };
}

/** A row before a change. */
interface CurrentRow {
  readonly entry: Deno.KvEntryMaybe<Uint8Array>;
  readonly row: DocumentRow | null;
}

async function readCurrent(kv: Deno.Kv, changes: readonly Change[]): Promise<CurrentRow[]> {
  const entries = await readKv(() => readMany(kv, changes.map(({ key }) => ["d", key])));
  return entries.map((entry) => ({
    entry,
    row: entry.value === null ? null : decodeRow(entry.value),
  }));
}

function meetsExpectations(
  changes: readonly Change[],
  current: readonly CurrentRow[],
  now: number,
): boolean {
  return changes.every(({ expect }, index) => {
    if (expect === undefined) return true;
    const { entry, row = null } = current[index] ?? {};
    const isThere = row !== null && !isExpired(row, now);
    return expect === (isThere ? entry?.versionstamp ?? null : null);
  });
}

/** Encoded changes for one commit. */
interface Writing {
  readonly changes: readonly EncodedChange[];
  /** Changes that are too large for the commit; their chunks are stored already. */
  readonly written: ReadonlySet<EncodedChange>;
  /** When `trim` may remove those chunks if no row names them. */
  readonly orphanAt: number;
}

async function encodeChanges(
  { kv, now }: KvDocumentsDeps,
  changes: readonly Change[],
): Promise<Writing> {
  const encoded = changes.map((change) => encodeChange(change, now()));
  const orphanAt = now() + ORPHAN_CHUNKS_KEPT_MS;
  const written = new Set<EncodedChange>();
  let room = KV_COMMIT.bytesMax / 2;
  for (const change of encoded) {
    room -= change.bytes;
    if (change.chunks === null || room >= 0) continue;
    await writeChunks(kv, change.chunks, change.parts, orphanAt);
    written.add(change);
  }
  return { changes: encoded, written, orphanAt };
}

function applyChanges(
  operation: Deno.AtomicOperation,
  { changes, written, orphanAt }: Writing,
  current: readonly CurrentRow[],
): void {
  for (const [index, change] of changes.entries()) {
    dropCurrent(operation, change.key, current[index]?.row ?? null);
    const { chunks } = change;
    if (change.row === null) {
      operation.delete(["d", change.key]);
      continue;
    }
    operation.set(["d", change.key], change.row);
    if (change.expiresAt > 0) operation.set(["e", change.expiresAt, "d", change.key], NOTHING);
    if (chunks === null) continue;
    if (written.has(change)) unmarkOrphan(operation, chunks, orphanAt);
    else change.parts.forEach((part, at) => operation.set(["c", chunks.id, at], part));
  }
}

/** Removes a row's expiry mark, and marks its chunks so that `trim` can remove them. */
function dropCurrent(operation: Deno.AtomicOperation, key: string, row: DocumentRow | null): void {
  if (row === null) return;
  if (row.expiresAt > 0) operation.delete(["e", row.expiresAt, "d", key]);
  if (row.chunks !== null) markOrphan(operation, row.chunks, REPLACED_AT);
}

async function removeReplaced(kv: Deno.Kv, current: readonly CurrentRow[]): Promise<void> {
  const replaced = current.flatMap(({ row }) => row?.chunks ? [row.chunks] : []);
  await removeOrphans(kv, replaced, REPLACED_AT);
}

async function removeWritten(kv: Deno.Kv, { written, orphanAt }: Writing): Promise<void> {
  const lists = [...written].flatMap(({ chunks }) => chunks === null ? [] : [chunks]);
  await removeOrphans(kv, lists, orphanAt);
}
