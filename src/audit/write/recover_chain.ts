/** Finds where a stored chain ends, and compares that with the last signed state. */
import { z } from "zod";
import type { AuditEvent, AuditRecord } from "../../model/event.ts";
import { keyOf } from "../../store/keys.ts";
import type { LogEntry, Store } from "../../store/store.ts";
import { toRecord } from "../audit_record.ts";
import { type ChainState, emptyChain, followEntries } from "../chain/chain.ts";
import { openCheckpoint } from "../chain/checkpoint.ts";
import { createMerkleTree } from "../chain/merkle.ts";
import { readAscending } from "../chain/read_chain.ts";
import { createOpenWork, describeUnknown, type OpenWork } from "./open_work.ts";
import { readTrimmed } from "./trimmed.ts";

export interface RecoveredChain {
  readonly state: ChainState;
  readonly open: OpenWork;
  /** Number of records up to and including the last checkpoint. */
  readonly checkpointSize: number;
  /** Outcomes for calls and executions that a crash left open; the writer writes them first. */
  readonly unfinished: readonly AuditEvent[];
  /** How the stored chain differs from its last signed state; null if it does not. */
  readonly tampered: string | null;
}

/** The state stored at each checkpoint; untrusted when read back. */
const StateSchema = z.object({
  frontier: z.object({ size: z.int().min(0), hashes: z.array(z.string()) }),
  head: z.string(),
  open: z.array(z.tuple([z.string(), z.int().min(0)])),
});

export interface RecoverDeps {
  readonly store: Store;
  readonly chain: string;
  readonly verifierKey: string;
  /** Notes kept outside the store. */
  readonly anchors: readonly string[];
}

export async function recoverChain(
  deps: RecoverDeps,
): Promise<RecoveredChain> {
  const { store, chain, verifierKey } = deps;
  const head = await store.head(chain);
  const sealed = (await store.get(keyOf.auditSeal(chain)))?.value;
  const seal = typeof sealed === "string" ? openCheckpoint(sealed, [verifierKey]) : null;
  const start = await startOf(store, chain, verifierKey);
  let followed = await follow(store, start, head);
  let tampered = describeDifference(seal, sealed !== undefined, followed.state);
  if (tampered !== null && start.state.size > 0) {
    // An attacker may have changed the stored state only: follow the records themselves.
    const again = await follow(store, await trimmedStart(store, chain, verifierKey), head);
    const difference = describeDifference(seal, sealed !== undefined, again.state);
    if (difference === null) followed = again;
    tampered = difference;
  }
  const unfinished: AuditEvent[] = [];
  for (const [, seq] of followed.open.entries()) {
    const record = await readRecord(store, chain, seq);
    if (record !== null) unfinished.push(describeUnknown(record));
  }
  const state = { ...followed.state, ts: head?.ts ?? 0 };
  return { ...followed, state, unfinished, tampered: tampered ?? missingFrom(deps, state) };
}

/** A chain restored to an older state is consistent in itself; only an anchor shows the loss. */
function missingFrom(deps: RecoverDeps, state: ChainState): string | null {
  for (const note of deps.anchors) {
    const anchor = openCheckpoint(note, [deps.verifierKey]);
    if (anchor === null || anchor.chain !== deps.chain || anchor.size <= state.size) continue;
    return `${state.size} records where the anchor of ${anchor.time} saw ${anchor.size}`;
  }
  return null;
}

/** A chain's state with its open work, computed from stored records or read from the store. */
export interface Followed {
  readonly state: ChainState;
  readonly open: OpenWork;
  readonly checkpointSize: number;
}

async function startOf(store: Store, chain: string, verifierKey: string): Promise<Followed> {
  return await readState(store, chain) ?? await trimmedStart(store, chain, verifierKey);
}

/**
 * The state at the last checkpoint.
 *
 * @returns null if the state is missing or malformed; the caller then follows the records.
 */
export async function readState(
  store: Pick<Store, "get">,
  chain: string,
): Promise<Followed | null> {
  const { data: kept } = StateSchema.safeParse((await store.get(keyOf.auditState(chain)))?.value);
  if (kept === undefined) return null;
  try {
    const tree = createMerkleTree(kept.frontier);
    const state = { chain, size: tree.size(), head: kept.head, ts: 0, tree };
    return { state, open: createOpenWork(kept.open), checkpointSize: tree.size() };
  } catch {
    return null; // hashes that cannot be a frontier of this size
  }
}

async function trimmedStart(store: Store, chain: string, verifierKey: string): Promise<Followed> {
  const trimmed = await readTrimmed(store, chain, [verifierKey]);
  const state = trimmed?.state ?? emptyChain(chain);
  return { state, open: createOpenWork(), checkpointSize: state.size };
}

async function follow(store: Store, from: Followed, head: LogEntry | null): Promise<Followed> {
  const open = from.open.copy();
  let { state, checkpointSize } = from;
  const size = head === null ? 0 : head.seq + 1;
  for await (const entries of readAscending(store, state.chain, state.size, size)) {
    state = followEntries(state, entries);
    for (const entry of entries) {
      const record = toRecord(entry);
      open.see(record);
      if (record.kind === "checkpoint") checkpointSize = record.seq + 1;
    }
  }
  return { state, open, checkpointSize };
}

function describeDifference(
  seal: { size: number; root: string } | null,
  hasSeal: boolean,
  state: ChainState,
): string | null {
  if (seal === null) {
    if (state.size === 0 && !hasSeal) return null;
    return hasSeal ? "the note over the newest record is not signed by this key" : "no signed note";
  }
  if (seal.size !== state.size) {
    return `${state.size} records where ${seal.size} were signed`;
  }
  return seal.root === state.tree.root() ? null : `the ${seal.size} records are not those signed`;
}

async function readRecord(store: Store, chain: string, seq: number): Promise<AuditRecord | null> {
  const { entries } = await store.scan({ log: chain, beforeSeq: seq + 1, limit: 1 });
  const entry = entries[0];
  return entry === undefined || entry.seq !== seq ? null : toRecord(entry);
}
