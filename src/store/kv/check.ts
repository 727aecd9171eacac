import type { EntryLabels } from "../entry_filter.ts";
import { unpackBlock } from "./block.ts";
import { areColumnsOf, encodeTerms } from "./columns.ts";
import { readKv } from "./commit.ts";
import { labels, type LogHead, type LogState } from "./log_state.ts";

/**
 * Compares the search columns of a log with its entries: a changed column would hide entries from
 * every search.
 *
 * @returns one sentence for each difference.
 */
export async function checkLog(kv: Deno.Kv, state: LogState): Promise<string[]> {
  return await readKv(async () => {
    const problems: string[] = [];
    const head = (await kv.get<LogHead>(["g", state.log])).value;
    // An append under way may already be in the file, but the file must not hold less than memory.
    const isBehind = head === null || head.next < state.head.next;
    if (isBehind || (head.next === state.head.next && head.covered !== state.head.covered)) {
      problems.push("The stored head is not the one that was written");
    }
    // Retention may have removed a part of the first run.
    let next = await firstStored(kv, state);
    for await (
      const { key, value } of kv.list<[number, number, number]>({ prefix: ["s", state.ordinal] })
    ) {
      const firstSeq = key[2] as number;
      const [lastSeq, firstTs, lastTs] = value;
      if (firstSeq > next) {
        problems.push(`No search columns for the entries ${next} to ${firstSeq - 1}`);
      }
      next = lastSeq + 1;
      const run = await readRun(kv, state, firstSeq, lastSeq);
      const isWhole = run.length === lastSeq - firstSeq + 1;
      // The columns of a run that retention has cut cover removed entries too: skip them.
      if (!isWhole) continue;
      const bounds = run[0]?.ts === firstTs && run.at(-1)?.ts === lastTs;
      const columns = await kv.get<Uint8Array>(["y", state.ordinal, firstSeq]);
      const terms = await kv.get<Uint8Array>(["x", state.ordinal, firstSeq]);
      if (
        !bounds || columns.value === null || !areColumnsOf(columns.value, run) ||
        terms.value === null || Buffer.compare(terms.value, encodeTerms(run)) !== 0
      ) {
        problems.push(`The search columns of the entries ${firstSeq} to ${lastSeq} are not theirs`);
      }
    }
    if (next < state.head.covered) {
      problems.push(`No search columns for the entries ${next} to ${state.head.covered - 1}`);
    }
    return problems;
  });
}

async function firstStored(kv: Deno.Kv, state: LogState): Promise<number> {
  const first = await kv.list({ prefix: ["b", state.ordinal] }, { limit: 1 }).next();
  return first.done ? 0 : first.value.key[2] as number;
}

async function readRun(
  kv: Deno.Kv,
  state: LogState,
  firstSeq: number,
  lastSeq: number,
): Promise<EntryLabels[]> {
  const run: EntryLabels[] = [];
  const before = await kv.list<Uint8Array>(
    { start: ["b", state.ordinal, 0], end: ["b", state.ordinal, firstSeq + 1] },
    { reverse: true, limit: 1 },
  ).next();
  const start = before.done ? firstSeq : before.value.key[2] as number;
  const selector = { start: ["b", state.ordinal, start], end: ["b", state.ordinal, lastSeq + 1] };
  for await (const { value } of kv.list<Uint8Array>(selector)) {
    for (const entry of unpackBlock(state.log, value)) {
      if (entry.seq >= firstSeq && entry.seq <= lastSeq) run.push(labels(entry));
    }
  }
  return run;
}
