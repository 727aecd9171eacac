import { GateError } from "../model/errors.ts";
import type { CatalogSnapshot, QuarantinedTool } from "../model/catalog.ts";
import { nearest } from "../model/nearest.ts";
import type { Tool } from "../model/tool.ts";

/** How a program or a caller spelled a tool. */
export interface ToolSpelling {
  readonly server: string;
  readonly tool: string;
}

const SPELLING_CHARACTERS_MAX = 256;
const NEAR_MAX = 3;

/** Splits `server.tool`; a server's own name may hold dots, so every dot is tried against the catalog. */
export function splitToolName(snapshot: CatalogSnapshot, name: string): ToolSpelling {
  for (let dot = name.indexOf("."); dot > 0; dot = name.indexOf(".", dot + 1)) {
    const spelling = { server: name.slice(0, dot), tool: name.slice(dot + 1) };
    if (lookUp(snapshot, spelling) !== null) return spelling;
  }
  const first = name.indexOf(".");
  return first < 0
    ? { server: "", tool: name }
    : { server: name.slice(0, first), tool: name.slice(first + 1) };
}

/** The tool of that spelling, original or as an identifier; null if the catalog has none. */
export function lookUp(snapshot: CatalogSnapshot, spelling: ToolSpelling): Tool | null {
  return snapshot.tools.get(`${spelling.server}.${spelling.tool}`) ??
    originals(snapshot).get(JSON.stringify([spelling.server, spelling.tool])) ?? null;
}

/** The quarantined definition of that spelling, if there is one. */
export function lookUpQuarantined(
  snapshot: CatalogSnapshot,
  spelling: ToolSpelling,
): QuarantinedTool | null {
  return snapshot.quarantined.find((entry) =>
    entry.name === spelling.tool &&
    (entry.server === spelling.server ||
      snapshot.servers.get(entry.server)?.serverIdentifier === spelling.server)
  ) ?? null;
}

/**
 * The error for a tool that does not exist for this caller.
 *
 * The same words whether it is missing or hidden; suggestions come from what the caller may see.
 */
export function toolNotFound(
  snapshot: CatalogSnapshot,
  spelling: ToolSpelling,
  isVisible: (tool: Tool) => boolean,
): GateError {
  const name = `${spelling.server}.${spelling.tool}`.slice(0, SPELLING_CHARACTERS_MAX);
  const suggestions = suggest(snapshot, spelling, isVisible);
  const hint = suggestions.length > 0
    ? `Did you mean ${suggestions.join(" or ")}? Find tools with search.`
    : "Find the tools you may use with search.";
  return new GateError("ERR_TOOL_NOT_FOUND", `Tool "${name}" does not exist`, { hint, tool: name });
}

function suggest(
  snapshot: CatalogSnapshot,
  spelling: ToolSpelling,
  isVisible: (tool: Tool) => boolean,
): string[] {
  // Hidden tools are left out first: one that is nearer would take the place of one that is not.
  const visible = [...snapshot.tools.values()].filter(isVisible);
  const ofServer = visible.filter((tool) =>
    tool.serverIdentifier === spelling.server || tool.server === spelling.server
  );
  if (ofServer.length > 0) {
    const byIdentifier = new Map(ofServer.map((tool) => [tool.identifier, tool.id]));
    return nearest(spelling.tool, byIdentifier.keys(), NEAR_MAX)
      .flatMap((identifier) => byIdentifier.get(identifier) ?? []);
  }
  return nearest(`${spelling.server}.${spelling.tool}`, visible.map(({ id }) => id), NEAR_MAX);
}

const originalsBySnapshot = new WeakMap<CatalogSnapshot, ReadonlyMap<string, Tool>>();

/** Tools by their original spelling (and mixtures with the identifier), made once for each snapshot. */
function originals(snapshot: CatalogSnapshot): ReadonlyMap<string, Tool> {
  const known = originalsBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const index = new Map<string, Tool>();
  for (const tool of snapshot.tools.values()) {
    for (const server of [tool.server, tool.serverIdentifier]) {
      for (const name of [tool.name, tool.identifier]) {
        const key = JSON.stringify([server, name]);
        // An identifier never takes over another tool's original spelling.
        if (!index.has(key) || (tool.server === server && tool.name === name)) index.set(key, tool);
      }
    }
  }
  originalsBySnapshot.set(snapshot, index);
  return index;
}
