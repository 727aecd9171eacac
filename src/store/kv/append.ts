import { checkEntries } from "../change_rules.ts";
import { type Block, packBlocks } from "./block.ts";
import { commitKv, KV_COMMIT } from "./commit.ts";
import type { KvDocuments, PreparedChanges } from "./documents.ts";
import type { KnownLogs } from "./known_logs.ts";
import {
  adoptRuns,
  type CutRuns,
  cutRuns,
  labels,
  type LogHead,
  type LogState,
} from "./log_state.ts";
import { type Change, FencedError, type LogEntry } from "../store.ts";

/** Mutations left free in a commit for waiting counters and the head. */
const MUTATIONS_RESERVED = 150;

export interface KvAppendDeps {
  readonly kv: Deno.Kv;
  readonly known: KnownLogs;
  readonly documents: Pick<KvDocuments, "prepare">;
  /** Adds waiting counters to a commit; call the result with the outcome of the commit. */
  readonly ride: (operation: Deno.AtomicOperation) => (committed: boolean) => void;
  /** Writes the counters that one commit cannot carry. */
  readonly spill: () => Promise<void>;
}

/**
 * Appends entries, in as many commits as needed, and writes `beside` in the last commit.
 *
 * @throws {FencedError} when the first entry's number is not the next one.
 */
export async function appendEntries(
  deps: KvAppendDeps,
  entries: readonly LogEntry[],
  beside: readonly Change[],
): Promise<void> {
  checkEntries(entries, beside);
  const state = await openLog(deps.known, entries[0] as LogEntry);
  await deps.spill();
  const prepared = beside.length === 0 ? null : await deps.documents.prepare(beside);
  let cut = cutRuns(state);
  const besideBytes = (cut?.bytes ?? 0) + (prepared?.bytes ?? 0);
  const groups = groupByCommit(packBlocks(entries), besideBytes);
  for (const [index, blocks] of groups.entries()) {
    const isLast = index === groups.length - 1;
    await commitBlocks(deps, state, { blocks, cut, prepared: isLast ? prepared : null });
    cut = isLast ? null : cutRuns(state);
  }
  await prepared?.committed();
}

/** Loads or creates the state of the log that `first` extends. */
async function openLog(known: KnownLogs, first: LogEntry): Promise<LogState> {
  const state = first.seq === 0
    ? await known.stateOrNew(first.log)
    : await known.stateOf(first.log);
  if (state === null || state.head.next !== first.seq) {
    throw new FencedError(`Cannot append entry ${first.seq} to "${first.log}": not the next`);
  }
  if (first.ts < state.head.ts) {
    throw new RangeError(
      `Cannot append entry ${first.seq} of "${first.log}": its time goes back`,
    );
  }
  return state;
}

interface LogCommit {
  readonly blocks: readonly Block[];
  /** Columns to write with this commit. */
  readonly cut: CutRuns | null;
  readonly prepared: PreparedChanges | null;
}

async function commitBlocks(
  deps: KvAppendDeps,
  state: LogState,
  { blocks, cut, prepared }: LogCommit,
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
  const operation = deps.kv.atomic();
  operation.check({ key, versionstamp: state.versionstamp }).set(key, head);
  for (const block of blocks) operation.set(["b", state.ordinal, block.firstSeq], block.bytes);
  cut?.apply(operation);
  prepared?.apply(operation);
  const settle = deps.ride(operation);
  const result = await commitKv(operation).catch((error) => {
    settle(false);
    deps.known.forget(state.log);
    throw error;
  });
  settle(result.ok);
  if (!result.ok) {
    deps.known.forget(state.log);
    throw new FencedError(`Cannot append to "${state.log}": another writer owns it`);
  }
  state.head = head;
  state.versionstamp = result.versionstamp;
  adoptRuns(state, cut);
  for (const entry of entries) state.tail.push(labels(entry));
  deps.known.remember(state);
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
