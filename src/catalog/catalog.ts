import type { Config } from "../config/schema.ts";
import type { CatalogSnapshot } from "../model/catalog.ts";
import type { AuditEvent } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import type { Tool } from "../model/tool.ts";
import type { UpstreamListing } from "../model/upstream.ts";
import type { Store } from "../store/store.ts";
import { type CatalogRecords, createCatalogRecords, type Observations } from "./catalog_records.ts";
import { decidePin, listedTool, type PinDecision, refusalEvent } from "./decide_pin.ts";
import type { ToolDiff } from "./diff_definition.ts";
import { createDiscoveryJobs, type DiscoveryJobs } from "./discovery_jobs.ts";
import { type ChangeListener, createEntryBoard, type EntryBoard } from "./entry_board.ts";
import { listServer, type ListServerDeps } from "./list_server.ts";
import { assignNames, toIdentifier } from "./names.ts";
import { createObserver } from "./observer.ts";
import { PinMismatch } from "./pin_mismatch.ts";
import { diffTool, emptyEntry, findListed, rebuildEntry, uncheckedTool } from "./server_entry.ts";
import { createServerLoader, type ServerLoader } from "./server_loader.ts";
import { followReplicas, takeOver } from "./take_over.ts";
import { createTurns } from "./turns.ts";

/** All callable tools, kept up to date with the upstreams. */
export interface Catalog {
  snapshot(): CatalogSnapshot;
  /** Resolves once every server has been listed, is known from the store, or has failed. */
  ready(): Promise<void>;
  /**
   * Lists one upstream, or all, and swaps the snapshot. Never throws for an upstream that fails:
   * that server keeps its old tools, and its state says why.
   */
  refresh(server?: string): Promise<void>;
  /** Called after each swap with the servers that changed. */
  onChange(listener: ChangeListener): () => void;
  /** How a tool differs from what was approved; null if the upstream does not list it. */
  diff(server: string, name: string): ToolDiff | null;
  /** A tool as its server lists it now, callable or not; null if the server does not list it. */
  listed(server: string, name: string): Tool | null;
  /**
   * Approves or blocks a tool, but only as it was shown.
   *
   * @throws {PinMismatch} with the tool's present definition, if its pin is another one; nothing
   *   was decided.
   * @throws {GateError} `ERR_NOT_FOUND`
   */
  decide(decision: PinDecision): Promise<void>;
  /** Learns the shape of a result, for a tool that does not declare its output. Keeps no values. */
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
  /** By server and tool name: more search words for the tool, from the operator. */
  readonly aliases: { readonly [server: string]: { readonly [tool: string]: readonly string[] } };
  /** A server's identity by its configuration; null if only a listing tells it. */
  readonly identity?: (server: string) => string | null;
  /** Server to the title that the operator gave it. */
  readonly titles?: { readonly [server: string]: string };
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly log: Log;
  readonly now?: () => number;
}

/** Dependencies of the work on one server. */
interface CatalogParts extends ListServerDeps {
  readonly loader: ServerLoader;
  readonly records: CatalogRecords;
}

/**
 * Opens the catalog with the listings in the store. It lists no server before that is due; `ready`
 * or `refresh` asks the upstreams.
 */
