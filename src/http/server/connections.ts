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
  /** Its peer's key; null is not counted by peer. */
  readonly peer: string | null;
  /** `waiting`: for a request. `body`: for the rest of one. `working`: on an answer. */
  state: "waiting" | "body" | "working";
  /** Since when it is in this state. */
  since: number;
  /** Requests that were answered. */
  answered: number;
  /** Since when the client takes nothing of an answer; null if it takes. */
  stuckSince: number | null;
  /** An answer came before the end of the body: the rest is not wanted. */
  isOver: boolean;
  /** Whether a reader waits for bytes of the body, and how many came. */
  readonly body: { isAwaited(): boolean; bytes(): number } | null;
}

/** A body that takes this long may be ended in favour of a new connection. */
const BODY_EVICTABLE_MS = 3_000;
const READER_EVICTABLE_MS = 5_000;

/**
 * Which open connection has to go so that a new one can come: the oldest that does the least. A client
 * that says nothing so never keeps out one that does.
 *
 * @returns null if all of them are at work.
 */
export function chooseVictim<T extends Connection>(
  connections: Iterable<T>,
  now: number,
): T | null {
  let best: T | null = null;
  let bestRank = Infinity;
  for (const connection of connections) {
    const rank = rankOf(connection, now);
    // The oldest of a rank comes first, in the order of opening.
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

/** Why a connection has to end now; null if it may go on. */
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

/** Whether a new connection would be one too many, and of what. */
export function excessOf(
  open: number,
  ofPeer: number,
  bounds: Pick<EdgeBounds, "connectionsMax" | "peerConnectionsMax">,
): "connections" | "peer" | null {
  if (ofPeer >= bounds.peerConnectionsMax) return "peer";
  return open >= bounds.connectionsMax ? "connections" : null;
}
