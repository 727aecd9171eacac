import type { Catalog } from "../catalog/catalog.ts";
import type { Log } from "../model/log.ts";
import { withinMs } from "../model/time/within_ms.ts";
import type { ActivePolicy } from "../policy/active_policy.ts";
import type { Upstreams } from "../upstream/upstreams.ts";

export interface StartCatalogDeps {
  readonly policy: Pick<ActivePolicy, "announce" | "toolsChanged">;
  readonly upstreams: Pick<Upstreams, "onListChanged">;
  readonly log: Log;
}

/** How long the first request waits for upstreams that have not answered yet. */
const FIRST_LISTING_MS = 15_000;

/**
 * Puts an opened catalog to use: the policy in force is recorded before its first decision, servers are
 * listed, and listed again when they say that their lists changed.
 *
 * @returns the catalog, once every server has answered or was given up on for now.
 */
export async function startCatalog(
  { policy, upstreams, log }: StartCatalogDeps,
  catalog: Catalog,
): Promise<Catalog> {
  await policy.announce();
  upstreams.onListChanged((server) => {
    catalog.refresh(server).catch((error) =>
      log("warn", "Cannot list an upstream again", { server, cause: `${error}` })
    );
  });
  await withinMs(catalog.ready(), FIRST_LISTING_MS);
  policy.toolsChanged();
  catalog.onChange(() => policy.toolsChanged());
  return catalog;
}
