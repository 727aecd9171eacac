/**
 * Removes records older than the retention, in small steps. The rest still verifies: a signed
 * statement holds the new start of the chain and the Merkle frontier of the removed records.
 */
import type { AuditRecord } from "../../model/event.ts";
import type { LogEntry, Store } from "../../store/store.ts";
import { type ChainState, emptyChain, followEntries } from "../chain/chain.ts";
import type { CheckpointSigner } from "../chain/checkpoint.ts";
import { readAscending } from "../chain/read_chain.ts";
import { readTrimmed, trimmedChange } from "./trimmed.ts";

/** Records of one step: a few milliseconds of work, then other work can run. */
const STEP_RECORDS = 5_000;

export interface RetentionDeps {
  readonly store: Store;
  readonly signer: CheckpointSigner;
  readonly now: () => number;
  readonly retentionMs: number;
  /** The first record of a chain that is still needed, for example by a sink that is behind. */
  readonly neededFrom: (chain: string) => Promise<number>;
}

/**
 * Trims this log's own chain, and chains without a new record for longer than the retention.
 *
 * @returns how many records were removed.
 */
export async function trimAudit(deps: RetentionDeps, ownChain: string): Promise<number> {
  const beforeTs = deps.now() - deps.retentionMs;
  let removed = 0;
  for (const chain of await deps.store.logs()) {
    const head = await deps.store.head(chain);
    if (head === null || (chain !== ownChain && head.ts >= beforeTs)) continue;
    removed += await trimChain(deps, chain, head, beforeTs);
  }
  // Removes expired documents, also when no record was removed.
  await deps.store.trim(0, { log: ownChain });
  return removed;
}

async function trimChain(
  deps: RetentionDeps,
  chain: string,
  head: LogEntry,
  beforeTs: number,
): Promise<number> {
  const { store, signer, now } = deps;
  let removed = 0;
  for (;;) {
    const trimmed = await readTrimmed(store, chain, [signer.verifierKey]);
    const start = trimmed?.state ?? emptyChain(chain);
    const end = Math.min(head.seq, await deps.neededFrom(chain), start.size + STEP_RECORDS);
    const step = await followTo(store, start, end, beforeTs);
    if (step === null) return removed;
    // The statement comes first: after a crash in between it covers records that are still there.
    await store.put([trimmedChange(signer, step.state, now())]);
    removed += await store.trim(step.nextTs, { log: chain });
  }
}

/**
 * The chain after its records before `beforeTs`, and the time of the first record that stays.
 *
 * @returns null if there is nothing to remove, or the stored records do not continue the chain.
 */
async function followTo(
  store: Store,
  start: ChainState,
  end: number,
  beforeTs: number,
): Promise<{ state: ChainState; nextTs: number } | null> {
  let state = start;
  let found: { state: ChainState; nextTs: number } | null = null;
  for await (const entries of readAscending(store, start.chain, start.size, end + 1)) {
    if (!follows(state, entries)) return null;
    const staying = entries.findIndex((entry) => entry.ts >= beforeTs || entry.seq >= end);
    const last = staying === -1 ? entries.length - 1 : staying;
    // Entries are removed by time, so a step ends where the time changes.
    const change = entries.findLastIndex((entry, index) => {
      const before = index === 0 ? state.ts : entries[index - 1]?.ts ?? 0;
      return index <= last && entry.ts > before && entry.seq > start.size;
    });
    if (change !== -1) {
      const atChange = followEntries(state, entries.slice(0, change));
      found = { state: atChange, nextTs: entries[change]?.ts ?? 0 };
    }
    if (staying !== -1) return found;
    state = followEntries(state, entries);
  }
  return found;
}

/** Whether these entries continue the chain; checks the first one's link and all numbers. */
function follows(state: ChainState, entries: readonly LogEntry[]): boolean {
  if (entries.some((entry, index) => entry.seq !== state.size + index)) return false;
  const first = entries[0];
  return first === undefined || (JSON.parse(first.body) as AuditRecord).prev === state.head;
}
