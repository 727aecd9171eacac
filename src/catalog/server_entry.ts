import type { CatalogSnapshot, QuarantinedTool, ServerState } from "../model/catalog.ts";
import type { Tool } from "../model/tool.ts";
import { buildTools, type BuiltServer } from "./build_tools.ts";
import type { Observations } from "./catalog_records.ts";
import { cleanLine, cleanText } from "./clean_text.ts";
import { diffDefinitions, isCosmetic, type ToolDiff } from "./diff_definition.ts";
import { toIdentifier } from "./names.ts";
import { type ParsedListing, type ParsedTool, toolKey } from "./parse_listing.ts";
import { pinProblem, type ServerPins } from "./pins.ts";

/** Everything that the catalog knows of one server. Immutable: a change makes a new entry. */
export interface ServerEntry {
  readonly server: string;
  /** Null if another server has the same identifier. */
  readonly identifier: string | null;
  /** Tool name to more search words for it, from the operator. */
  readonly aliases: { readonly [tool: string]: readonly string[] };
  readonly listing: ParsedListing | null;
  readonly pins: ServerPins | null;
  readonly observations: Observations;
  readonly built: BuiltServer;
  readonly state: ServerState;
}

const NOTHING_BUILT: BuiltServer = { tools: [], quarantined: [], holders: {} };
const SERVER_DESCRIPTION_CHARS_MAX = 1_000;
const SERVER_TITLE_CHARS_MAX = 200;

/** The entry of a server that was never listed. */
export function emptyEntry(
  server: string,
  identifier: string | null,
  aliases: ServerEntry["aliases"],
): ServerEntry {
  return {
    server,
    identifier,
    aliases,
    listing: null,
    pins: null,
    observations: {},
    built: NOTHING_BUILT,
    state: {
      server,
      serverIdentifier: identifier ?? toIdentifier(server),
      title: server,
      status: "starting",
      error: null,
      toolCount: 0,
      listedAt: null,
    },
  };
}

/** The entry after a failed listing: the tools stay, and the state says why they are old. */
export function failedEntry(entry: ServerEntry, reason: string): ServerEntry {
  const status = entry.listing === null ? "down" : "stale";
  return { ...entry, state: { ...entry.state, status, error: reason } };
}

/** A server's title, description and state in the catalog. */
export interface Presentation {
  readonly title: string;
  readonly description: string;
  readonly listedAt: number;
  readonly status: "ready" | "stale";
  readonly error: string | null;
}

/** The entry with a cleaned title and description, and its new state. */
export function presentEntry(entry: ServerEntry, as: Presentation): ServerEntry {
  const description = cleanText(as.description, SERVER_DESCRIPTION_CHARS_MAX);
  const state: ServerState = {
    ...entry.state,
    title: cleanLine(as.title, SERVER_TITLE_CHARS_MAX) || entry.server,
    status: as.status,
    error: as.error,
    listedAt: as.listedAt,
    ...(description === "" ? {} : { description }),
  };
  return { ...entry, state };
}

/** Names the tools and checks their pins again. */
export function rebuildEntry(
  entry: ServerEntry,
  listing: ParsedListing,
  pins: ServerPins,
): ServerEntry {
  const { server, identifier, aliases, observations } = entry;
  if (identifier === null) {
    const detail = `Another server already has the name ${entry.state.serverIdentifier}`;
    const quarantined = listing.tools.map(({ name }): QuarantinedTool => ({
      server,
      name,
      reason: "collision",
      detail,
    }));
    return { ...entry, listing, pins, built: { ...NOTHING_BUILT, quarantined } };
  }
  const built = buildTools({
    server,
    serverIdentifier: identifier,
    listing,
    pins,
    aliases,
    observations,
    before: entry.built.tools,
  });
  return {
    ...entry,
    listing,
    pins,
    built,
    state: { ...entry.state, toolCount: built.tools.length },
  };
}

