import {
  type PriorDiscovery,
  StreamableHTTPClientTransport,
  type Transport,
} from "@modelcontextprotocol/client";
import type { McpServerConfig } from "../config/schema.ts";
import { cancellableTransport } from "./cancellable_transport.ts";
import { connectMcp, type McpConnection } from "./mcp_connection.ts";
import { isOldHttpServer, neverSent } from "./mcp_errors.ts";
import type { Outbound } from "./outbound_fetch.ts";
import { SseTransport } from "./sse_transport.ts";
import type { UpstreamContext } from "./upstream.ts";

export type HttpServerConfig = Extract<McpServerConfig, { url: string }>;

/** Connects with a fetch that already carries credentials, bounds and the address check. */
export type ConnectHttp = (
  fetch: Outbound["fetch"],
  signal: AbortSignal,
  closed: () => void,
) => Promise<McpConnection>;

const CONNECT_MS_MIN = 10_000;
/** How long a server is taken for what it was last time. */
const VERDICT_MS_MAX = 3_600_000;

/**
 * Makes the function that connects to an MCP server over HTTP.
 *
 * Tries the newest protocol, then `initialize`, then the HTTP+SSE transport of 2024; what worked is
 * remembered for an hour.
 */
export function httpOpener(context: UpstreamContext, config: HttpServerConfig): ConnectHttp {
  const url = new URL(config.url);
  let verdict: { prior: PriorDiscovery; until: number } | null = null;
  let isSse = config.type === "sse";

  const connect = (
    transport: Transport,
    prior: PriorDiscovery | null,
    signal: AbortSignal,
    closed: () => void,
  ) =>
    connectMcp({
      transport,
      mode: isSse ? "legacy" : "auto",
      verdict: prior,
      timeoutMs: Math.max(config.timeoutMs, CONNECT_MS_MIN),
      signal,
      closed,
      listChanged: context.listChanged,
      log: (level, message, fields) =>
        context.log(level, message, { server: context.server, ...fields }),
    });
  const streamable: ConnectHttp = async (fetch, signal, closed) => {
    const open = () =>
      cancellableTransport(
        new StreamableHTTPClientTransport(url, { fetch, redirectPolicy: "same-origin" }),
      );
    const now = Date.now();
    if (verdict !== null && verdict.until > now) {
      try {
        return await connect(open(), verdict.prior, signal, closed);
      } catch (error) {
        if (signal.aborted || neverSent(error)) throw error;
        // The server may have been replaced by one of another era.
        verdict = null;
      }
    }
    const connection = await connect(open(), null, signal, closed);
    verdict = { prior: connection.verdict, until: now + VERDICT_MS_MAX };
    return connection;
  };
  const sse: ConnectHttp = (fetch, signal, closed) =>
    connect(new SseTransport(url, fetch), null, signal, closed);

  return async (fetch, signal, closed) => {
    if (isSse) return await sse(fetch, signal, closed);
    try {
      return await streamable(fetch, signal, closed);
    } catch (error) {
      if (signal.aborted || config.type !== undefined || !isOldHttpServer(error)) throw error;
      isSse = true;
      try {
        return await sse(fetch, signal, closed);
      } catch {
        isSse = false;
        throw error;
      }
    }
  };
}