export async function openCatalog(deps: CatalogDeps): Promise<Catalog> {
  const now = deps.now ?? Date.now;
  const board = createEntryBoard();
  const records = createCatalogRecords(deps.store, deps.log);
  const loader = createServerLoader({
    records,
    trusts: deps.config.pins === "trust",
    titles: deps.titles ?? {},
    identity: deps.identity ?? (() => null),
    now,
  });
  const closing = Promise.withResolvers<null>();
  const { listTools, audit, log } = deps;
  const inTurn = createTurns();
  const parts: CatalogParts = {
    board,
    records,
    loader,
    inTurn,
    listTools,
    closed: closing.promise,
    audit,
    log,
  };
  await restoreServers(deps, board, loader);
  board.publish();

  const jobs = createDiscoveryJobs({
    list: (server) => listServer(parts, server),
    onError: (server, error) => logUnpublished(log, server, error),
    everyMs: deps.config.refreshEveryMs,
    now,
  });
  const observer = createObserver({
    records,
    entryOf: (server) => board.get(server) ?? null,
    changed: (server, observations) => showObservations(parts, server, observations),
    log,
  });
  const stopFollowing = await followReplicas(parts);
  for (const { server, state } of board.all()) {
    if (state.listedAt !== null) jobs.schedule(server, state.listedAt);
  }

  return {
    ...lookUps(board),
    async ready() {
      const unknown = [...board.all()].filter(({ listing }) => listing === null);
      await Promise.all(unknown.map(({ server }) => jobs.run(server)));
    },
    async refresh(server) {
      const servers = server === undefined ? deps.servers : [board.find(server).server];
      await Promise.all(servers.map((name) => jobs.run(name)));
    },
    decide: (decision) => decide(parts, jobs, decision),
    observeResult: observer.observe,
    async close() {
      board.close();
      closing.resolve(null);
      await stopFollowing();
      await jobs.close();
      await observer.close();
    },
  };
}

/** Puts each server's stored listing on the board, in the order of the configuration. */
async function restoreServers(
  deps: CatalogDeps,
  board: EntryBoard,
  loader: ServerLoader,
): Promise<void> {
  const names = assignNames(new Map(deps.servers.map((name) => [name, toIdentifier(name)])));
  await Promise.all(deps.servers.map(async (server) => {
    const aliases = Object.hasOwn(deps.aliases, server) ? deps.aliases[server] ?? {} : {};
    const entry = emptyEntry(server, names.identifiers.get(server) ?? null, aliases);
    // Every entry is put before the first wait, so that they keep the order of the configuration.
    board.put(entry);
    board.put(await loader.restore(entry));
  }));
}

/** The methods that only read the board. */
function lookUps(board: EntryBoard): Pick<Catalog, "snapshot" | "onChange" | "diff" | "listed"> {
  return {
    snapshot: board.snapshot,
    onChange: board.onChange,
    diff(server, name) {
      const entry = board.find(server);
      const tool = findListed(entry, name);
      return tool === undefined ? null : diffTool(entry, tool);
    },
    listed(server, name) {
      const entry = board.find(server);
      const tool = findListed(entry, name);
      return tool === undefined ? null : uncheckedTool(entry, tool);
    },
  };
}

async function decide(
  parts: CatalogParts,
  jobs: DiscoveryJobs,
  decision: PinDecision,
): Promise<void> {
  const { board, audit } = parts;
  const { server } = board.find(decision.server);
  const listed = () => listedTool(board.find(server), decision.name, decision.pin);
  const isDone = await parts.inTurn(server, () =>
    decidePin({
      entryOf: board.find,
      audit,
      changePins: parts.loader.changePins,
      replace: board.replace,
    }, decision));
  if (isDone) return await parts.records.announce(server);
  await takeOver(parts, server);
  // Another replica listed a newer definition, and the store does not hold that listing yet.
  if (listed().pin === decision.pin) await jobs.run(server);
  const tool = listed();
  await audit(refusalEvent(board.find(server), decision, tool.pin));
  const diff = diffTool(board.find(server), tool);
  if (diff !== null) throw new PinMismatch(decision.verb, diff);
}

/** Puts the observed result types of a server's tools into its entry. */
function showObservations(
  { board, log }: CatalogParts,
  server: string,
  observations: Observations,
): void {
  const entry = board.get(server);
  if (entry?.listing == null || entry.pins === null) return;
  board.replace(rebuildEntry({ ...entry, observations }, entry.listing, entry.pins))
    .catch((error) => logUnpublished(log, server, error));
}

function logUnpublished(log: Log, server: string, error: unknown): void {
  log("error", "Cannot publish a listing", { server, cause: `${error}` });
}
