import type { Config } from "../config/schema.ts";
import type { CatalogSnapshot, QuarantinedTool, ServerState } from "../model/catalog.ts";
import { GateError } from "../model/errors.ts";
import type { AuditActor, AuditEvent } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import { nearest } from "../model/nearest.ts";
import type { Store } from "../store/store.ts";
import type { Tool } from "../model/tool.ts";
import type { UpstreamListing } from "../model/upstream.ts";
import { buildTools, type BuiltServer } from "./build_tools.ts";
import { cleanLine, cleanText } from "./clean_text.ts";
import { diffDefinitions, isCosmetic, type ToolDiff } from "./diff_definition.ts";
import { assignNames, toIdentifier } from "./names.ts";
import { type ParsedListing, type ParsedTool, parseListing, toolKey } from "./parse_listing.ts";
import {
  approvePins,
  baselinePins,
  blockPin,
  pinProblem,
  rememberReplaced,
  type ServerPins,
} from "./pins.ts";

/** Everything callable, kept up to date with the upstreams. */
export interface Catalog {
  snapshot(): CatalogSnapshot;
  /**
   * Lists one upstream, or all, and swaps the snapshot. Never throws for an upstream that fails: it
   * keeps its old tools and its state says why.
   */
  refresh(server?: string): Promise<void>;
  /** Called after each swap with the servers that changed. */
  onChange(
    listener: (snapshot: CatalogSnapshot, changed: readonly string[]) => void,
  ): () => void;
  /** How a tool differs from what was approved; null if the upstream does not list it. */
  diff(server: string, name: string): ToolDiff | null;
  /**
   * Approves a tool as it is now; without a name, every tool of the server that waits.
   *
   * @returns how many pins were approved.
   * @throws {GateError} `ERR_NOT_FOUND`
   */
  approve(server: string, name: string | null, actor: AuditActor | null): Promise<number>;
  /** @throws {GateError} `ERR_NOT_FOUND` */
  block(server: string, name: string, actor: AuditActor | null): Promise<void>;
  /** Learns the shape of a result of a tool that declares no output. Keeps no value. */
  observeResult(tool: Tool, value: unknown): void;
  close(): Promise<void>;
}

export interface CatalogDeps {
  /** Keeps listings and pins, so that a restart needs no upstream. */
  readonly store: Store;
  /** As configured. */
  readonly servers: readonly string[];
  readonly listTools: (server: string) => Promise<UpstreamListing>;
  readonly config: Config["catalog"];
  /** Server to tool to the operator's words. */
  readonly aliases: { readonly [server: string]: { readonly [tool: string]: readonly string[] } };
  /** Server to the title that the operator gave it. */
  readonly titles?: { readonly [server: string]: string };
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly log: Log;
  readonly now?: () => number;
}

/** What is known of one server. Replaced as a whole. */
interface ServerEntry {
  readonly server: string;
  /** Null if another server has the identifier. */
  readonly identifier: string | null;
  readonly listing: ParsedListing | null;
  readonly pins: ServerPins | null;
  readonly built: BuiltServer;
  readonly state: ServerState;
}

const NOTHING_BUILT: BuiltServer = { tools: [], quarantined: [], holders: {} };

