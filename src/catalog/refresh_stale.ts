import type { Catalog } from "./catalog.ts";

/** What the store knew was enough to start with; whether it still holds, the upstreams say. */
export async function refreshStale(catalog: Catalog): Promise<void> {
  const servers = [...catalog.snapshot().servers.values()];
  const stale = servers.filter(({ status }) => status === "stale");
  await Promise.all(stale.map(({ server }) => catalog.refresh(server)));
}
