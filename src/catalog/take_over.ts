import type { Log } from "../model/log.ts";
import type { CatalogRecords } from "./catalog_records.ts";
import type { EntryBoard } from "./entry_board.ts";
import type { ServerLoader } from "./server_loader.ts";
import type { InTurn } from "./turns.ts";

export interface TakeOverDeps {
  readonly board: EntryBoard;
  readonly loader: Pick<ServerLoader, "restore">;
  readonly inTurn: InTurn;
}

/**
 * Reads a server from the store after another replica saved it; if the entry changes meanwhile,
 * reads again.
 */
export function takeOver(deps: TakeOverDeps, server: string): Promise<void> {
  const { board } = deps;
  return deps.inTurn(server, async () => {
    for (let entry = board.get(server); entry !== undefined && !board.isClosed;) {
      const restored = await deps.loader.restore(entry);
      const current = board.get(server);
      if (current === entry) return await board.replace(restored);
      entry = current;
    }
  });
}

/**
 * Takes over every server that another replica announces.
 *
 * @returns a function that ends that and waits for the last one
 */
export async function followReplicas(
  deps: TakeOverDeps & { readonly records: Pick<CatalogRecords, "onAnnounced">; readonly log: Log },
): Promise<() => Promise<void>> {
  let following = Promise.resolve();
  const stop = await deps.records.onAnnounced((server) => {
    // One after the other: otherwise an older reading could be written last.
    following = following.then(() => takeOver(deps, server)).catch((error) => {
      deps.log("warn", "Cannot read what another replica saved", { server, cause: `${error}` });
    });
  });
  return async () => {
    await stop();
    await following;
  };
}
