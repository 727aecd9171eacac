import { createHash } from "node:crypto";
import { stableJson } from "../model/json/canonical_json.ts";
import { createYielder } from "../model/time/yield_to_loop.ts";
import type { UpstreamListing } from "../model/upstream.ts";
import type { CatalogRecords, StoredPins } from "./catalog_records.ts";
import { type ParsedListing, parseListing } from "./parse_listing.ts";
import {
  approvePins,
  baselinePins,
  pinProblem,
  rememberReplaced,
  rememberWaiting,
  type ServerPins,
} from "./pins.ts";
import { listedTools, presentEntry, rebuildEntry, type ServerEntry } from "./server_entry.ts";

/** Makes a server's entry from a listing or from the store, and keeps the store up to date. */
export interface ServerLoader {
  /**
   * The entry with the stored listing; the same entry if the store has none of the server as
   * configured.
   */
  restore(entry: ServerEntry): Promise<ServerEntry>;
  /** The entry after a good listing. It calls `entry` again after every wait. */
  accept(entry: () => ServerEntry, listing: UpstreamListing): Promise<ServerEntry>;
  /**
   * Reads, changes and writes the pins as one step. If another replica was faster, it calls
   * `change` again; if `change` returns null, the pins stay as they are.
   *
   * @returns the pins as stored; null if the server has none yet, or if `change` returned null.
   */
  changePins(
    server: string,
    change: (pins: ServerPins) => ServerPins | null,
  ): Promise<ServerPins | null>;
}

export interface ServerLoaderDeps {
  readonly records: CatalogRecords;
  /** Additions and changes are approved without an operator. */
  readonly trusts: boolean;
  /** A server's identity by its configuration; null if only a listing tells it. */
  readonly identity: (server: string) => string | null;
  /** Server to the title that the operator gave it. */
  readonly titles: { readonly [server: string]: string };
  readonly now: () => number;
}

const ATTEMPTS_MAX = 20;
const NOT_YET = "Known from the last listing; not listed since the start";

export function createServerLoader(deps: ServerLoaderDeps): ServerLoader {
  const state: LoaderState = { ...deps, parse: createListingParser(), saved: new Map() };
  return {
    restore: (entry) => restore(state, entry),
    accept: (entry, listing) => accept(state, entry, listing),
    async changePins(server, change) {
      const settled = await settlePins(deps.records, server, (stored) => {
        const pins = stored === null ? null : change(stored.pins);
        return pins === null ? null : { pins };
      });
      return settled?.pins ?? null;
    },
  };
}

interface LoaderState extends ServerLoaderDeps {
  readonly parse: (server: string, listing: UpstreamListing) => Promise<ParsedListing>;
  /** Server to a digest of the listing that the store has. */
  readonly saved: Map<string, string>;
}

/** Parses one listing at a time: a thousand small ones together would block like a large one. */
function createListingParser(): LoaderState["parse"] {
  const giveWay = createYielder();
  let parsing: Promise<unknown> = Promise.resolve();
  return (server, listing) => {
    const parsed = parsing.then(() => parseListing(server, listing, giveWay));
    parsing = parsed.catch(() => {});
    return parsed;
  };
}

async function restore(state: LoaderState, entry: ServerEntry): Promise<ServerEntry> {
  const { server } = entry;
  const [stored, pins, observations] = await Promise.all([
    state.records.loadListing(server),
    state.records.loadPins(server),
    state.records.loadObservations(server),
  ]);
  if (stored === null || pins === null) return entry;
  const { listing, listedAt } = stored;
  // The operator gave the name to another server since: the stored listing belongs to the former
  // one.
  const identity = state.identity(server);
  if (identity !== null && identity !== listing.identity) return entry;
  const parsed = await state.parse(server, listing);
  state.saved.set(server, digestOf(parsed, listing));
  const isListed = entry.state.status === "ready";
  const presented = presentEntry({ ...entry, observations }, {
    ...namesOf(state, server, listing),
    listedAt,
    status: isListed ? "ready" : "stale",
    error: isListed ? null : NOT_YET,
  });
  return rebuildEntry(presented, parsed, pins.pins);
}

async function accept(
  state: LoaderState,
  entry: () => ServerEntry,
  listing: UpstreamListing,
): Promise<ServerEntry> {
  const { records, trusts } = state;
  const { server } = entry();
  const parsed = await state.parse(server, listing);
  const listedAt = state.now();
  const settled = await settlePins(records, server, (stored) => {
    const base = stored?.pins ?? baselinePins(parsed.tools, listedAt);
    const agreed = rememberWaiting(
      trusts ? trust(base, parsed) : rememberReplaced(base, listedTools(entry()), parsed.tools),
      parsed.tools,
    );
    const presented = presentEntry(entry(), {
      ...namesOf(state, server, listing),
      listedAt,
      status: "ready",
      error: null,
    });
    const built = rebuildEntry(presented, parsed, agreed);
    const pins = { ...agreed, holders: { ...agreed.holders, ...built.built.holders } };
    return { entry: { ...built, pins }, pins };
  });
  const digest = digestOf(parsed, listing);
  if (state.saved.get(server) !== digest) {
    await records.saveListing(server, { listedAt, listing });
    state.saved.set(server, digest);
  }
  return settled?.entry ?? entry();
}

/** The operator's title of a server wins over the server's own. */
function namesOf({ titles }: LoaderState, server: string, listing: UpstreamListing) {
  const own = Object.hasOwn(titles, server) ? titles[server] : undefined;
  return { title: own ?? listing.title, description: listing.description ?? "" };
}

/** Changes the stored pins; tries again if another replica was faster. */
async function settlePins<Result extends { readonly pins: ServerPins }>(
  records: Pick<CatalogRecords, "loadPins" | "savePins">,
  server: string,
  change: (stored: StoredPins | null) => Result | null,
): Promise<Result | null> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const stored = await records.loadPins(server);
    const result = change(stored);
    if (result === null) return null;
    const isSame = stored !== null && stableJson(stored.pins) === stableJson(result.pins);
    if (isSame || await records.savePins(server, result.pins, stored?.revision ?? null)) {
      return result;
    }
  }
  throw new Error(`Cannot save the pins of "${server}": other replicas keep changing them`);
}

function trust(pins: ServerPins, listing: ParsedListing): ServerPins {
  const tools = listing.tools.filter((tool) => pinProblem(pins, tool) !== "blocked");
  return approvePins(pins, tools);
}

/**
 * A digest of everything that the catalog takes from a listing; cheaper to compare than the
 * listing.
 */
function digestOf(parsed: ParsedListing, listing: UpstreamListing): string {
  const hash = createHash("sha256");
  const { title, description, identity } = listing;
  hash.update(JSON.stringify([title, description, identity, parsed.quarantined]));
  for (const { pin, tags, http } of parsed.tools) hash.update(JSON.stringify([pin, tags, http]));
  return hash.digest("hex");
}
