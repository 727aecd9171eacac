import type { AuditEvent } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import type { UpstreamListing } from "../model/upstream.ts";
import type { CatalogRecords } from "./catalog_records.ts";
import { cleanLine } from "./clean_text.ts";
import type { EntryBoard } from "./entry_board.ts";
import { failedEntry, listingChanges } from "./server_entry.ts";
import type { ServerLoader } from "./server_loader.ts";
import type { InTurn } from "./turns.ts";

export interface ListServerDeps {
  readonly board: EntryBoard;
  readonly records: Pick<CatalogRecords, "announce">;
  readonly loader: Pick<ServerLoader, "accept">;
  readonly inTurn: InTurn;
  readonly listTools: (server: string) => Promise<UpstreamListing>;
  /** Resolves at the close of the catalog. */
  readonly closed: Promise<null>;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly log: Log;
}

/**
 * Asks an upstream for its tools and shows them; a failure keeps the old ones and says why.
 *
 * @returns false if it failed, or if the catalog closed meanwhile
 */
export async function listServer(deps: ListServerDeps, server: string): Promise<boolean> {
  const { board } = deps;
  try {
    const listing = await Promise.race([deps.listTools(server), deps.closed]);
    if (listing === null) return false;
    const changes = await deps.inTurn(server, async () => {
      const before = board.find(server);
      const after = await deps.loader.accept(() => board.find(server), listing);
      if (board.isClosed) return null;
      await board.replace(after);
      return listingChanges(before, after);
    });
    if (board.isClosed) return false;
    if (changes !== null) {
      await deps.records.announce(server);
      await deps.audit({ kind: "catalog.change", detail: { server, ...changes } });
    }
    return true;
  } catch (error) {
    if (board.isClosed) return false;
    const reason = cleanLine(error instanceof Error ? error.message : String(error), 300);
    deps.log("warn", "Cannot list an upstream", { server, reason });
    await board.replace(failedEntry(board.find(server), reason));
    return false;
  }
}
