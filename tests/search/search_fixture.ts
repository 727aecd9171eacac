import type { CatalogSnapshot } from "../../src/model/catalog.ts";
import type { Config } from "../../src/config/schema.ts";
import type { Tool } from "../../src/model/tool.ts";
import { createSearchIndex, type SearchIndex } from "../../src/search/search_index.ts";
import type { Visible } from "../../src/search/views.ts";
import { toolOf } from "../catalog/tool_fixture.ts";

export const SEARCH_CONFIG: Config["search"] = { limit: 5, namesMax: 15, tokensMax: 1_500 };

/** Everything is visible. */
export const ALL: Visible = (tool) => ({
  access: tool.hints.readOnly === true ? "read" : "write",
  effect: "allow",
});

export function snapshotOfTools(tools: readonly Tool[], revision = 1): CatalogSnapshot {
  const servers = Map.groupBy(tools, (tool) => tool.server);
  return {
    revision,
    tools: new Map(tools.map((tool) => [tool.id, tool])),
    servers: new Map(
      [...servers].map(([server, list]) => [server, {
        server,
        serverIdentifier: list[0]?.serverIdentifier ?? server,
        title: server,
        status: "ready",
        error: null,
        toolCount: list.length,
        listedAt: 0,
      }]),
    ),
    quarantined: [],
  };
}

export function indexOf(
  tools: readonly Tool[],
  config: Partial<Config["search"]> = {},
): SearchIndex {
  const snapshot = snapshotOfTools(tools);
  return createSearchIndex({ snapshot: () => snapshot, config: { ...SEARCH_CONFIG, ...config } });
}

/** The names of the first tools for a query. */
export async function find(
  index: SearchIndex,
  query: string,
  visible: Visible = ALL,
): Promise<string[]> {
  const { hits } = await index.search({ query }, visible);
  return hits.map((hit) => hit.name);
}

function tool(server: string, name: string, description: string, more: Partial<Tool> = {}): Tool {
  const readOnly = /^(get|list|search|read|find)/i.test(name);
  return toolOf(server, name, { description, hints: { readOnly }, ...more });
}

function takes(...names: readonly string[]): Partial<Tool> {
  return {
    inputSchema: {
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
      required: names,
    },
  };
}

/** A small catalog with what real ones have: near names, verbs, several styles of spelling. */
export const TOOLS: readonly Tool[] = [
  tool("dns", "create_dns_record", "Adds a record to a zone.", takes("zone_id", "name", "content")),
  tool("dns", "delete_dns_record", "Removes a record from a zone.", takes("record_id")),
  tool("dns", "list_dns_records", "Lists the records of a zone.", takes("zone_id")),
  tool("dns", "purge-cache", "Drops cached files at the edge.", takes("urls")),
  tool("files", "read_text_file", "Reads the content of a file as text.", takes("path")),
  tool("files", "write_file", "Writes text into a file.", takes("path", "content")),
  tool("files", "move_file", "Moves or renames a file.", takes("from", "to")),
  tool("files", "list_directory", "Lists files and folders in a directory.", takes("path")),
  tool("github", "createIssue", "Opens a new issue in a repository.", takes("owner", "title")),
  tool("github", "listIssues", "Lists the issues of a repository.", takes("owner", "repo")),
  tool("github", "createPullRequest", "Proposes a branch for merging.", takes("head", "base")),
  tool("github", "searchCode", "Finds code in repositories.", takes("query")),
  tool("mail", "send", "Sends an e-mail.", takes("to", "subject", "body")),
  tool("mail", "search", "Finds messages by words.", takes("query")),
  tool("calendar", "create_event", "Puts an event into the calendar.", takes("start", "title")),
  tool("calendar", "list_events", "Lists the events of a day.", takes("day")),
  tool("weather", "查询天气", "查询指定城市的天气预报", takes("city")),
  tool("kube", "createEviction", "Evicts a pod from its node.", takes("pod", "namespace")),
  tool("r2", "r2_get_object", "Gets an object of a bucket.", takes("bucket", "key")),
  tool("pay", "refund", "Pays money back for an order.", takes("order", "amount")),
  tool("pay", "get_refund", "Gets one refund.", takes("id")),
];
