import type { Catalog } from "./catalog.ts";

/** Lists the servers again whose tools came from the store: those may be out of date. */
export async function refreshStale(catalog: Catalog): Promise<void> {
  const servers = [...catalog.snapshot().servers.values()];
  const stale = servers.filter(({ status }) => status === "stale");
  await Promise.all(stale.map(({ server }) => catalog.refresh(server)));
}
