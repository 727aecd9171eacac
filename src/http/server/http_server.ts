/**
 * The service's HTTP server, made to survive slow and hostile clients.
 *
 * `Deno.serve` ends when a connection cannot be accepted, and waits for headers and bodies for
 * ever. Node's server has timers. This server adds limits for connections, bodies and answers: the
 * process keeps free descriptors, and silent connections are closed to admit new ones.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { problemOf } from "../problem.ts";
import { type BodyClaim, createBodyBudget } from "./body_budget.ts";
import type { EdgeBounds, EdgeTimes } from "./connection_bounds.ts";
import {
  chooseVictim,
  type Connection,
  type EdgeReason,
  excessOf,
  overdue,
} from "./connections.ts";
import { answerRaw, bodyTooSlow, busy, malformed } from "./edge_answers.ts";
import { type Listener, openListener } from "./listener.ts";
import { hasBody, headerOf, requestOf, writeResponse } from "./node_exchange.ts";
import { createNodeServer, HEADER_BYTES_MAX } from "./node_server.ts";
import { createOwnerCounts } from "./owner_counts.ts";
import type { Peers } from "./peers.ts";
import { createRequestBody, type RequestBody } from "./request_body.ts";
import { RequestRefused } from "./request_refused.ts";

/** Functions of the server for one request. */
export interface HttpExchange {
  /**
   * Counts the request and its body for its owner, once the owner is known.
   *
   * @throws {RequestRefused} 429 if too many requests of this owner are in progress.
   */
  ownedBy(owner: string): void;
}

export type HttpHandler = (request: Request, exchange: HttpExchange) => Promise<Response>;

export interface HttpServerDeps {
  readonly bounds: EdgeBounds;
  readonly times: EdgeTimes;
  readonly peers: Peers;
  readonly handler: HttpHandler;
  readonly now: () => number;
  readonly onRefused: (reason: EdgeReason) => void;
  readonly log: (message: string) => void;
}

export interface HttpServer {
  readonly port: number;
  connections(): number;
  /** Stops accepting, ends idle connections; resolves when the last request is answered. */
  close(): Promise<void>;
}

/** A connection and its work. */
interface OpenConnection extends Connection {
  readonly socket: Socket;
  readonly address: string;
  body: RequestBody | null;
  /** Number of requests that wait for an earlier one on the same connection. */
  queued: number;
  turn: Promise<void>;
  /** Aborts the work for a client that has gone. */
  abort: AbortController | null;
  /** The request in progress, and whether its answer has begun. */
  incoming: IncomingMessage | null;
  isAnswering: boolean;
}

/** Requests that a client may send before it has an answer. Honest clients send fewer. */
const PIPELINE_MAX = 100;

/** @throws {Deno.errors.AddrInUse} and other errors if the address cannot be used. */
export async function openHttpServer(
  deps: HttpServerDeps,
  place: { readonly host: string; readonly port: number },
): Promise<HttpServer> {
  const edge = new HttpEdge(deps);
  const listener = await openListener({
    place,
    createServer: () => edge.createServer(),
    probeEveryMs: deps.times.probeMs,
    log: deps.log,
  });
  edge.start(listener);
  return {
    port: listener.port,
    connections: () => edge.count(),
    close: () => edge.close(),
  };
}

class HttpEdge {
  readonly #deps: HttpServerDeps;
  readonly #connections = new Map<Socket, OpenConnection>();
  readonly #peers = new Map<string, number>();
  readonly #bodies;
  readonly #owners;
  #listener: Listener | null = null;
  #sweep: ReturnType<typeof setInterval> | undefined;
  #closed: PromiseWithResolvers<void> | null = null;

  constructor(deps: HttpServerDeps) {
    this.#deps = deps;
    this.#bodies = createBodyBudget(deps.bounds.bodyBytesMax, deps.bounds.ownerBodyBytesMax);
    this.#owners = createOwnerCounts(deps.bounds.ownerRequestsMax);
  }

  count(): number {
    return this.#connections.size;
  }

  start(listener: Listener): void {
    this.#listener = listener;
    this.#sweep = setInterval(() => this.#endOverdue(), this.#deps.times.sweepMs);
  }

