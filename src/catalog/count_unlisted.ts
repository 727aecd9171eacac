import type { CatalogSnapshot } from "../model/catalog.ts";

/**
 * How many servers were never listed: toolgate cannot say of any of their tools that it does not
 * exist.
 */
export function countUnlisted(snapshot: Pick<CatalogSnapshot, "servers">): number {
  return [...snapshot.servers.values()].filter(({ listedAt }) => listedAt === null).length;
}
