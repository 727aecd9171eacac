import { packBlocks, unpackBlock } from "./block.ts";
import { commitKv, readKv } from "./commit.ts";
import type { LogState } from "./log_state.ts";
import { seqAtTime } from "./scan.ts";

const BLOCKS_PER_COMMIT = 50;

/** Removes the entries before a time, a few blocks a commit; the last entry stays. */
export async function trimLog(kv: Deno.Kv, state: LogState, beforeTs: number): Promise<number> {
  const before = await readKv(() => firstKept(kv, state, beforeTs));
  let removed = 0;
  for (;;) {
    const batch: Deno.KvEntry<Uint8Array>[] = [];
    const selector = { start: ["b", state.ordinal, 0], end: ["b", state.ordinal, before] };
    await readKv(async () => {
      const options = { limit: BLOCKS_PER_COMMIT };
      for await (const entry of kv.list<Uint8Array>(selector, options)) batch.push(entry);
    });
    const operation = kv.atomic();
    for (const { key, value } of batch) {
      const entries = unpackBlock(state.log, value);
      const kept = entries.filter((entry) => entry.seq >= before);
      operation.delete(key);
      for (const block of kept.length === 0 ? [] : packBlocks(kept)) {
        operation.set(["b", state.ordinal, block.firstSeq], block.bytes);
      }
      removed += entries.length - kept.length;
    }
    if (batch.length > 0) await commitKv(operation);
    if (batch.length < BLOCKS_PER_COMMIT) break;
  }
  await trimRuns(kv, state, before);
  return removed;
}

/** The number of the first entry that stays. */
async function firstKept(kv: Deno.Kv, state: LogState, beforeTs: number): Promise<number> {
  const lastSeq = state.head.next - 1;
  const run = state.runs.find((run) => run.lastTs >= beforeTs);
  if (run !== undefined) return Math.min(lastSeq, await seqAtTime(kv, state, run, beforeTs));
  return Math.min(lastSeq, state.tail.find((entry) => entry.ts >= beforeTs)?.seq ?? lastSeq);
}

async function trimRuns(kv: Deno.Kv, state: LogState, before: number): Promise<void> {
  const gone = state.runs.filter((run) => run.lastSeq < before);
  for (let start = 0; start < gone.length; start += 100) {
    const operation = kv.atomic();
    for (const run of gone.slice(start, start + 100)) {
      for (const row of ["s", "x", "y"]) operation.delete([row, state.ordinal, run.firstSeq]);
    }
    await commitKv(operation);
  }
  state.runs.splice(0, gone.length);
}
