import { countUnlisted } from "../../catalog/count_unlisted.ts";
import type { CatalogSnapshot, QuarantinedTool } from "../../model/catalog.ts";
import { GateError } from "../../model/errors.ts";
import type { ToolSpelling } from "../../model/named_tool.ts";
import { nearest } from "../../model/nearest.ts";
import type { Tool } from "../../model/tool.ts";
import { meantTools } from "./meant_tools.ts";

const SPELLING_CHARACTERS_MAX = 256;

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
 * A missing and a hidden tool get the same text; suggestions name only visible tools.
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
  const unlisted = countUnlisted(snapshot);
  if (unlisted === 0) {
    const message = `Tool "${name}" does not exist`;
    return new GateError("ERR_TOOL_NOT_FOUND", message, { hint, tool: name });
  }
  // Added for every server name: otherwise the hint would reveal which servers exist.
  const servers = unlisted === 1 ? "1 server has" : `${unlisted} servers have`;
  return new GateError("ERR_TOOL_NOT_FOUND", `Tool "${name}" is not known`, {
    hint: `${hint} ${servers} not answered yet, so that more tools may come.`,
    tool: name,
  });
}

const SUGGESTIONS_MAX = 3;

function suggest(
  snapshot: CatalogSnapshot,
  spelling: ToolSpelling,
  isVisible: (tool: Tool) => boolean,
): string[] {
  const ofServer = toolsOfServer(snapshot, spelling.server);
  const name = `${spelling.server}.${spelling.tool}`;
  const meant = ofServer.some(isVisible) ? [] : meantTools(snapshot, name, isVisible);
  if (meant.length > 0) return meant.slice(0, SUGGESTIONS_MAX).map(({ id }) => id);
  const near = ofServer.some(isVisible)
    ? nearestTools(spelling.tool, new Map(ofServer.map((tool) => [tool.identifier, tool])))
    : nearestTools(name, snapshot.tools);
  return firstVisible(near, isVisible, SUGGESTIONS_MAX).map(({ id }) => id);
}

/** Tools of a server in either spelling, visible or not. */
export function toolsOfServer(snapshot: CatalogSnapshot, server: string): Tool[] {
  return [...snapshot.tools.values()].filter((tool) =>
    tool.serverIdentifier === server || tool.server === server
  );
}

/**
 * All tools whose key is near to a word, the nearest first. There is no bound, so that hidden tools
 * cannot displace visible ones.
 */
export function nearestTools(word: string, byKey: ReadonlyMap<string, Tool>): Tool[] {
  return nearest(word, byKey.keys(), Infinity).flatMap((key) => byKey.get(key) ?? []);
}

export function firstVisible(
  tools: Iterable<Tool>,
  isVisible: (tool: Tool) => boolean,
  max: number,
): Tool[] {
  return Iterator.from(tools).filter(isVisible).take(max).toArray();
}
