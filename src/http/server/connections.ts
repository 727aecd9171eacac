import type { EdgeBounds, EdgeTimes } from "./connection_bounds.ts";

/** Why the edge ended or refused something; the reasons of a metric. */
export type EdgeReason =
  | "connections"
  | "peer"
  | "owner"
  | "bodies"
  | "header_time"
  | "body_time"
  | "body_rate"
  | "reader_time"
  | "idle"
  | "evicted"
  | "malformed";

/** One open connection, in milliseconds of a steady clock. */
export interface Connection {
  /** Key of the peer; null if the connection is not counted per peer. */
  readonly peer: string | null;
  /** `waiting`: for a request. `body`: for the rest of one. `working`: on an answer. */
  state: "waiting" | "body" | "working";
  /** Start of this state. */
  since: number;
  /** Number of answered requests. */
  answered: number;
  /** When the client stopped reading its answer; null while it reads. */
  stuckSince: number | null;
  /** The connection ends after this answer, at the latest after `lingerMs`. */
  isOver: boolean;
  /** Whether a reader waits for bytes of the body, and the bytes received. */
  readonly body: { isAwaited(): boolean; bytes(): number } | null;
}

/** After this time an unfinished body may be ended to admit a new connection. */
const BODY_EVICTABLE_MS = 3_000;
const READER_EVICTABLE_MS = 5_000;

/**
 * Chooses the open connection to end for a new one: the oldest of the least active. So silent
 * clients never keep out active ones.
 *
 * @returns null if all connections are at work.
 */
export function chooseVictim<T extends Connection>(
  connections: Iterable<T>,
  now: number,
): T | null {
  let best: T | null = null;
  let bestRank = Infinity;
  for (const connection of connections) {
    const rank = rankOf(connection, now);
    // At equal age, the connection that was opened first is chosen.
    if (rank < bestRank || (rank === bestRank && best !== null && connection.since < best.since)) {
      best = connection;
      bestRank = rank;
    }
  }
  return bestRank === Infinity ? null : best;
}

function rankOf(connection: Connection, now: number): number {
  const { state, answered, since, stuckSince, isOver } = connection;
  if (isOver) return 0;
  if (state === "waiting") return answered === 0 ? 1 : 2;
  if (state === "body" && now - since > BODY_EVICTABLE_MS) return 3;
  if (stuckSince !== null && now - stuckSince > READER_EVICTABLE_MS) return 4;
  return Infinity;
}

/** The reason to end a connection now; null if it may stay open. */
export function overdue(
  connection: Connection,
  now: number,
  times: EdgeTimes,
): EdgeReason | null {
  const { state, since, answered, stuckSince, isOver, body } = connection;
  const age = now - since;
  if (isOver) return age > times.lingerMs ? "idle" : null;
  if (stuckSince !== null && now - stuckSince > times.readerMs) return "reader_time";
  if (state === "waiting") {
    if (answered === 0) return age > times.headerMs ? "header_time" : null;
    return age > times.idleMs ? "idle" : null;
  }
  if (state === "body") {
    if (age > times.bodyMs) return "body_time";
    const isSlow = (body?.bytes() ?? 0) * 1_000 < age * times.bodyBytesPerSecondMin;
    if (age > times.bodyRateAfterMs && isSlow && body?.isAwaited()) return "body_rate";
  }
  return null;
}

/** The limit that a new connection would exceed; null if none. */
export function excessOf(
  open: number,
  ofPeer: number,
  bounds: Pick<EdgeBounds, "connectionsMax" | "peerConnectionsMax">,
): "connections" | "peer" | null {
  if (ofPeer >= bounds.peerConnectionsMax) return "peer";
  return open >= bounds.connectionsMax ? "connections" : null;
}
