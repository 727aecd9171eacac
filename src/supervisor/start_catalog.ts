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
 * Puts an opened catalog to use: records the policy in force before its first decision, lists the
 * servers, and lists a server again when it says that its list changed.
 *
 * @returns the catalog, once every server has answered or its waiting time is over.
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
