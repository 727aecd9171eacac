/**
 * The one storage contract of toolgate; every backend passes the same conformance suite.
 *
 * A store keeps three kinds of data. **Documents** are JSON values under ASCII keys (`keys.ts`),
 * changed all or nothing, with optional expectations. **Logs** are append-only sequences of entries
 * with consecutive numbers, one writer each. **Counters** are bounded sums with a window.
 */
import type { Json } from "../model/json/json.ts";

/** Changes in one `put`, or beside one `append`. */
export const STORE_CHANGES_MAX = 100;
/** Bytes of one key; keys are printable ASCII. */
export const STORE_KEY_BYTES_MAX = 1_024;
/** Bytes of one document as JSON text. */
export const STORE_VALUE_BYTES_MAX = 67_108_864;
/** Bytes of one log entry's body. */
export const STORE_BODY_BYTES_MAX = 49_152;

export interface StoredEntry {
  readonly key: string;
  readonly value: Json;
  /** Changes with every write of the key. */
  readonly revision: string;
}

export interface Change {
  readonly key: string;
  /** null deletes */
  readonly value: Json;
  /** undefined: no check; null: the key must be absent; a string: exactly that revision. */
  readonly expect?: string | null;
  /** After this time the document reads as absent, and `trim` removes it. */
  readonly ttlMs?: number;
}

/** One entry of a log; `scan` can filter by every member except the body. */
export interface LogEntry {
  readonly log: string;
  /** Consecutive from 0 within a log. */
  readonly seq: number;
  /** Milliseconds since the epoch; never goes back within a log. */
  readonly ts: number;
  readonly principal: string;
  readonly tool: string;
  readonly execution: string;
  readonly kind?: string;
  readonly effect?: string;
  readonly body: string;
}

/** Every given member must match. */
export interface ScanQuery {
  readonly log?: string;
  readonly principal?: string;
  readonly tool?: string;
  /** A tool name with `*` (any text) and `?` (one character). */
  readonly toolPattern?: string;
  readonly execution?: string;
  readonly kind?: string;
  readonly effect?: string;
  /** Milliseconds, inclusive. */
  readonly from?: number;
  /** Milliseconds, exclusive. */
  readonly to?: number;
  /** Entries with a smaller number than this. */
  readonly beforeSeq?: number;
  /** `next` of the previous page. */
  readonly after?: string;
  /** Default 100. */
  readonly limit?: number;
}

export interface ScanPage {
  /** Newest first: by `ts`, then `log`, then `seq`, all descending. */
  readonly entries: LogEntry[];
  /** Present when there may be more. */
  readonly next?: string;
}

export interface Store {
  readonly kind: "memory" | "kv" | "postgres";
  get(key: string): Promise<StoredEntry | null>;
  /** Documents whose key starts with `prefix`, by key; the default `limit` is 1,000. */
  list(prefix: string, options?: { after?: string; limit?: number }): Promise<StoredEntry[]>;
  /**
   * Makes all changes or none.
   *
   * @returns the revision of the written documents; null when an expectation failed.
   */
  put(changes: readonly Change[]): Promise<string | null>;
  /**
   * Adds to a counter unless the sum would pass `max`; `ttlMs` starts a window at its first use.
   *
   * The bound is always exact. The sum is durable with the next `append` or `put`, or soon after.
   */
  add(
    key: string,
    by: number,
    options?: { max?: number; ttlMs?: number },
  ): Promise<{ ok: boolean; value: number }>;
  /**
   * Appends entries of one log and writes `beside` with them; resolves when all is durable.
   *
   * On rejection the store holds nothing of the batch or, for a batch above a backend's bound, a
   * leading part: read `head` before the next append.
   *
   * @param beside documents without expectations, in the same commit as the last entry.
   * @throws {FencedError} when the first entry's number is not the next one.
   */
  append(entries: readonly LogEntry[], beside?: readonly Change[]): Promise<void>;
  scan(query: ScanQuery): Promise<ScanPage>;
  /** The last entry of a log. */
  head(log: string): Promise<LogEntry | null>;
  logs(): Promise<string[]>;
  /**
   * Removes entries older than `beforeTs` (of one log, or of all), but never a log's last entry,
   * and every document and counter that has expired. Works in small batches.
   *
   * @returns the number of removed entries.
   */
  trim(beforeTs: number, options?: { log?: string }): Promise<number>;
  /**
   * Compares what the store derives from a log's entries (search columns) with the entries.
   *
   * @returns a sentence for each difference: another program has changed the store.
   */
  check(log: string): Promise<string[]>;
  /** Sends a hint to other parts and replicas. Hints may be lost: never rely on one for a fact. */
  notify(topic: string, message: string): Promise<void>;
  /** `listener` must not throw. */
  subscribe(topic: string, listener: (message: string) => void): Promise<() => Promise<void>>;
  /** Why this store must not be used any more, even if it answers; null without a fault. */
  fault(): string | null;
  close(): Promise<void>;
}

/** Another writer owns the log: the caller must stop writing to the log. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}
