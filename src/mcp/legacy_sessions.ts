import {
  type AuthInfo,
  isInitializeRequest,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { principalKey } from "../model/principal.ts";
import { sha256Hex } from "../model/sha256.ts";
import type { McpCaller } from "./caller.ts";
import type { SessionSigner } from "./session_id.ts";

/**
 * Sessions of clients that speak a 2025 or older revision.
 *
 * A session lives in this process and its id is signed. An id from another replica, or from before
 * a restart, is therefore served statelessly (`fallback`); only a forged, foreign, expired or ended
 * id is unknown (404).
 */
export interface LegacySessions {
  handle(request: Request, caller: McpCaller, body: unknown): Promise<Response>;
  close(): Promise<void>;
}

export interface LegacySessionsDeps {
  readonly now: () => number;
  readonly signer: SessionSigner;
  readonly createServer: () => Server;
  readonly optionsOf: (
    caller: McpCaller,
    body: unknown,
  ) => { readonly authInfo: AuthInfo; readonly parsedBody?: unknown };
  /** Serves one request without a session. */
  readonly fallback: (request: Request, caller: McpCaller, body: unknown) => Promise<Response>;
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly server: Server;
  readonly owner: string;
  usedAt: number;
}

const SESSIONS_MAX = 1_000;
const ENDED_MAX = 10_000;
const IDLE_MS = 30 * 60_000;
const LIFE_MS = 24 * 60 * 60_000;

export function createLegacySessions(deps: LegacySessionsDeps): LegacySessions {
  const sessions = new Map<string, Session>();
  /** Ids that clients ended; other replicas, or this one restarted, serve them statelessly. */
  const ended = new Set<string>();

  const drop = async (id: string, session: Session) => {
    sessions.delete(id);
    await session.server.close();
  };

  /** Ends idle sessions, and the least recently used ones when there are too many. */
  const evict = async () => {
    const idleBefore = deps.now() - IDLE_MS;
    for (const [id, session] of sessions) {
      if (session.usedAt < idleBefore || sessions.size >= SESSIONS_MAX) await drop(id, session);
      else break; // in order of last use
    }
  };

  const open = async (request: Request, caller: McpCaller, body: unknown): Promise<Response> => {
    await evict();
    const owner = ownerOf(caller);
    const id = deps.signer.sign({
      principal: owner,
      space: caller.space,
      expiresAt: deps.now() + LIFE_MS,
      nonce: crypto.randomUUID(),
    });
    const server = deps.createServer();
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessioninitialized: () => {
        sessions.set(id, { transport, server, owner, usedAt: deps.now() });
      },
      onsessionclosed: () => {
        sessions.delete(id);
        ended.add(id);
        const [oldest] = ended;
        if (ended.size > ENDED_MAX && oldest !== undefined) ended.delete(oldest);
      },
    });
    await server.connect(transport);
    return await transport.handleRequest(request, deps.optionsOf(caller, body));
  };

  return {
    async handle(request, caller, body) {
      const id = request.headers.get("mcp-session-id");
      if (id === null) {
        return isInitializeRequest(body)
          ? await open(request, caller, body)
          : await deps.fallback(request, caller, body);
      }
      const claims = deps.signer.verify(id, deps.now());
      if (
        ended.has(id) || claims === null || claims.principal !== ownerOf(caller) ||
        claims.space !== caller.space
      ) return sessionNotFound();
      const session = sessions.get(id);
      if (session === undefined) return await deps.fallback(request, caller, body);
      session.usedAt = deps.now();
      sessions.delete(id);
      sessions.set(id, session); // keeps the map in order of last use
      return await session.transport.handleRequest(request, deps.optionsOf(caller, body));
    },
    async close() {
      for (const [id, session] of [...sessions]) await drop(id, session);
    },
  };
}

function ownerOf(caller: McpCaller): string {
  return sha256Hex(principalKey(caller.principal));
}

function sessionNotFound(): Response {
  return Response.json({
    jsonrpc: "2.0",
    id: null,
    error: { code: -32001, message: "Session not found" },
  }, { status: 404 });
}
