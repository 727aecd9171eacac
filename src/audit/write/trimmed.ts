/**
 * The signed statement about removed records: where the chain continues, and the Merkle frontier of
 * the removed records, so that a verifier can still compute every later root.
 */
import { keyOf } from "../../store/keys.ts";
import type { Change, Store } from "../../store/store.ts";
import type { ChainState } from "../chain/chain.ts";
import { checkpointOf } from "../chain/chain.ts";
import { type CheckpointSigner, openCheckpoint } from "../chain/checkpoint.ts";
import { createMerkleTree } from "../chain/merkle.ts";

export interface Trimmed {
  /** The chain after the last removed record. */
  readonly state: ChainState;
  readonly note: string;
}

/** The change that stores the signed statement. */
export function trimmedChange(signer: CheckpointSigner, state: ChainState, now: number): Change {
  return {
    key: keyOf.auditTrimmed(state.chain),
    value: {
      note: signer.sign(checkpointOf(state, now)),
      hashes: [...state.tree.frontier().hashes],
      ts: state.ts,
    },
  };
}

/** @returns null when nothing was trimmed, or the statement is not signed by one of the keys. */
export async function readTrimmed(
  store: Pick<Store, "get">,
  chain: string,
  verifierKeys: readonly string[],
): Promise<Trimmed | null> {
  return parseTrimmed((await store.get(keyOf.auditTrimmed(chain)))?.value, chain, verifierKeys);
}

/** @param value as stored or exported; not trusted. */
export function parseTrimmed(
  value: unknown,
  chain: string,
  verifierKeys: readonly string[],
): Trimmed | null {
  if (typeof value !== "object" || value === null) return null;
  const { note, hashes, ts } = value as { [key: string]: unknown };
  if (typeof note !== "string" || typeof ts !== "number" || !isStrings(hashes)) return null;
  const checkpoint = openCheckpoint(note, verifierKeys);
  if (checkpoint === null || checkpoint.chain !== chain) return null;
  try {
    const tree = createMerkleTree({ size: checkpoint.size, hashes });
    if (tree.root() !== checkpoint.root) return null;
    return { state: { chain, size: checkpoint.size, head: checkpoint.head, ts, tree }, note };
  } catch {
    return null; // the hashes are not a frontier: not our statement
  }
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
