import type { AuditEvent } from "../../src/model/event.ts";
import type { UpstreamListing } from "../../src/model/upstream.ts";
import { type Catalog, type CatalogDeps, openCatalog } from "../../src/catalog/catalog.ts";
import { openStore } from "../../src/store/open_store.ts";

/** A raw MCP definition with the fewest parts. */
export function rawTool(name: string, more: { readonly [key: string]: unknown } = {}) {
  return { name, description: `Does ${name}.`, inputSchema: { type: "object" }, ...more };
}

export function listingOf(...tools: readonly unknown[]): UpstreamListing {
  return { title: "", identity: "test", tools, resources: [], prompts: [], skipped: [] };
}

export interface CatalogFixture {
  readonly catalog: Catalog;
  /** What each server answers at the next listing; a missing one fails. */
  readonly listings: Map<string, UpstreamListing>;
  readonly events: AuditEvent[];
  /** Servers in the order in which they were listed. */
  readonly asked: string[];
}

/** A catalog over listings that a test changes as it likes. */
export async function openFixture(
  listings: { readonly [server: string]: UpstreamListing },
  deps: Partial<CatalogDeps> = {},
): Promise<CatalogFixture> {
  const answers = new Map(Object.entries(listings));
  const events: AuditEvent[] = [];
  const asked: string[] = [];
  const catalog = await openCatalog({
    store: await openStore("memory:"),
    servers: Object.keys(listings),
    listTools: (server) => {
      asked.push(server);
      const listing = answers.get(server);
      return listing ? Promise.resolve(listing) : Promise.reject(new Error("connection refused"));
    },
    config: { refreshEveryMs: 300_000, pins: "enforce" },
    aliases: {},
    audit: (event) => Promise.resolve(events.push(event)),
    log: () => {},
    ...deps,
  });
  return { catalog, listings: answers, events, asked };
}

/** Decides about a tool as the catalog shows it now. */
export async function decideNow(
  catalog: Catalog,
  verb: "approve" | "block",
  server: string,
  name: string,
): Promise<void> {
  const pin = catalog.diff(server, name)?.pin ?? "";
  await catalog.decide({ verb, server, name, pin, actor: null });
}

/** Resolves at the next change of the snapshot. */
export function nextChange(catalog: Catalog): Promise<void> {
  return new Promise((resolve) => {
    const stop = catalog.onChange(() => {
      stop();
      resolve();
    });
  });
}
