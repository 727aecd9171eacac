import { createKvDocuments } from "../../../src/store/kv/documents.ts";
import { createKvLog, type KvLog } from "../../../src/store/kv/log.ts";
import type { LogEntry } from "../../../src/store/store.ts";

/** Runs with a Deno KV of its own, in memory. */
export async function withKv(use: (kv: Deno.Kv) => Promise<void>): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  try {
    await use(kv);
  } finally {
    kv.close();
  }
}

/** Every key that is stored. */
export async function keysOf(kv: Deno.Kv): Promise<Deno.KvKey[]> {
  return await Array.fromAsync(kv.list({ prefix: [] }), ({ key }) => key);
}

/** One entry of the log `r`; labels follow from the number. */
export function entryOf(seq: number, change: Partial<LogEntry> = {}): LogEntry {
  return {
    log: "r",
    seq,
    ts: 1_000 + seq,
    principal: `p${seq % 3}`,
    tool: `t${seq % 2}`,
    execution: `e${seq >> 2}`,
    body: `{"n":${seq}}`,
    ...change,
  };
}

export function entriesOf(from: number, count: number, change: Partial<LogEntry> = {}): LogEntry[] {
  return Array.from({ length: count }, (_, n) => entryOf(from + n, change));
}

/** Logs of one writer; `settled` is what those that ride along have heard. */
export function logOf(kv: Deno.Kv): KvLog & { readonly settled: readonly boolean[] } {
  const settled: boolean[] = [];
  const ride = () => (committed: boolean) => void settled.push(committed);
  const documents = createKvDocuments({ kv, now: () => 1_000, ride });
  const log = createKvLog({ kv, documents, ride, spill: () => Promise.resolve() });
  return { ...log, settled };
}
