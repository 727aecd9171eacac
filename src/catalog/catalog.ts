import type { Config } from "../config/schema.ts";
import type { CatalogSnapshot } from "../model/catalog.ts";
import { GateError } from "../model/errors.ts";
import type { AuditEvent } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import type { Tool } from "../model/tool.ts";
import type { UpstreamListing } from "../model/upstream.ts";
import type { Store } from "../store/store.ts";
import { createCatalogRecords } from "./catalog_records.ts";
import { cleanLine } from "./clean_text.ts";
import { decidePin, didYouMean, listedTool, type PinDecision, refusalEvent } from "./decide_pin.ts";
import type { ToolDiff } from "./diff_definition.ts";
import { createDiscoveryJobs } from "./discovery_jobs.ts";
import { assignNames, toIdentifier } from "./names.ts";
import { createObserver } from "./observer.ts";
import { PinMismatch } from "./pin_mismatch.ts";
import {
  composeSnapshot,
  diffTool,
  emptyEntry,
  failedEntry,
  findListed,
  listingChanges,
  rebuildEntry,
  type ServerEntry,
  uncheckedTool,
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
  /** A tool as its server lists it now, whether it may be called or not; null if it does not. */
  listed(server: string, name: string): Tool | null;
  /**
   * Approves or blocks a tool, but only as it was shown.
   *
   * @throws {PinMismatch} with what the tool is now, if its pin is another one; nothing was decided.
   * @throws {GateError} `ERR_NOT_FOUND`
   */
  decide(decision: PinDecision): Promise<void>;
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
  /** Server to the last of its turns; never rejects. */
  const turns = new Map<string, Promise<unknown>>();
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
      const changes = await inTurn(server, async () => {
        const before = entryOf(server);
        const after = await loader.accept(() => entryOf(server), listing);
        if (isClosed) return null;
        await replace(after);
        return listingChanges(before, after);
      });
      if (isClosed) return false;
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

  /**
   * What reads, stores and shows a server's tools happens one after the other: a listing that is being
   * stored would otherwise undo a decision, and a decision could be about what nobody saw.
   */
  function inTurn<Result>(server: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (turns.get(server) ?? Promise.resolve()).then(work);
    turns.set(server, turn.catch(() => {}));
    return turn;
  }

  async function decide(decision: PinDecision): Promise<void> {
    const { server } = entryOf(decision.server);
    const steps = { entryOf, audit: deps.audit, changePins: loader.changePins, replace };
    const isDone = await inTurn(server, () => decidePin(steps, decision));
    if (isDone) return await records.announce(server);
    await restore(server);
    // The other replica has listed what the store does not hold yet.
    const isUnseen = () =>
      listedTool(entryOf(server), decision.name, decision.pin).pin === decision.pin;
    if (isUnseen()) await jobs.run(server);
    const tool = listedTool(entryOf(server), decision.name, decision.pin);
    await deps.audit(refusalEvent(entryOf(server), decision, tool.pin));
    const diff = diffTool(entryOf(server), tool);
    if (diff !== null) throw new PinMismatch(decision.verb, diff);
  }

  /** Takes over what another replica saved, unless the server changes here in the meantime. */
  function restore(server: string): Promise<void> {
    return inTurn(server, async () => {
      for (let entry = entries.get(server); entry !== undefined && !isClosed;) {
        const restored = await loader.restore(entry);
        const current = entries.get(server);
        if (current === entry) return await replace(restored);
        entry = current;
      }
    });
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
    listed(server, name) {
      const entry = entryOf(server);
      const tool = findListed(entry, name);
      return tool === undefined ? null : uncheckedTool(entry, tool);
    },
    decide,
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
