import type { CatalogSnapshot } from "../model/catalog.ts";

/** Servers that have never said what they have: of their tools nobody can say that they do not exist. */
export function countUnlisted(snapshot: Pick<CatalogSnapshot, "servers">): number {
  return [...snapshot.servers.values()].filter(({ listedAt }) => listedAt === null).length;
}