export function openCatalog(deps: CatalogDeps): Promise<Catalog> {
  const now = deps.now ?? Date.now;
  const entries = new Map<string, ServerEntry>();
  const listeners = new Set<(snapshot: CatalogSnapshot, changed: readonly string[]) => void>();
  const running = new Map<string, Promise<void>>();
  let snapshot: CatalogSnapshot = {
    revision: 0,
    tools: new Map(),
    servers: new Map(),
    quarantined: [],
  };

  const names = assignNames(new Map(deps.servers.map((name) => [name, toIdentifier(name)])));
  for (const server of deps.servers) {
    entries.set(server, emptyEntry(server, names.identifiers.get(server) ?? null));
  }
  publish([]);

  function publish(changed: readonly string[]): void {
    snapshot = composeSnapshot(snapshot.revision + 1, [...entries.values()]);
    for (const listener of listeners) listener(snapshot, changed);
  }

  function entryOf(server: string): ServerEntry {
    const entry = entries.get(server) ??
      [...entries.values()].find(({ identifier }) => identifier === server);
    if (entry) return entry;
    throw new GateError("ERR_NOT_FOUND", `Server "${cleanLine(server, 100)}" does not exist`, {
      hint: didYouMean(server, entries.keys()),
    });
  }

  async function list(server: string): Promise<void> {
    const before = entryOf(server);
    let listing: UpstreamListing;
    try {
      listing = await deps.listTools(before.server);
    } catch (error) {
      const reason = cleanLine(error instanceof Error ? error.message : String(error), 300);
      deps.log("warn", "Cannot list an upstream", { server, reason });
      entries.set(before.server, failedEntry(before, reason));
      return publish([before.server]);
    }
    const parsed = await parseListing(before.server, listing);
    const after = acceptListing(deps, entryOf(server), listing, parsed, now());
    entries.set(before.server, after);
    publish([before.server]);
    const changes = listingChanges(before, after);
    if (changes !== null) {
      await deps.audit({ kind: "catalog.change", detail: { server: before.server, ...changes } });
    }
  }

  function refreshOne(server: string): Promise<void> {
    const current = running.get(server);
    if (current) return current;
    const listing = list(server).finally(() => running.delete(server));
    running.set(server, listing);
    return listing;
  }

  async function changePins(
    server: string,
    change: (pins: ServerPins) => ServerPins,
    event: AuditEvent,
  ) {
    const entry = entryOf(server);
    if (entry.pins === null || entry.listing === null) return;
    entries.set(entry.server, rebuild(deps, entry, entry.listing, change(entry.pins)));
    publish([entry.server]);
    await deps.audit(event);
  }

  return Promise.resolve({
    snapshot: () => snapshot,
    async refresh(server) {
      const servers = server === undefined ? deps.servers : [entryOf(server).server];
      await Promise.all(servers.map(refreshOne));
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    diff(server, name) {
      const entry = entryOf(server);
      const tool = findParsed(entry, name);
      return tool === undefined || entry.pins === null ? null : diffTool(entry, entry.pins, tool);
    },
    async approve(server, name, actor) {
      const entry = entryOf(server);
      const waiting = name === null ? tools(entry).filter((tool) => isWaiting(entry, tool)) : [
        findParsed(entry, name) ?? notListed(entry, name),
      ];
      await changePins(server, (pins) => approvePins(pins, waiting), {
        kind: "catalog.change",
        ...(actor === null ? {} : { actor }),
        detail: { server: entry.server, approved: waiting.map((tool) => tool.name).slice(0, 100) },
      });
      return waiting.length;
    },
    async block(server, name, actor) {
      const entry = entryOf(server);
      const tool = findParsed(entry, name) ?? notListed(entry, name);
      await changePins(server, (pins) => blockPin(pins, toolKey(tool)), {
        kind: "catalog.change",
        ...(actor === null ? {} : { actor }),
        detail: { server: entry.server, blocked: [tool.name] },
      });
    },
    observeResult() {},
    async close() {
      await Promise.allSettled(running.values());
      listeners.clear();
    },
  });
}

function emptyEntry(server: string, identifier: string | null): ServerEntry {
  return {
    server,
    identifier,
    listing: null,
    pins: null,
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

function failedEntry(entry: ServerEntry, reason: string): ServerEntry {
  const status = entry.listing === null ? "down" : "stale";
  return { ...entry, state: { ...entry.state, status, error: reason } };
}

function acceptListing(
  deps: CatalogDeps,
  entry: ServerEntry,
  listing: UpstreamListing,
  parsed: ParsedListing,
  nowMs: number,
): ServerEntry {
  const baseline = entry.pins ?? baselinePins(parsed.tools, nowMs);
  const pins = deps.config.pins === "trust"
    ? approvePins(
      baseline,
      parsed.tools.filter((tool) => pinProblem(baseline, tool) !== "blocked"),
    )
    : rememberReplaced(baseline, entry.listing?.tools ?? [], parsed.tools);
  const description = cleanText(listing.description ?? "", 1_000);
  const title = deps.titles && Object.hasOwn(deps.titles, entry.server)
    ? deps.titles[entry.server] ?? ""
    : cleanLine(listing.title, 200);
  const state: ServerState = {
    ...entry.state,
    title: title || entry.server,
    ...(description === "" ? {} : { description }),
    status: "ready",
    error: null,
    listedAt: nowMs,
  };
  return rebuild(deps, { ...entry, state }, parsed, pins);
}

function rebuild(
  deps: CatalogDeps,
  entry: ServerEntry,
  listing: ParsedListing,
  pins: ServerPins,
): ServerEntry {
  const { server, identifier } = entry;
  if (identifier === null) {
    const detail = `Another server already has the name ${entry.state.serverIdentifier}`;
    const quarantined = listing.tools.map((tool): QuarantinedTool => ({
      server,
      name: tool.name,
      reason: "collision",
      detail,
    }));
    return { ...entry, listing, pins, built: { ...NOTHING_BUILT, quarantined } };
  }
  const aliases = Object.hasOwn(deps.aliases, server) ? deps.aliases[server] ?? {} : {};
  const built = buildTools({ server, serverIdentifier: identifier, listing, pins, aliases });
  return {
    ...entry,
    listing,
    pins: { ...pins, holders: { ...pins.holders, ...built.holders } },
    built,
    state: { ...entry.state, toolCount: built.tools.length },
  };
}

function composeSnapshot(revision: number, entries: readonly ServerEntry[]): CatalogSnapshot {
  const tools = new Map<string, Tool>();
  for (const { built } of entries) for (const tool of built.tools) tools.set(tool.id, tool);
  return {
    revision,
    tools,
    servers: new Map(entries.map((entry) => [entry.server, entry.state])),
    quarantined: entries.flatMap(({ built }) => built.quarantined),
  };
}

/** What a listing changed, for the audit; null if nothing did. */
function listingChanges(before: ServerEntry, after: ServerEntry) {
  const old = new Map(tools(before).map((tool) => [toolKey(tool), tool.pin]));
  const current = new Map(tools(after).map((tool) => [toolKey(tool), tool.pin]));
  const added = [...current.keys()].filter((key) => !old.has(key));
  const removed = [...old.keys()].filter((key) => !current.has(key));
  const changed = [...current].filter(([key, pin]) => old.has(key) && old.get(key) !== pin)
    .map(([key]) => key);
  if (added.length + removed.length + changed.length === 0) return null;
  const sample = (keys: readonly string[]) => keys.slice(0, 50);
  return {
    tools: after.built.tools.length,
    quarantined: after.built.quarantined.length,
    baseline: before.pins === null,
    added: added.length,
    removed: removed.length,
    changed: changed.length,
    ...(before.pins === null ? {} : { names: sample([...changed, ...added, ...removed]) }),
  };
}

function tools(entry: ServerEntry): readonly ParsedTool[] {
  return entry.listing?.tools ?? [];
}

function isWaiting(entry: ServerEntry, tool: ParsedTool): boolean {
  const problem = entry.pins === null ? null : pinProblem(entry.pins, tool);
  return problem === "pending" || problem === "drift";
}

/** By the upstream's spelling, else by the identifier. */
function findParsed(entry: ServerEntry, name: string): ParsedTool | undefined {
  return tools(entry).find((tool) => tool.name === name) ??
    tools(entry).find((tool) => toIdentifier(tool.spelling) === name);
}

function notListed(entry: ServerEntry, name: string): never {
  throw new GateError(
    "ERR_NOT_FOUND",
    `Server "${entry.server}" does not list "${cleanLine(name, 100)}"`,
    { hint: didYouMean(name, tools(entry).map((tool) => tool.name)) },
  );
}

function didYouMean(name: string, candidates: Iterable<string>): string {
  const near = nearest(name, candidates);
  return near.length > 0
    ? `Did you mean ${near.join(" or ")}?`
    : "`toolgate tools list` names all of them";
}

function diffTool(entry: ServerEntry, pins: ServerPins, tool: ParsedTool): ToolDiff {
  const key = toolKey(tool);
  const approvedPin = Object.hasOwn(pins.approved, key) ? pins.approved[key] ?? null : null;
  const replaced = Object.hasOwn(pins.replaced, key) ? pins.replaced[key] ?? null : null;
  const differs = approvedPin !== null && approvedPin !== tool.pin;
  const problem = pinProblem(pins, tool);
  return {
    server: entry.server,
    name: tool.name,
    state: problem === "pending" || problem === "drift" || problem === "blocked"
      ? problem
      : "approved",
    change: !differs
      ? null
      : replaced !== null && isCosmetic(replaced, tool.definition)
      ? "cosmetic"
      : "semantic",
    changes: approvedPin === tool.pin ? [] : diffDefinitions(replaced, tool.definition),
    approvedPin,
    pin: tool.pin,
  };
}
