import type { ChainLink, ChainState } from "../chain/chain.ts";
import type { OpenWork } from "./open_work.ts";
import type { RecoveredChain } from "./recover_chain.ts";

/** The state of a chain for the process that writes it. Never changed in place. */
export interface ChainStanding {
  readonly state: ChainState;
  /** Whether the record that opens this process's part of the chain is written. */
  readonly isOpened: boolean;
  readonly open: OpenWork;
  /** Number of records up to and including the last checkpoint. */
  readonly checkpointSize: number;
  /** When the last checkpoint was written, or the process began; milliseconds since the epoch. */
  readonly checkpointTime: number;
}

export function standAtStart(recovered: RecoveredChain, now: number): ChainStanding {
  const { state, open, checkpointSize } = recovered;
  return { state, isOpened: false, open, checkpointSize, checkpointTime: now };
}

/**
 * The standing of the chain after these links.
 *
 * @param state the chain's state after the last link; there is at least one
 */
export function standAfter(
  before: ChainStanding,
  state: ChainState,
  links: readonly ChainLink[],
  now: number,
): ChainStanding {
  const open = before.open.copy();
  for (const { record } of links) open.see(record);
  const stand = { ...before, state, isOpened: true, open };
  return endsWithCheckpoint(links)
    ? { ...stand, checkpointSize: state.size, checkpointTime: now }
    : stand;
}

export function endsWithCheckpoint(links: readonly ChainLink[]): boolean {
  return links.at(-1)?.record.kind === "checkpoint";
}
