/**
 * Logs in Deno KV.
 *
 * `["g", log]` head of a log · `["b", ordinal, firstSeq]` a block of entries ·
 * `["s" | "x" | "y", ordinal, firstSeq]` bounds, terms and columns of a run (`kv_columns.ts`).
 */
import { checkEntries } from "./change_rules.ts";
import { type Block, packBlocks } from "./kv_block.ts";
import { commitKv, KV_COMMIT, readKv } from "./kv_commit.ts";
import type { KvDocuments, PreparedChanges } from "./kv_documents.ts";
import {
  adoptRuns,
  type CutRuns,
  cutRuns,
  labels,
  loadLogState,
  type LogHead,
  type LogState,
  newLogState,
} from "./kv_log_state.ts";
import { checkLog } from "./kv_check.ts";
import { lastEntry, scanLogs } from "./kv_scan.ts";
import { trimLog } from "./kv_trim.ts";
import { type Change, FencedError, type LogEntry, type ScanPage, type ScanQuery } from "./store.ts";

/** Left free in a commit for counters that ride along and for the head. */
const MUTATIONS_RESERVED = 150;

export interface KvLog {
  append(entries: readonly LogEntry[], beside?: readonly Change[]): Promise<void>;
  scan(query: ScanQuery): Promise<ScanPage>;
  head(log: string): Promise<LogEntry | null>;
  logs(): Promise<string[]>;
  trim(beforeTs: number, only?: string): Promise<number>;
  check(log: string): Promise<string[]>;
}

export function createKvLog(
  deps: {
    kv: Deno.Kv;
    documents: KvDocuments;
    ride: (operation: Deno.AtomicOperation) => (committed: boolean) => void;
    /** Writes the counters that one commit cannot carry. */
    spill: () => Promise<void>;
  },
): KvLog {
  const { kv, documents, ride, spill } = deps;
  const states = new Map<string, Promise<LogState | null>>();
  let creating: Promise<unknown> = Promise.resolve();

  function stateOf(log: string): Promise<LogState | null> {
    const known = states.get(log);
    if (known !== undefined) return known;
    const loading = loadLogState(kv, log);
    states.set(log, loading);
    // What could not be read is read again next time; a log that is not there may be made.
    loading.then((state) => state === null && states.delete(log), () => states.delete(log));
    return loading;
  }

  async function listLogs(): Promise<{ log: string; head: LogHead }[]> {
    return await readKv(async () => {
      const found: { log: string; head: LogHead }[] = [];
      for await (const { key, value } of kv.list<LogHead>({ prefix: ["g"] })) {
        found.push({ log: key[1] as string, head: value });
      }
      return found;
    });
  }

  async function createState(log: string): Promise<LogState> {
    const known = await stateOf(log);
    if (known !== null) return known;
    const used = (await listLogs()).map(({ head }) => head.ordinal);
    return newLogState(log, Math.max(-1, ...used) + 1);
  }

  /** One commit: blocks, columns that are due, and with the last blocks what goes beside. */
  async function commitBlocks(
    state: LogState,
    blocks: readonly Block[],
    cut: CutRuns | null,
    prepared: PreparedChanges | null,
  ): Promise<void> {
    const entries = blocks.flatMap((block) => block.entries);
    const last = entries.at(-1) as LogEntry;
    const key = ["g", state.log];
    const head: LogHead = {
      ordinal: state.ordinal,
      next: last.seq + 1,
      ts: last.ts,
      covered: cut?.covered ?? state.head.covered,
    };
    const operation = kv.atomic().check({ key, versionstamp: state.versionstamp }).set(key, head);
    for (const block of blocks) operation.set(["b", state.ordinal, block.firstSeq], block.bytes);
    cut?.apply(operation);
    prepared?.apply(operation);
    const settle = ride(operation);
    const result = await commitKv(operation).catch((error) => {
      settle(false);
      states.delete(state.log); // nobody knows what was written: read it again
      throw error;
    });
    settle(result.ok);
    if (!result.ok) {
      states.delete(state.log);
      throw new FencedError(`Cannot append to "${state.log}": another writer owns it`);
    }
    state.head = head;
    state.versionstamp = result.versionstamp;
    adoptRuns(state, cut);
    for (const entry of entries) state.tail.push(labels(entry));
    states.set(state.log, Promise.resolve(state));
  }

  async function append(entries: readonly LogEntry[], beside: readonly Change[] = []) {
    checkEntries(entries, beside);
    const first = entries[0] as LogEntry;
    const state = first.seq === 0 ? await createState(first.log) : await stateOf(first.log);
    if (state === null || state.head.next !== first.seq) {
      throw new FencedError(`Cannot append entry ${first.seq} to "${first.log}": not the next`);
    }
    if (first.ts < state.head.ts) {
      throw new RangeError(
        `Cannot append entry ${first.seq} of "${first.log}": its time goes back`,
      );
    }
    await spill();
    const prepared = beside.length === 0 ? null : await documents.prepare(beside);
    const blocks = packBlocks(entries);
    let cut = cutRuns(state);
    const groups = groupByCommit(blocks, (cut?.bytes ?? 0) + (prepared?.bytes ?? 0));
    for (const [index, group] of groups.entries()) {
      const riding = index === groups.length - 1 ? prepared : null;
      await commitBlocks(state, group, cut, riding);
      cut = riding === null ? cutRuns(state) : null;
    }
    await prepared?.committed();
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
    async scan(query) {
      // Where the logs end is read from the file: memory learns of an append a moment later.
      const logs = (await listLogs()).filter(({ log }) =>
        query.log === undefined || log === query.log
      );
      const known = await Promise.all(logs.map(async ({ log, head }) => {
        const state = await stateOf(log);
        return state === null ? [] : [{ state, next: head.next }];
      }));
      return await scanLogs(kv, known.flat(), query);
    },
    async head(log) {
      // From the file, not from memory: after a failed commit this is how the truth is learned.
      return await readKv(async () => {
        const head = (await kv.get<LogHead>(["g", log])).value;
        return head === null ? null : await lastEntry(kv, log, head);
      });
    },
    async logs() {
      return (await listLogs()).map(({ log }) => log);
    },
    async check(log) {
      const state = await stateOf(log);
      return state === null ? [] : await checkLog(kv, state);
    },
    async trim(beforeTs, only) {
      let removed = 0;
      for (const log of only === undefined ? (await listLogs()).map(({ log }) => log) : [only]) {
        const state = await stateOf(log);
        if (state !== null) removed += await trimLog(kv, state, beforeTs);
      }
      return removed;
    },
  };
}

/** Divides blocks into commits within the engine's bounds. */
function groupByCommit(blocks: readonly Block[], besideBytes: number): Block[][] {
  const mutationsMax = KV_COMMIT.mutationsMax - 2 * MUTATIONS_RESERVED;
  const bytesMax = Math.max(KV_COMMIT.valueBytesMax, KV_COMMIT.bytesMax - besideBytes);
  const groups: Block[][] = [];
  let group: Block[] = [];
  let bytes = 0;
  for (const block of blocks) {
    const size = block.bytes.length + 100;
    if (group.length > 0 && (group.length >= mutationsMax || bytes + size > bytesMax)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(block);
    bytes += size;
  }
  groups.push(group);
  return groups;
}
