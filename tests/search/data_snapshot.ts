import { assignNames, toIdentifier } from "../../src/catalog/names.ts";
import type { CatalogSnapshot, ServerState } from "../../src/model/catalog.ts";
import type { Tool } from "../../src/model/tool.ts";
import type { DataTool } from "./data_folder.ts";

export interface DataSnapshot {
  readonly snapshot: CatalogSnapshot;
  /** `Tool.id` to the key that the queries name. */
  readonly keys: ReadonlyMap<string, string>;
}

/**
 * A snapshot of a labelled set, without the limits and pins of a real listing.
 *
 * Where two names of a set meet in one identifier, the second is numbered, because each of them has
 * queries.
 */
export function snapshotOf(list: readonly DataTool[]): DataSnapshot {
  const servers = [...new Set(list.map((tool) => tool.server || "tools"))];
  const identifiers = spread(servers);
  const tools = new Map<string, Tool>();
  const keys = new Map<string, string>();
  const states = new Map<string, ServerState>();
  for (const [server, ofServer] of Map.groupBy(list, (tool) => tool.server || "tools")) {
    const names = spread(ofServer.map((tool) => tool.key));
    const serverIdentifier = identifiers.get(server) ?? "";
    for (const data of ofServer) {
      const own = toIdentifier(data.name);
      const identifier = tools.has(`${serverIdentifier}.${own}`) ? names.get(data.key) ?? own : own;
      const tool = toolOf(data, server, serverIdentifier, identifier);
      tools.set(tool.id, tool);
      keys.set(tool.id, data.key);
    }
    const [first] = ofServer;
    states.set(server, {
      server,
      serverIdentifier,
      title: first?.serverTitle ?? server,
      ...(first?.serverDescription ? { description: first.serverDescription } : {}),
      status: "ready",
      error: null,
      toolCount: ofServer.length,
      listedAt: 0,
    });
  }
  return { snapshot: { revision: 1, tools, servers: states, quarantined: [] }, keys };
}

function toolOf(
  data: DataTool,
  server: string,
  serverIdentifier: string,
  identifier: string,
): Tool {
  return {
    id: `${serverIdentifier}.${identifier}`,
    server,
    name: data.name,
    serverIdentifier,
    identifier,
    kind: "tool",
    title: data.title ?? "",
    description: data.description ?? "",
    inputSchema: data.inputSchema ?? { type: "object" },
    outputSchema: data.outputSchema ?? null,
    hints: {},
    tags: data.tags ?? [],
    http: data.http ?? null,
    pin: data.key,
  };
}

/** Every name with an identifier, colliding ones numbered. */
function spread(names: readonly string[]): Map<string, string> {
  const wanted = new Map(names.map((name) => [name, toIdentifier(name)]));
  const { identifiers, collisions } = assignNames(wanted);
  let number = 2;
  return new Map([
    ...identifiers,
    ...[...collisions.keys()].map((name) => [name, `${wanted.get(name)}_${number++}`] as const),
  ]);
}
