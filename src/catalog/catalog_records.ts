import { z } from "zod";
import { reportError } from "../model/errors.ts";
import { isFields } from "../model/json/fields.ts";
import type { Log } from "../model/log.ts";
import type { UpstreamListing } from "../model/upstream.ts";
import { document, type DocumentKind } from "../store/document.ts";
import { keyOf } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import type { Shape } from "./observe_shape.ts";
import type { Definition } from "./pin.ts";
import type { ServerPins } from "./pins.ts";

/** The last good listing of a server, as received. */
export interface StoredListing {
  readonly listedAt: number;
  readonly listing: UpstreamListing;
}

/** Pins as they are stored, with the revision that the next write has to expect. */
export interface StoredPins {
  readonly pins: ServerPins;
  readonly revision: string;
}

/** The shape that a tool's results had, and how many results were seen. */
export interface Observation {
  readonly shape: Shape;
  readonly results: number;
}

/** By tool key. */
export type Observations = { readonly [toolKey: string]: Observation };

/**
 * The catalog's records in the store: a restart needs no upstream, and replicas agree on the pins.
 */
export interface CatalogRecords {
  loadListing(server: string): Promise<StoredListing | null>;
  saveListing(server: string, stored: StoredListing): Promise<void>;
  loadPins(server: string): Promise<StoredPins | null>;
  /**
   * @param expect the revision that is replaced; null for the first.
   * @returns false if another replica was faster.
   */
  savePins(server: string, pins: ServerPins, expect: string | null): Promise<boolean>;
  loadObservations(server: string): Promise<Observations>;
  saveObservations(server: string, observations: Observations): Promise<void>;
  /** Tells other replicas that a record of a server was saved. Only a hint: it may get lost. */
  announce(server: string): Promise<void>;
  /** Called with the server that another replica announced. */
  onAnnounced(listener: (server: string) => void): Promise<() => Promise<void>>;
}

const TOPIC = "catalog";

/** Definitions in it are not trusted and are checked when they are parsed. */
const UpstreamListingSchema: z.ZodType<UpstreamListing> = z.object({
  title: z.string(),
  description: z.string().optional(),
  identity: z.string(),
  tools: z.array(z.unknown()),
  isHttpApi: z.boolean().optional(),
  resources: z.array(z.unknown()),
  prompts: z.array(z.unknown()),
  skipped: z.array(z.object({ name: z.string(), reason: z.string() })),
});

const StoredListingSchema: z.ZodType<StoredListing> = z.object({
  listedAt: z.number(),
  listing: UpstreamListingSchema,
});

/** A guard of our own: a server may have thousands of tools, and `z.record` takes a microsecond each. */
const TextsSchema = z.custom<{ readonly [name: string]: string }>(
  (value) => isFields(value) && Object.values(value).every((text) => typeof text === "string"),
  "not a table of texts",
);

const ServerPinsSchema: z.ZodType<ServerPins> = z.object({
  baselineAt: z.number(),
  approved: TextsSchema,
  blocked: z.array(z.string()),
  waiting: TextsSchema.optional(),
  // This definition is only compared with the one that is listed now.
  replaced: z.record(z.string(), z.custom<Definition>(isFields)),
  holders: TextsSchema,
});

const ShapeSchema: z.ZodType<Shape> = z.object({
  types: z.array(z.string()),
  properties: z.record(z.string(), z.lazy(() => ShapeSchema)).optional(),
  required: z.array(z.string()).optional(),
  items: z.lazy(() => ShapeSchema).optional(),
  values: z.lazy(() => ShapeSchema).optional(),
});

const ObservationsSchema: z.ZodType<Observations> = z.record(
  z.string(),
  z.object({ shape: ShapeSchema, results: z.number() }),
);

const listings = document(keyOf.snapshot, StoredListingSchema, {
  name: "the last listing of a server",
  remedy: "The catalog lists the server again",
});

const pinsOf = document(keyOf.pins, ServerPinsSchema, {
  name: "the pins of a server",
  remedy: "Restore the store from a backup: without its pins, whatever a server lists next would " +
    "count as approved",
});

const observed = document(keyOf.observed, ObservationsSchema, {
  name: "the result types of a server's tools",
  remedy: "The catalog observes results again",
});

/**
 * A document that upstreams can give again. A value that does not fit is logged and counts as
 * absent: the next listing replaces it, and trust stands in the pins alone.
 */
async function readCache<Value>(
  deps: { readonly store: Store; readonly log: Log },
  kind: DocumentKind<[string], Value>,
  server: string,
): Promise<Value | null> {
  const entry = await deps.store.get(kind.at(server).key);
  try {
    return entry === null ? null : kind.valueOf(entry);
  } catch (error) {
    const { message, hint } = reportError(error);
    deps.log("warn", message, { server, hint });
    return null;
  }
}

/** @param log hears of a stored listing or observation that cannot be used. */
export function createCatalogRecords(store: Store, log: Log): CatalogRecords {
  const deps = { store, log };
  // Every replica receives its own announcements, too, and ignores them.
  const replica = crypto.randomUUID();
  return {
    async loadListing(server) {
      return await readCache(deps, listings, server);
    },
    async saveListing(server, stored) {
      await store.put([listings.at(server).set(stored)]);
    },
    async loadPins(server) {
      const stored = await pinsOf.at(server).read(store);
      return stored === null ? null : { pins: stored.value, revision: stored.revision };
    },
    async savePins(server, pins, expect) {
      return await store.put([pinsOf.at(server).set(pins, { expect })]) !== null;
    },
    async loadObservations(server) {
      return await readCache(deps, observed, server) ?? {};
    },
    async saveObservations(server, observations) {
      await store.put([observed.at(server).set(observations)]);
    },
    async announce(server) {
      await store.notify(TOPIC, JSON.stringify([replica, server]));
    },
    async onAnnounced(listener) {
      return await store.subscribe(TOPIC, (message) => {
        const [from, server] = JSON.parse(message) as [string, string];
        if (from !== replica) listener(server);
      });
    },
  };
}