export function composeSnapshot(
  revision: number,
  entries: Iterable<ServerEntry>,
): CatalogSnapshot {
  const tools = new Map<string, Tool>();
  const servers = new Map<string, ServerState>();
  const quarantined: QuarantinedTool[] = [];
  for (const { server, state, built } of entries) {
    for (const tool of built.tools) tools.set(tool.id, tool);
    for (const entry of built.quarantined) quarantined.push(entry);
    servers.set(server, state);
  }
  return { revision, tools, servers, quarantined };
}

export function listedTools(entry: ServerEntry): readonly ParsedTool[] {
  return entry.listing?.tools ?? [];
}

/**
 * Finds a tool by the upstream's spelling, else by the identifier. A tool and a prompt may share a
 * name: then the one with the pin counts, else the one that waits for an operator.
 */
export function findListed(
  entry: ServerEntry,
  name: string,
  pin: string | null = null,
): ParsedTool | undefined {
  const tools = listedTools(entry);
  const spelled = tools.filter((tool) => tool.name === name);
  if (spelled.length === 0) return tools.find((tool) => toIdentifier(tool.spelling) === name);
  return spelled.find((tool) => tool.pin === pin) ??
    spelled.find((tool) => entry.pins !== null && pinProblem(entry.pins, tool) !== null) ??
    spelled[0];
}

/** A listed tool in the form of a callable one, for readers that do not call it. */
export function uncheckedTool({ server, state }: ServerEntry, listed: ParsedTool): Tool {
  const { spelling, definition: _, ...tool } = listed;
  const { serverIdentifier } = state;
  const identifier = toIdentifier(spelling);
  return { ...tool, id: `${serverIdentifier}.${identifier}`, server, serverIdentifier, identifier };
}

/** How a tool differs from its approved definition; null before the first listing. */
export function diffTool(entry: ServerEntry, tool: ParsedTool): ToolDiff | null {
  const { pins } = entry;
  if (pins === null) return null;
  const key = toolKey(tool);
  const approvedPin = Object.hasOwn(pins.approved, key) ? pins.approved[key] ?? null : null;
  const replaced = Object.hasOwn(pins.replaced, key) ? pins.replaced[key] ?? null : null;
  const problem = pinProblem(pins, tool);
  const isCalled = problem === "pending" || problem === "drift" || problem === "blocked";
  const isSame = approvedPin === tool.pin;
  return {
    server: entry.server,
    name: tool.name,
    state: isCalled ? problem : "approved",
    change: approvedPin === null || isSame
      ? null
      : replaced !== null && isCosmetic(replaced, tool.definition)
      ? "cosmetic"
      : "semantic",
    changes: isSame ? [] : diffDefinitions(replaced, tool.definition),
    approvedPin,
    pin: tool.pin,
    definition: tool.definition,
  };
}

const NAMES_MAX = 50;

/** The changes that a listing made, for the audit; null if it made none. */
export function listingChanges(
  before: ServerEntry,
  after: ServerEntry,
): { readonly [fact: string]: unknown } | null {
  const old = new Map(listedTools(before).map((tool) => [toolKey(tool), tool.pin]));
  const current = new Map(listedTools(after).map((tool) => [toolKey(tool), tool.pin]));
  const added = [...current.keys()].filter((key) => !old.has(key));
  const removed = [...old.keys()].filter((key) => !current.has(key));
  const changed = [...current].filter(([key, pin]) => old.has(key) && old.get(key) !== pin)
    .map(([key]) => key);
  if (added.length + removed.length + changed.length === 0) return null;
  const isBaseline = before.pins === null;
  return {
    tools: after.built.tools.length,
    quarantined: after.built.quarantined.length,
    baseline: isBaseline,
    added: added.length,
    removed: removed.length,
    changed: changed.length,
    ...(isBaseline ? {} : { names: [...changed, ...added, ...removed].slice(0, NAMES_MAX) }),
  };
}
