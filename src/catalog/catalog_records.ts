import type { Json } from "../model/json/json.ts";
import type { UpstreamListing } from "../model/upstream.ts";
import { keyOf } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import type { Shape } from "./observe_shape.ts";
import type { ServerPins } from "./pins.ts";

/** The last good listing of a server, as received. */
export interface StoredListing {
  readonly listedAt: number;
  readonly listing: UpstreamListing;
}

/** Pins as they are stored, with what the next write has to expect. */
export interface StoredPins {
  readonly pins: ServerPins;
  readonly revision: string;
}

/** What was seen of a tool's results. */
export interface Observation {
  readonly shape: Shape;
  readonly results: number;
}

/** By tool key. */
export type Observations = { readonly [toolKey: string]: Observation };

/** What the catalog keeps: a restart needs no upstream, and replicas agree on the pins. */
export interface CatalogRecords {
  loadListing(server: string): Promise<StoredListing | null>;
  saveListing(server: string, stored: StoredListing): Promise<void>;
  loadPins(server: string): Promise<StoredPins | null>;
  /**
   * @param expect the revision that is replaced; null for the first.
   * @returns false if somebody else was faster.
   */
  savePins(server: string, pins: ServerPins, expect: string | null): Promise<boolean>;
  loadObservations(server: string): Promise<Observations>;
  saveObservations(server: string, observations: Observations): Promise<void>;
  /** Tells other replicas that something of a server was saved. A hint. */
  announce(server: string): Promise<void>;
  /** Called with the server that another replica announced. */
  onAnnounced(listener: (server: string) => void): Promise<() => Promise<void>>;
}

const TOPIC = "catalog";

export function createCatalogRecords(store: Store): CatalogRecords {
  // Every replica hears itself, too; what it said itself is no news to it.
  const replica = crypto.randomUUID();
  return {
    async loadListing(server) {
      const entry = await store.get(keyOf.snapshot(server));
      return entry === null ? null : entry.value as unknown as StoredListing;
    },
    async saveListing(server, stored) {
      await store.put([{ key: keyOf.snapshot(server), value: stored as unknown as Json }]);
    },
    async loadPins(server) {
      const entry = await store.get(keyOf.pins(server));
      if (entry === null) return null;
      return { pins: entry.value as unknown as ServerPins, revision: entry.revision };
    },
    async savePins(server, pins, expect) {
      const value = pins as unknown as Json;
      return await store.put([{ key: keyOf.pins(server), value, expect }]) !== null;
    },
    async loadObservations(server) {
      const entry = await store.get(keyOf.observed(server));
      return entry === null ? {} : entry.value as unknown as Observations;
    },
    async saveObservations(server, observations) {
      const value = observations as unknown as Json;
      await store.put([{ key: keyOf.observed(server), value }]);
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