  createServer(): Server {
    return createNodeServer(this.#deps.times, this.#deps.bounds, {
      onConnection: (socket) => this.#welcome(socket),
      onRequest: (...request) => this.#take(...request),
      onBroken: (error, socket) => this.#answerBroken(error, socket),
      onDropped: () => this.#deps.onRefused("connections"),
    });
  }

  async close(): Promise<void> {
    if (this.#closed !== null) return await this.#closed.promise;
    this.#closed = Promise.withResolvers<void>();
    this.#listener?.close();
    for (const connection of [...this.#connections.values()]) {
      if (connection.state === "waiting") connection.socket.destroy();
    }
    this.#settleClosed();
    await this.#closed.promise;
    clearInterval(this.#sweep);
  }

  /** Counts a new connection, and ends another one for it if there are too many. */
  #welcome(socket: Socket): void {
    socket.on("error", () => {}); // what follows is "close"
    this.#listener?.noteAccepted();
    const { bounds, peers, now } = this.#deps;
    const address = socket.remoteAddress ?? "";
    const peer = peers.keyOf(address);
    const ofPeer = peer === null ? 0 : this.#peers.get(peer) ?? 0;
    const excess = excessOf(this.#connections.size, ofPeer, bounds);
    if (excess !== null && !this.#makeRoom(excess === "peer" ? peer : null)) {
      this.#deps.onRefused(excess);
      return answerRaw(socket, 503, "Too many connections");
    }
    const connection: OpenConnection = {
      socket,
      address,
      peer,
      state: "waiting",
      since: now(),
      answered: 0,
      stuckSince: null,
      isOver: false,
      body: null,
      queued: 0,
      turn: Promise.resolve(),
      abort: null,
      incoming: null,
      isAnswering: false,
    };
    this.#connections.set(socket, connection);
    if (peer !== null) this.#peers.set(peer, ofPeer + 1);
    // A client that stops sending may be gone: abort the work, but still send a ready answer.
    socket.on("end", () => {
      connection.abort?.abort();
      this.#linger(connection);
    });
    socket.on("close", () => this.#forget(connection));
  }

  #forget(connection: OpenConnection): void {
    if (!this.#connections.delete(connection.socket)) return;
    connection.abort?.abort();
    const { peer } = connection;
    if (peer !== null) {
      const rest = (this.#peers.get(peer) ?? 1) - 1;
      if (rest > 0) this.#peers.set(peer, rest);
      else this.#peers.delete(peer);
    }
    this.#settleClosed();
  }

  #settleClosed(): void {
    if (this.#connections.size === 0) this.#closed?.resolve();
  }

  /** Ends the least active connection. @param peer only of this peer; null for all peers. */
  #makeRoom(peer: string | null): boolean {
    const all = [...this.#connections.values()];
    const candidates = peer === null ? all : all.filter((one) => one.peer === peer);
    const victim = chooseVictim(candidates, this.#deps.now());
    if (victim === null) return false;
    this.#end(victim, "evicted");
    return true;
  }

  #end(connection: OpenConnection, reason: EdgeReason): void {
    if (reason !== "idle") this.#deps.onRefused(reason);
    connection.socket.destroy();
    // Forget it at once, not only at the "close" event, so that a new connection fits.
    this.#forget(connection);
  }

  #endOverdue(): void {
    const { now, times } = this.#deps;
    for (const connection of [...this.#connections.values()]) {
      const reason = overdue(connection, now(), times);
      if (reason === "header_time") {
        this.#deps.onRefused(reason);
        answerRaw(connection.socket, 408, "The headers did not come in time");
        this.#forget(connection);
      } else if (reason === "body_time" || reason === "body_rate") {
        this.#deps.onRefused(reason);
        this.#stopBody(connection);
      } else if (reason !== null) this.#end(connection, reason);
    }
  }

  /** If a handler reads the body, it gets an error and answers 408; else the connection ends. */
  #stopBody(connection: OpenConnection): void {
    const { body, socket } = connection;
    if (!body?.isAwaited()) return void socket.destroy();
    connection.state = "working";
    connection.since = this.#deps.now();
    connection.isOver = true;
    body.refuse(bodyTooSlow(this.#deps.times.bodyMs));
  }

  /** Serves the requests of a connection one after the other, in their order. */
  #take(incoming: IncomingMessage, outgoing: ServerResponse, waitsForLeave: boolean): void {
    const connection = this.#connections.get(incoming.socket);
    if (connection === undefined) return; // the connection was refused and will end soon
    if (connection.state === "waiting") {
      connection.state = "working";
      connection.incoming = incoming;
    }
    if (++connection.queued > PIPELINE_MAX) return this.#end(connection, "malformed");
    outgoing.on("error", () => {}); // what follows is "close"
    connection.turn = connection.turn
      .then(() => this.#serve(connection, incoming, outgoing, waitsForLeave))
      .catch((error) => {
        this.#deps.log(`A request broke off: ${error}`);
        connection.socket.destroy();
      })
      .finally(() => connection.queued--);
  }

  async #serve(
    connection: OpenConnection,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    waitsForLeave: boolean,
  ): Promise<void> {
    if (connection.socket.destroyed) return;
    const { now } = this.#deps;
    const claim = this.#bodies.open();
    const abort = new AbortController();
    connection.abort = abort;
    connection.incoming = incoming;
    const enter = (state: Connection["state"]) => {
      connection.state = state;
      connection.since = now();
    };
    const ended = Promise.withResolvers<void>();
    outgoing.once("close", ended.resolve);
    let ownership: (() => void) | null = null;
    try {
      if (hasBody(incoming)) {
        enter("body");
        const giveLeave = () => outgoing.headersSent || outgoing.writeContinue();
        connection.body = createRequestBody(
          incoming,
          (bytes) => this.#countBytes(claim, bytes),
          waitsForLeave ? giveLeave : null,
        );
        incoming.once("end", () => connection.isOver || enter("working"));
      } else enter("working");
      const { method } = incoming;
      const stream = method === "GET" || method === "HEAD" ? null : connection.body?.stream ?? null;
      const { peers } = this.#deps;
      const scheme = peers.schemeOf(connection.address, headerOf(incoming, "x-forwarded-proto"));
      const request = requestOf(incoming, stream, abort.signal, scheme);
      const exchange = this.#exchangeOf(claim, (release) => ownership = release);
      const response = request === null
        ? malformed()
        : await this.#answer(request, exchange, connection.address, incoming);
      // After the answer to an incomplete request, the rest of the body is not needed.
      if (!incoming.complete) {
        this.#linger(connection);
        outgoing.setHeader("connection", "close");
      }
      if (this.#closed !== null) outgoing.shouldKeepAlive = false;
      connection.isAnswering = true;
      await writeResponse(response, outgoing, {
        onWaiting: (isWaiting) => {
          connection.stuckSince = isWaiting ? now() : null;
        },
      });
      if (!outgoing.destroyed && !outgoing.closed) await ended.promise;
    } finally {
      claim.release();
      (ownership as (() => void) | null)?.();
      connection.abort = null;
      connection.incoming = null;
      connection.isAnswering = false;
      connection.body = null;
      connection.stuckSince = null;
      connection.answered++;
      if (!connection.isOver) enter("waiting");
      if (this.#closed !== null) connection.socket.destroySoon();
    }
  }

  /** Ends the connection later: a client that still sends would lose the answer otherwise. */
  #linger(connection: OpenConnection): void {
    const { socket } = connection;
    connection.isOver = true;
    connection.since = this.#deps.now();
    socket.destroySoon = () => void socket.end();
  }

  async #answer(
    request: Request,
    exchange: HttpExchange,
    address: string,
    incoming: IncomingMessage,
  ): Promise<Response> {
    try {
      const named = headerOf(incoming, "x-forwarded-for");
      const client = this.#deps.peers.forwardedKeyOf(address, named) ??
        this.#deps.peers.keyOf(address);
      if (client !== null) exchange.ownedBy(`address ${client}`);
      return await this.#deps.handler(request, exchange);
    } catch (error) {
      if (error instanceof RequestRefused) return problemOf(error.report, error.status);
      throw error;
    }
  }

  #exchangeOf(
    claim: BodyClaim,
    setRelease: (release: () => void) => void,
  ): HttpExchange {
    const releases: (() => void)[] = [];
    setRelease(() => releases.forEach((release) => release()));
    return {
      ownedBy: (owner) => {
        if (claim.owners.has(owner)) return;
        const release = this.#owners.enter(owner);
        if (release === null) {
          this.#deps.onRefused("owner");
          throw busy(429, "Too many requests of this caller are in progress");
        }
        releases.push(release);
        claim.owners.add(owner);
      },
    };
  }

  #countBytes(claim: BodyClaim, bytes: number): RequestRefused | null {
    const full = claim.add(bytes);
    if (full === null) return null;
    this.#deps.onRefused("bodies");
    return full === "owner"
      ? busy(429, "Cannot read the body: too much of this caller is being read already")
      : busy(503, "Cannot read the body: too much is being read already");
  }

  #answerBroken(error: Error & { readonly code?: string }, socket: Socket): void {
    const connection = this.#connections.get(socket);
    const isTime = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    if (connection !== undefined) this.#deps.onRefused(isTime ? "header_time" : "malformed");
    // The client must not take this error for the answer of the request in progress.
    if (!socket.writable || connection === undefined || isServing(connection)) socket.destroy();
    else if (isTime) answerRaw(socket, 408, "The headers did not come in time");
    else if (error.code === "HPE_HEADER_OVERFLOW") {
      answerRaw(socket, 431, `The headers are larger than ${HEADER_BYTES_MAX} bytes`);
    } else answerRaw(socket, 400, "This is not a request of HTTP/1.1");
    if (connection !== undefined) this.#forget(connection);
  }
}

/** True if a complete request waits for its answer, or an answer has begun. */
function isServing({ incoming, isAnswering }: OpenConnection): boolean {
  return isAnswering || (incoming !== null && incoming.complete);
}
