import { z } from "zod";
import type { UpstreamListing } from "../../model/upstream.ts";
import { describeFailure } from "../failure_words.ts";
import type { McpConnection, RequestBounds } from "./connection.ts";
import { isConnectionLost, refusalWords } from "./errors.ts";
import { type HeaderDeclaration, headerDeclarations } from "./param_headers.ts";

/** Lists are cut off here: a hostile server may page for ever. */
const PAGES_MAX = 500;
const ITEMS_MAX = 100_000;

/** The lists of one server, and the header declarations that later calls need. */
export interface McpLists {
  readonly listing: Pick<UpstreamListing, "tools" | "resources" | "prompts" | "skipped">;
  /** By tool name; only tools that have any. */
  readonly headers: ReadonlyMap<string, readonly HeaderDeclaration[]>;
}

const TOOLS: ListKind = { method: "tools/list", key: "tools" };
/** Time limit for listing tools that the server did not announce. */
const UNANNOUNCED_MS_MAX = 5_000;

interface ListKind {
  readonly method: string;
  readonly key: "tools" | "resources" | "resourceTemplates" | "prompts";
}

/**
 * Lists everything a server offers, unchecked: the catalog judges each definition, so that one
 * malformed definition does not cost the others. Only the tools must be listed; failures of
 * resources and prompts are noted.
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
      // Many servers announce resources but refuse to list templates, so do not note that.
      if (kind.key !== "resourceTemplates") {
        const reason = describeFailure(error);
        skipped.push({ name: kind.method, reason: `The server could not list them: ${reason}` });
      }
      return [];
    }
  };
  const { offers } = connection;
  const [tools, resources, templates, prompts] = await Promise.all([
    offers.tools ? listAll(connection, TOOLS, bounds, skipped) : unannounced(connection, bounds),
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

/**
 * The tools of a 2025 server that did not announce tools: some servers forget to, and clients that
 * just ask find them. A failure means that there are none.
 */
async function unannounced(
  connection: McpConnection,
  bounds: RequestBounds,
): Promise<unknown[]> {
  if (connection.era === "modern") return [];
  const timeoutMs = Math.min(bounds.timeoutMs, UNANNOUNCED_MS_MAX);
  try {
    return await listAll(connection, TOOLS, { ...bounds, timeoutMs }, []);
  } catch (error) {
    if (bounds.signal.aborted || isConnectionLost(error)) throw error;
    return [];
  }
}

/** The answer to a list request has no list. The message names the wrong member. */
export class OddListError extends Error {
  override readonly name = "OddListError";
}

/** `readPage` checks the list by hand, so that its error can name the wrong member. */
const PageSchema = z.looseObject({ nextCursor: z.unknown().optional() });

/** Walks the pages of one list. A repeated cursor or too many pages end the walk with a note. */
async function listAll(
  connection: McpConnection,
  kind: ListKind,
  bounds: RequestBounds,
  skipped: { name: string; reason: string }[],
): Promise<unknown[]> {
  const items: unknown[] = [];
  const note = (reason: string) => skipped.push({ name: kind.method, reason });
  const cursors = new Set<unknown>();
  let firstPage: readonly unknown[] = [];
  let cursor: unknown;
  for (let pages = 0;; pages++) {
    if (pages === PAGES_MAX || items.length > ITEMS_MAX) {
      note(`The list is cut off after ${items.length} entries`);
      return items.slice(0, ITEMS_MAX);
    }
    let page: { readonly items: readonly unknown[]; readonly next: unknown };
    try {
      page = await readPage(connection, kind, cursor, bounds);
    } catch (error) {
      // Many servers of the 2025 era write an empty cursor for "no more", and then refuse that
      // cursor.
      if (cursor === "" && refusalWords(error) !== null) return items;
      throw error;
    }
    if (pages === 0) firstPage = page.items;
    else if (cursor === "" && isSame(page.items, firstPage)) return items;
    for (const item of page.items) items.push(item);
    const { next } = page;
    if (next === undefined || next === null || next === false) return items;
    if (typeof next !== "string" && typeof next !== "number") {
      note(`The list may go on: its nextCursor is not a text but ${kindOf(next)}`);
      return items;
    }
    if (cursors.has(next)) {
      note("The server's pages go round in a circle");
      return items;
    }
    cursors.add(next);
    cursor = next;
  }
}

/** @throws {OddListError} if the answer has no list. */
async function readPage(
  connection: McpConnection,
  kind: ListKind,
  cursor: unknown,
  bounds: RequestBounds,
): Promise<{ readonly items: readonly unknown[]; readonly next: unknown }> {
  const params = cursor === undefined ? {} : { cursor };
  const answer = await connection.request({ method: kind.method, params }, PageSchema, bounds);
  const items = answer[kind.key];
  if (Array.isArray(items)) return { items, next: answer.nextCursor };
  throw new OddListError(
    `the answer of ${kind.method} is not valid: "${kind.key}" is not a list but ${kindOf(items)}`,
  );
}

function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  return value === null
    ? "null"
    : Array.isArray(value)
    ? "a list"
    : typeof value === "object"
    ? "an object"
    : `a ${typeof value}`;
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && JSON.stringify(a) === JSON.stringify(b);
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
