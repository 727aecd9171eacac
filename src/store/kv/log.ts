/**
 * Logs in Deno KV.
 *
 * `["g", log]` head of a log · `["b", ordinal, firstSeq]` a block of entries ·
 * `["s" | "x" | "y", ordinal, firstSeq]` bounds, terms and columns of a run (`columns.ts`).
 */
import { appendEntries, type KvAppendDeps } from "./append.ts";
import { checkLog } from "./check.ts";
import { readKv } from "./commit.ts";
import { createKnownLogs, type KnownLogs, listLogHeads } from "./known_logs.ts";
import type { LogHead } from "./log_state.ts";
import { lastEntry, scanLogs } from "./scan.ts";
import { trimLog } from "./trim.ts";
import type { Change, LogEntry, ScanPage, ScanQuery } from "../store.ts";

export interface KvLog {
  append(entries: readonly LogEntry[], beside?: readonly Change[]): Promise<void>;
  scan(query: ScanQuery): Promise<ScanPage>;
  head(log: string): Promise<LogEntry | null>;
  logs(): Promise<string[]>;
  trim(beforeTs: number, only?: string): Promise<number>;
  check(log: string): Promise<string[]>;
}

export function createKvLog(deps: Omit<KvAppendDeps, "known">): KvLog {
  const { kv } = deps;
  const known = createKnownLogs(kv);
  let creating: Promise<unknown> = Promise.resolve();
  return {
    append(entries, beside = []) {
      const append = () => appendEntries({ ...deps, known }, entries, beside);
      // The first append chooses the log's ordinal; two at the same time would choose the same one.
      if (entries[0]?.seq !== 0) return append();
      const result = creating.then(append);
      creating = result.catch(() => {});
      return result;
    },
    scan: (query) => scan(kv, known, query),
    head: (log) => readHead(kv, log),
    async logs() {
      return (await listLogHeads(kv)).map(({ log }) => log);
    },
    async check(log) {
      const state = await known.stateOf(log);
      return state === null ? [] : await checkLog(kv, state);
    },
    trim: (beforeTs, only) => trim(kv, known, beforeTs, only),
  };
}

async function scan(kv: Deno.Kv, known: KnownLogs, query: ScanQuery): Promise<ScanPage> {
  // Read the ends of the logs from the file: memory learns of an append a moment later.
  const heads = (await listLogHeads(kv)).filter(({ log }) =>
    query.log === undefined || log === query.log
  );
  const logs = await Promise.all(heads.map(async ({ log, head }) => {
    const state = await known.stateOf(log);
    return state === null ? [] : [{ state, next: head.next }];
  }));
  return await scanLogs(kv, logs.flat(), query);
}

/** Reads the file, not memory: after a failed commit only the file shows what was stored. */
async function readHead(kv: Deno.Kv, log: string): Promise<LogEntry | null> {
  return await readKv(async () => {
    const head = (await kv.get<LogHead>(["g", log])).value;
    return head === null ? null : await lastEntry(kv, log, head);
  });
}

async function trim(
  kv: Deno.Kv,
  known: KnownLogs,
  beforeTs: number,
  only: string | undefined,
): Promise<number> {
  let removed = 0;
  const logs = only === undefined ? (await listLogHeads(kv)).map(({ log }) => log) : [only];
  for (const log of logs) {
    const state = await known.stateOf(log);
    if (state !== null) removed += await trimLog(kv, state, beforeTs);
  }
  return removed;
}
