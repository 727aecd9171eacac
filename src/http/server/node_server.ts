import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { EdgeBounds, EdgeTimes } from "./connection_bounds.ts";

export const HEADER_BYTES_MAX = 65_536;
/** Node's request timeout is longer than ours by this, so that ours acts first. */
const MARGIN_MS = 5_000;
const MARGIN_CONNECTIONS = 32;

export interface NodeServerEvents {
  onConnection(socket: Socket): void;
  /** @param waitsForLeave the client sends its body only after `100 Continue`. */
  onRequest(incoming: IncomingMessage, outgoing: ServerResponse, waitsForLeave: boolean): void;
  /** The bytes are not a valid request, or did not arrive in time. */
  onBroken(error: Error & { readonly code?: string }, socket: Socket): void;
  onDropped(): void;
}

/** Node's server with its timers set; it does not listen yet. */
export function createNodeServer(
  times: EdgeTimes,
  bounds: EdgeBounds,
  events: NodeServerEvents,
): Server {
  const server = createServer({
    headersTimeout: times.headerMs,
    requestTimeout: times.headerMs + times.bodyMs + MARGIN_MS,
    keepAliveTimeout: times.idleMs,
    connectionsCheckingInterval: times.sweepMs,
    maxHeaderSize: HEADER_BYTES_MAX,
    keepAlive: true,
    noDelay: true,
  });
  // A client that has closed its sending side may still read the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.maxConnections = bounds.connectionsMax + MARGIN_CONNECTIONS;
  server.on("connection", events.onConnection);
  server.on("request", (incoming, outgoing) => events.onRequest(incoming, outgoing, false));
  server.on("checkContinue", (incoming, outgoing) => events.onRequest(incoming, outgoing, true));
  server.on("clientError", events.onBroken);
  server.on("drop", events.onDropped);
  return server;
}
