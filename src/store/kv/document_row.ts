/**
 * The stored form of a document in Deno KV.
 *
 * A row is the JSON text `[expiresAt, value]` as bytes; a value above the engine's 64 KiB is
 * `[expiresAt, null, chunkId, chunkCount]` with its text under `["c", chunkId, i]` (`chunks.ts`).
 */
import type { Json } from "../../model/json/json.ts";
import { checkValueBytes } from "../change_rules.ts";
import { KV_COMMIT } from "./commit.ts";
import type { Change } from "../store.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Identifies the chunks of one value. */
export interface ChunkList {
  readonly id: string;
  readonly count: number;
}

export interface DocumentRow {
  /** 0: never */
  readonly expiresAt: number;
  /** null when the value is in chunks. */
  readonly value: Json;
  readonly chunks: ChunkList | null;
}

/** A row to write. */
export interface EncodedChange {
  readonly key: string;
  readonly expiresAt: number;
  /** null deletes */
  readonly row: Uint8Array | null;
  readonly bytes: number;
  readonly parts: readonly Uint8Array[];
  readonly chunks: ChunkList | null;
}

/** @throws {RangeError} if the value is too large. */
export function encodeChange(change: Change, now: number): EncodedChange {
  const { key, value, ttlMs } = change;
  if (value === null) return { key, expiresAt: 0, row: null, bytes: 0, parts: [], chunks: null };
  const expiresAt = ttlMs === undefined ? 0 : Math.ceil(now + ttlMs);
  const text = JSON.stringify(value);
  const row = encoder.encode(`[${expiresAt},${text}]`);
  checkValueBytes(key, row.length);
  if (row.length <= KV_COMMIT.valueBytesMax) {
    return { key, expiresAt, row, bytes: row.length, parts: [], chunks: null };
  }
  const bytes = encoder.encode(text);
  const parts: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += KV_COMMIT.valueBytesMax) {
    parts.push(bytes.slice(start, start + KV_COMMIT.valueBytesMax));
  }
  const chunks = { id: crypto.randomUUID(), count: parts.length };
  return {
    key,
    expiresAt,
    row: encoder.encode(JSON.stringify([expiresAt, null, chunks.id, chunks.count])),
    bytes: bytes.length,
    parts,
    chunks,
  };
}

export function decodeRow(bytes: Uint8Array): DocumentRow {
  const [expiresAt, value, id, count] = JSON.parse(decoder.decode(bytes)) as [
    number,
    Json,
    string?,
    number?,
  ];
  const chunks = id === undefined || count === undefined ? null : { id, count };
  return { expiresAt, value, chunks };
}

export function isExpired(row: DocumentRow, now: number): boolean {
  return row.expiresAt > 0 && row.expiresAt <= now;
}
