import type { CatalogSnapshot } from "../model/catalog.ts";

/**
 * Whether it is known what a server offers. A configured server that has not answered yet is not listed;
 * one that is not configured counts as listed, with nothing.
 */
export function isListed(snapshot: CatalogSnapshot, name: string): boolean {
  const state = [...snapshot.servers.values()].find(({ server, serverIdentifier }) =>
    server === name || serverIdentifier === name
  );
  return state === undefined || state.listedAt !== null;
}
