/** Time limits of the edge for unknown clients. */
export const EDGE_TIMES = {
  /** From the first byte of a request, or from the connection, until its headers are complete. */
  headerMs: 15_000,
  /** From complete headers until the body is complete. */
  bodyMs: 60_000,
  /** Minimum average speed of a body, checked after `bodyRateAfterMs`. */
  bodyBytesPerSecondMin: 500,
  bodyRateAfterMs: 10_000,
  /** How long a client may read nothing of an answer that is ready for it. */
  readerMs: 60_000,
  /** How long a connection stays open for the next request. */
  idleMs: 75_000,
  /** From an answer before the end of the body until the connection is closed. */
  lingerMs: 3_000,
  /** How often the limits above are checked. */
  sweepMs: 1_000,
  /** How often the server checks that a quiet listener still accepts connections. */
  probeMs: 5_000,
} as const;

export type EdgeTimes = { readonly [time in keyof typeof EDGE_TIMES]: number };

/** Limits of numbers and bytes. */
export interface EdgeBounds {
  readonly connectionsMax: number;
  /** For one peer that is neither on this machine nor a trusted proxy. */
  readonly peerConnectionsMax: number;
  /** Requests in progress of one principal, or of one address behind a trusted proxy. */
  readonly ownerRequestsMax: number;
  /** Bytes of request bodies in memory, in total and of one principal or peer. */
  readonly bodyBytesMax: number;
  readonly ownerBodyBytesMax: number;
}

const CONNECTIONS_MIN = 16;
/** A silent connection takes about 20 KB, so more connections also need more memory. */
const CONNECTIONS_DEFAULT_MAX = 4_096;
/** For the store, modules, logs, signals and the runtime itself. */
const DESCRIPTORS_OF_SERVICE = 96;
/** Some systems have no limit: a larger number counts as this one. */
const DESCRIPTORS_COUNTED_MAX = 4_000_000;
const DESCRIPTORS_PER_HOST = 8;
const DESCRIPTORS_PER_UPSTREAM = 6;
const MIB = 1_048_576;

/**
 * @param limit number of descriptors that the process may have open.
 * @param configured `server.connectionsMax`; 0 leaves it to the limit.
 * @param parts other users of descriptors: the maximum of sandbox hosts, and upstreams.
 */
export function edgeBounds(
  limit: number,
  configured: number,
  parts: { readonly hosts: number; readonly upstreams: number },
): EdgeBounds {
  const descriptors = Math.min(limit, DESCRIPTORS_COUNTED_MAX);
  // Calls in progress to HTTP upstreams take descriptors, too: keep a share of them free.
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
