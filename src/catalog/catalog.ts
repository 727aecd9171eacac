import type { Config } from "../config/schema.ts";
import type { CatalogSnapshot } from "../model/catalog.ts";
import { GateError } from "../model/errors.ts";
import type { AuditActor, AuditEvent } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import { nearest } from "../model/nearest.ts";
import type { Tool } from "../model/tool.ts";
import type { UpstreamListing } from "../model/upstream.ts";
import type { Store } from "../store/store.ts";
import { createCatalogRecords } from "./catalog_records.ts";
import { cleanLine } from "./clean_text.ts";
import type { ToolDiff } from "./diff_definition.ts";
import { createDiscoveryJobs } from "./discovery_jobs.ts";
import { assignNames, toIdentifier } from "./names.ts";
import { createObserver } from "./observer.ts";
import { type ParsedTool, toolKey } from "./parse_listing.ts";
import { approvePins, blockPin, type ServerPins } from "./pins.ts";
import {
  composeSnapshot,
  diffTool,
  emptyEntry,
  failedEntry,
  findListed,
  listedTools,
  listingChanges,
  rebuildEntry,
  type ServerEntry,
  waitingTools,
} from "./server_entry.ts";
import { createServerLoader } from "./server_loader.ts";

/** Everything callable, kept up to date with the upstreams. */
export interface Catalog {
  snapshot(): CatalogSnapshot;
  /** Resolves once every server has been listed, is known from the store, or has failed. */
  ready(): Promise<void>;
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
  /** Where a server is by its configuration; null if only a listing tells. */
  readonly identity?: (server: string) => string | null;
  /** Server to the title that the operator gave it. */
  readonly titles?: { readonly [server: string]: string };
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly log: Log;
  readonly now?: () => number;
}

/**
 * Opens the catalog with what the store has of each server. Nothing is listed that is not yet due;
 * `ready` or `refresh` asks the upstreams.
 */
