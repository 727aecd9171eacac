/** Bounds of the edge, towards clients of whom nothing is known. */
export const EDGE_TIMES = {
  /** From the first byte of a request, or from the connection, until its headers are complete. */
  headerMs: 15_000,
  /** From complete headers until the body is complete. */
  bodyMs: 60_000,
  /** A body must have brought this many bytes a second, looked at after `bodyRateAfterMs`. */
  bodyBytesPerSecondMin: 500,
  bodyRateAfterMs: 10_000,
  /** How long a client may take none of an answer that waits for it. */
  readerMs: 60_000,
  /** A connection that is kept for a next request. */
  idleMs: 75_000,
  /** Between an answer that came before the end of a body, and the end of its connection. */
  lingerMs: 3_000,
  /** How often all of these are looked at. */
  sweepMs: 1_000,
  /** How often a quiet listener is looked at: whether it still accepts. */
  probeMs: 5_000,
} as const;

export type EdgeTimes = { readonly [time in keyof typeof EDGE_TIMES]: number };

/** How many, and how much. */
export interface EdgeBounds {
  readonly connectionsMax: number;
  /** Of one peer that is neither on this machine nor a trusted proxy. */
  readonly peerConnectionsMax: number;
  /** Requests in progress of one principal, or of one address behind a trusted proxy. */
  readonly ownerRequestsMax: number;
  /** Bytes of request bodies in memory, of all and of one principal or peer. */
  readonly bodyBytesMax: number;
  readonly ownerBodyBytesMax: number;
}

const CONNECTIONS_MIN = 16;
/** A connection that says nothing takes some 20 KB: more needs more than a setting. */
const CONNECTIONS_DEFAULT_MAX = 4_096;
/** For the store, modules, logs, signals and the runtime itself. */
const DESCRIPTORS_OF_SERVICE = 96;
/** Some systems set no limit; more than this is none. */
const DESCRIPTORS_COUNTED_MAX = 4_000_000;
const DESCRIPTORS_PER_HOST = 8;
const DESCRIPTORS_PER_UPSTREAM = 6;
const MIB = 1_048_576;

/**
 * @param limit descriptors that the process may have open.
 * @param configured `server.connectionsMax`; 0 leaves it to the limit.
 * @param parts what else needs descriptors: sandbox hosts at most, and upstreams.
 */
export function edgeBounds(
  limit: number,
  configured: number,
  parts: { readonly hosts: number; readonly upstreams: number },
): EdgeBounds {
  const descriptors = Math.min(limit, DESCRIPTORS_COUNTED_MAX);
  // An answer of an HTTP upstream takes a descriptor too, as many as there are calls at a time.
  const reserve = Math.max(
    Math.ceil(descriptors * 0.35),
    DESCRIPTORS_OF_SERVICE + parts.hosts * DESCRIPTORS_PER_HOST +
      parts.upstreams * DESCRIPTORS_PER_UPSTREAM,
  );
  const room = Math.max(
    CONNECTIONS_MIN,
    Math.min(descriptors - reserve, configured === 0 ? CONNECTIONS_DEFAULT_MAX : Infinity),
  );
  const connectionsMax = configured === 0 ? room : Math.min(configured, room);
  return {
    connectionsMax,
    peerConnectionsMax: Math.max(CONNECTIONS_MIN / 2, Math.floor(connectionsMax / 4)),
    ownerRequestsMax: Math.max(CONNECTIONS_MIN / 2, Math.floor(connectionsMax / 2)),
    bodyBytesMax: 64 * MIB,
    ownerBodyBytesMax: 24 * MIB,
  };
}
