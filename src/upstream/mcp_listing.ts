import { z } from "zod";
import type { UpstreamListing } from "../model/upstream.ts";
import type { McpConnection, RequestBounds } from "./mcp_connection.ts";
import { type HeaderDeclaration, headerDeclarations } from "./param_headers.ts";

/** A server that never stops paging, or lists more than anyone can use, is cut off here. */
const PAGES_MAX = 500;
const ITEMS_MAX = 100_000;

/** The lists of one server and what later calls need to know of them. */
export interface McpLists {
  readonly listing: Pick<UpstreamListing, "tools" | "resources" | "prompts" | "skipped">;
  /** By tool name; only tools that have any. */
  readonly headers: ReadonlyMap<string, readonly HeaderDeclaration[]>;
}

interface ListKind {
  readonly method: string;
  readonly key: "tools" | "resources" | "resourceTemplates" | "prompts";
}

/**
 * Lists everything a server offers, raw: one malformed definition is the catalog's to judge and never
 * costs the others. Only the tools must be there; resources and prompts that fail are noted.
 */
export async function listMcp(
  connection: McpConnection,
  bounds: RequestBounds,
): Promise<McpLists> {
  const skipped: { name: string; reason: string }[] = [];
  const optional = async (offered: boolean, kind: ListKind): Promise<unknown[]> => {
    if (!offered) return [];
    try {
      return await listAll(connection, kind, bounds, skipped);
    } catch (error) {
      if (bounds.signal.aborted) throw error;
      // Many servers announce resources and do not answer for their templates.
      if (kind.key !== "resourceTemplates") {
        skipped.push({ name: kind.method, reason: "The server could not list them" });
      }
      return [];
    }
  };
  const { offers } = connection;
  const [tools, resources, templates, prompts] = await Promise.all([
    offers.tools
      ? listAll(connection, { method: "tools/list", key: "tools" }, bounds, skipped)
      : Promise.resolve([]),
    optional(offers.resources, { method: "resources/list", key: "resources" }),
    optional(offers.resources, { method: "resources/templates/list", key: "resourceTemplates" }),
    optional(offers.prompts, { method: "prompts/list", key: "prompts" }),
  ]);
  const { usable, headers } = connection.era === "modern"
    ? readHeaders(tools, skipped)
    : { usable: tools, headers: new Map() };
  return {
    listing: { tools: usable, resources: [...resources, ...templates], prompts, skipped },
    headers,
  };
}

/** Walks the pages of one list. A cursor that comes back, or too many pages, ends the walk with a note. */
async function listAll(
  connection: McpConnection,
  kind: ListKind,
  bounds: RequestBounds,
  skipped: { name: string; reason: string }[],
): Promise<unknown[]> {
  const page = z.looseObject({
    [kind.key]: z.array(z.unknown()),
    nextCursor: z.unknown().optional(),
  });
  const items: unknown[] = [];
  const cursors = new Set<string>();
  let cursor: string | undefined;
  for (let pages = 0;; pages++) {
    if (pages === PAGES_MAX || items.length > ITEMS_MAX) {
      skipped.push({
        name: kind.method,
        reason: `The list is cut off after ${items.length} entries`,
      });
      return items.slice(0, ITEMS_MAX);
    }
    const answer = await connection.request(
      { method: kind.method, params: cursor === undefined ? {} : { cursor } },
      page,
      bounds,
    );
    for (const item of answer[kind.key] as unknown[]) items.push(item);
    const next = answer.nextCursor;
    if (typeof next !== "string" || next === "") return items;
    if (cursors.has(next)) {
      skipped.push({ name: kind.method, reason: "The server's pages go round in a circle" });
      return items;
    }
    cursors.add(next);
    cursor = next;
  }
}

function readHeaders(
  tools: readonly unknown[],
  skipped: { name: string; reason: string }[],
): { usable: unknown[]; headers: Map<string, readonly HeaderDeclaration[]> } {
  const headers = new Map<string, readonly HeaderDeclaration[]>();
  const usable = tools.filter((tool) => {
    if (typeof tool !== "object" || tool === null || !("inputSchema" in tool)) return true;
    const { declarations, problem } = headerDeclarations(tool.inputSchema);
    const name = "name" in tool && typeof tool.name === "string" ? tool.name : "";
    if (problem !== null) {
      skipped.push({ name, reason: `Its definition is not allowed: ${problem}` });
      return false;
    }
    if (declarations.length > 0) headers.set(name, declarations);
    return true;
  });
  return { usable, headers };
}