export async function openCatalog(deps: CatalogDeps): Promise<Catalog> {
  const now = deps.now ?? Date.now;
  const records = createCatalogRecords(deps.store);
  const loader = createServerLoader({
    records,
    trusts: deps.config.pins === "trust",
    titles: deps.titles ?? {},
    identity: deps.identity ?? (() => null),
    now,
  });
  const entries = new Map<string, ServerEntry>();
  const listeners = new Set<(snapshot: CatalogSnapshot, changed: readonly string[]) => void>();
  /** Servers whose entries are not yet in the snapshot. */
  const changed = new Set<string>();
  let publishing: Promise<void> | null = null;
  const closing = Promise.withResolvers<null>();
  let isClosed = false;
  let snapshot = composeSnapshot(0, []);

  const names = assignNames(new Map(deps.servers.map((name) => [name, toIdentifier(name)])));
  await Promise.all(deps.servers.map(async (server) => {
    const aliases = Object.hasOwn(deps.aliases, server) ? deps.aliases[server] ?? {} : {};
    const entry = emptyEntry(server, names.identifiers.get(server) ?? null, aliases);
    // Set at once, so that the order is the configuration's.
    entries.set(server, entry);
    entries.set(server, await loader.restore(entry));
  }));
  publish();

  function publish(): void {
    publishing = null;
    if (isClosed) return;
    const servers = [...changed];
    changed.clear();
    snapshot = composeSnapshot(snapshot.revision + 1, entries.values());
    for (const listener of listeners) listener(snapshot, servers);
  }

  /** Resolves when the snapshot has the entry. Changes that come together make one snapshot. */
  function replace(entry: ServerEntry): Promise<void> {
    entries.set(entry.server, entry);
    changed.add(entry.server);
    publishing ??= new Promise((resolve, reject) =>
      setImmediate(() => {
        try {
          resolve(publish());
        } catch (error) {
          reject(error);
        }
      })
    );
    return publishing;
  }

  function entryOf(server: string): ServerEntry {
    const entry = entries.get(server) ??
      [...entries.values()].find(({ identifier }) => identifier === server);
    if (entry) return entry;
    throw new GateError("ERR_NOT_FOUND", `Server "${cleanLine(server, 100)}" does not exist`, {
      hint: didYouMean(server, entries.keys()),
    });
  }

  async function list(server: string): Promise<boolean> {
    try {
      const listing = await Promise.race([deps.listTools(server), closing.promise]);
      if (listing === null) return false;
      const before = entryOf(server);
      const after = await loader.accept(() => entryOf(server), listing);
      if (isClosed) return false;
      await replace(after);
      const changes = listingChanges(before, after);
      if (changes !== null) {
        await records.announce(server);
        await deps.audit({ kind: "catalog.change", detail: { server, ...changes } });
      }
      return true;
    } catch (error) {
      if (isClosed) return false;
      const reason = cleanLine(error instanceof Error ? error.message : String(error), 300);
      deps.log("warn", "Cannot list an upstream", { server, reason });
      await replace(failedEntry(entryOf(server), reason));
      return false;
    }
  }

  async function changePins(
    server: string,
    change: (pins: ServerPins) => ServerPins,
    event: AuditEvent,
  ): Promise<void> {
    const entry = entryOf(server);
    const { listing } = entry;
    if (listing === null) return;
    // First the record, then the effect: what is not recorded must not happen.
    await deps.audit(event);
    const pins = await loader.changePins(entry.server, change);
    if (pins === null) return;
    await replace(rebuildEntry(entryOf(server), listing, pins));
    await records.announce(entry.server);
  }

  /** Takes over what another replica saved, unless the server changes here in the meantime. */
  async function restore(server: string): Promise<void> {
    for (let entry = entries.get(server); entry !== undefined && !isClosed;) {
      const restored = await loader.restore(entry);
      const current = entries.get(server);
      if (current === entry) return await replace(restored);
      entry = current;
    }
  }

  const onError = (server: string, error: unknown) =>
    deps.log("error", "Cannot publish a listing", { server, cause: `${error}` });
  const jobs = createDiscoveryJobs({ list, onError, everyMs: deps.config.refreshEveryMs, now });
  const observer = createObserver({
    records,
    entryOf: (server) => entries.get(server) ?? null,
    changed: (server, observations) => {
      const entry = entries.get(server);
      if (entry?.listing == null || entry.pins === null) return;
      replace(rebuildEntry({ ...entry, observations }, entry.listing, entry.pins))
        .catch((error) => onError(server, error));
    },
    log: deps.log,
  });
  let hearing = Promise.resolve();
  const stopHearing = await records.onAnnounced((server) => {
    // One after the other, so that what was read first is not written last.
    hearing = hearing.then(() => restore(server)).catch((error) => {
      deps.log("warn", "Cannot read what another replica saved", { server, cause: `${error}` });
    });
  });
  for (const { server, state } of entries.values()) {
    if (state.listedAt !== null) jobs.schedule(server, state.listedAt);
  }

  return {
    snapshot: () => snapshot,
    async ready() {
      const unknown = [...entries.values()].filter(({ listing }) => listing === null);
      await Promise.all(unknown.map(({ server }) => jobs.run(server)));
    },
    async refresh(server) {
      const servers = server === undefined ? deps.servers : [entryOf(server).server];
      await Promise.all(servers.map((name) => jobs.run(name)));
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    diff(server, name) {
      const entry = entryOf(server);
      const tool = findListed(entry, name);
      return tool === undefined ? null : diffTool(entry, tool);
    },
    async approve(server, name, actor) {
      const entry = entryOf(server);
      const tools = name === null ? waitingTools(entry) : [listedTool(entry, name)];
      if (tools.length === 0) return 0;
      await changePins(
        server,
        (pins) => approvePins(pins, tools),
        pinEvent(entry, actor, {
          approved: tools.map((tool) => tool.name).slice(0, 100),
          count: tools.length,
        }),
      );
      return tools.length;
    },
    async block(server, name, actor) {
      const entry = entryOf(server);
      const tool = listedTool(entry, name);
      const event = pinEvent(entry, actor, { blocked: [tool.name] });
      await changePins(server, (pins) => blockPin(pins, toolKey(tool)), event);
    },
    observeResult: observer.observe,
    async close() {
      isClosed = true;
      closing.resolve(null);
      listeners.clear();
      await stopHearing();
      await hearing;
      await jobs.close();
      await observer.close();
    },
  };
}

function pinEvent(
  entry: ServerEntry,
  actor: AuditActor | null,
  facts: { readonly [fact: string]: unknown },
): AuditEvent {
  return {
    kind: "catalog.change",
    ...(actor === null ? {} : { actor }),
    detail: { server: entry.server, ...facts },
  };
}

function listedTool(entry: ServerEntry, name: string): ParsedTool {
  const tool = findListed(entry, name);
  if (tool !== undefined) return tool;
  throw new GateError(
    "ERR_NOT_FOUND",
    `Server "${entry.server}" does not list "${cleanLine(name, 100)}"`,
    { hint: didYouMean(name, listedTools(entry).map((listed) => listed.name)) },
  );
}

function didYouMean(name: string, candidates: Iterable<string>): string {
  const near = nearest(name, candidates);
  return near.length > 0
    ? `Did you mean ${near.join(" or ")}?`
    : "`toolgate tools list` names all of them";
}
