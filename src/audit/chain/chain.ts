import type { AuditEvent, AuditRecord } from "../../model/event.ts";
import type { LogEntry } from "../../store/store.ts";
import { GENESIS, hashLine, placeEvent, toLogEntry } from "../audit_record.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { createMerkleTree, hashLeaf, type MerkleTree } from "./merkle.ts";

/** The state of a chain: everything the next record depends on. */
export interface ChainState {
  readonly chain: string;
  /** Number of records, also the next record's number. */
  readonly size: number;
  /** Hash of the last record's line. */
  readonly head: string;
  /** Time of the last record, milliseconds since the epoch. */
  readonly ts: number;
  /** Never changed in place. */
  readonly tree: MerkleTree;
}

export function emptyChain(chain: string): ChainState {
  return { chain, size: 0, head: GENESIS, ts: 0, tree: createMerkleTree() };
}

export interface ChainLink {
  readonly record: AuditRecord;
  readonly entry: LogEntry;
}

/** Adds events to a chain. Times never decrease, also when the clock goes back. */
export function extendChain(
  state: ChainState,
  events: readonly { readonly event: AuditEvent; readonly ts: number }[],
): { state: ChainState; links: ChainLink[] } {
  const tree = state.tree.copy();
  let { size, head, ts } = state;
  const links = events.map((item) => {
    ts = Math.max(ts, item.ts);
    const record = placeEvent(item.event, { chain: state.chain, seq: size, ts, prev: head });
    const entry = toLogEntry(record);
    tree.append(hashLeaf(entry.body));
    head = hashLine(entry.body);
    size++;
    return { record, entry };
  });
  return { state: { chain: state.chain, size, head, ts, tree }, links };
}

/** Adds stored entries to a chain state, without parsing them. */
export function followEntries(state: ChainState, entries: readonly LogEntry[]): ChainState {
  const tree = state.tree.copy();
  let { size, head, ts } = state;
  for (const entry of entries) {
    tree.append(hashLeaf(entry.body));
    head = hashLine(entry.body);
    ts = entry.ts;
    size++;
  }
  return { chain: state.chain, size, head, ts, tree };
}

export function checkpointOf(state: ChainState, time: number): Checkpoint {
  return {
    chain: state.chain,
    size: state.size,
    root: state.tree.root(),
    head: state.head,
    time: new Date(time).toISOString(),
  };
}
