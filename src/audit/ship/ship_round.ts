import type { LogLevel } from "../../model/log.ts";
import type { Store } from "../../store/store.ts";
import { readBacklog, takeLease } from "./place.ts";
import { reasonOfSink } from "./reason.ts";
import { shipChain } from "./ship_chain.ts";
import {
  noteBacklog,
  noteChangedRecords,
  noteElsewhere,
  noteFailure,
  noteSuccess,
  type ShipLine,
} from "./ship_line.ts";

export interface RoundDeps {
  readonly store: Store;
  readonly log: (level: LogLevel, message: string) => void;
  readonly now: () => number;
  /** How long records are kept when no sink waits for them. */
  readonly retentionMs: number;
  /** Id of this replica; only the holder of a sink's lease ships to the sink. */
  readonly holder: string;
  /** Ends a round early. */
  readonly signal: AbortSignal;
}

/**
 * Delivers the waiting records of every chain to a sink. Never rejects: the status tells of a sink
 * or store that is away, and the next round tries again.
 */
export async function shipRound(deps: RoundDeps, line: ShipLine): Promise<void> {
  const { signal, log } = deps;
  try {
    if (await shipChains(deps, line)) noteSuccess(line, log);
    else noteElsewhere(line);
  } catch (error) {
    if (!signal.aborted) noteFailure(line, reasonOfSink(error, line.config), log);
  } finally {
    noteChangedRecords(line, log);
    await countBacklog(deps, line);
  }
}

/**
 * Ships each chain, also after another chain failed; then rejects with the first failure.
 *
 * @returns false if another replica ships to this sink.
 */
async function shipChains(deps: RoundDeps, line: ShipLine): Promise<boolean> {
  const { store, signal, holder } = deps;
  const mayGoOn = async () => !signal.aborted && await takeLease(store, line.id, holder);
  if (!await mayGoOn()) return false;
  const failures: unknown[] = [];
  for (const chain of await store.logs()) {
    if (signal.aborted) break;
    try {
      await shipChain({ store, signal, mayGoOn }, line, chain);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return true;
}

export async function countBacklog(deps: RoundDeps, line: ShipLine): Promise<void> {
  try {
    noteBacklog(line, await readBacklog(deps.store, line.id), deps);
  } catch {
    return; // `/readyz` reports a store that is away
  }
}
