import type { CatalogSnapshot } from "../model/catalog.ts";

/**
 * Whether the tools of a server are known. A configured server that has not answered yet is not
 * listed; a server that is not configured counts as listed, without tools.
 */
export function isListed(snapshot: CatalogSnapshot, name: string): boolean {
  const state = [...snapshot.servers.values()].find(({ server, serverIdentifier }) =>
    server === name || serverIdentifier === name
  );
  return state === undefined || state.listedAt !== null;
}
