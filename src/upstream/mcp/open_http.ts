import { type PriorDiscovery, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { McpServerConfig } from "../../config/upstreams/mcp_servers.ts";
import type { Outbound } from "../net/outbound_fetch.ts";
import type { UpstreamContext } from "../upstream.ts";
import { cancellableTransport } from "./cancellable_transport.ts";
import { connectMcp, type ConnectOptions, type McpConnection } from "./connection.ts";
import { isOldHttpServer, neverSent } from "./errors.ts";
import { probeEra } from "./probe_era.ts";
import { readableAnswers } from "./readable_answers.ts";
import { SseTransport } from "./sse_transport.ts";

export type HttpServerConfig = Extract<McpServerConfig, { url: string }>;

/** Connects with a fetch that already carries credentials, bounds and the address check. */
export type ConnectHttp = (
  fetch: Outbound["fetch"],
  signal: AbortSignal,
  closed: () => void,
) => Promise<McpConnection>;

/** The options of one connection; all connections to a server share the others. */
type Link = Pick<
  ConnectOptions,
  "transport" | "verdict" | "hasSession" | "signal" | "closed"
>;

const CONNECT_MS_MIN = 10_000;
/** Time limit for the probe for 2026; after it `initialize` is tried. */
const PROBE_MS_MAX = 5_000;
/** How long the era of the last connection is assumed. */
const VERDICT_MS_MAX = 3_600_000;

/**
 * Makes the function that connects to an MCP server over HTTP.
 *
 * Tries the newest protocol, then `initialize`, then the HTTP+SSE transport of 2024. The era that
 * worked is remembered for an hour, HTTP+SSE until the upstream closes. `era` in the configuration
 * leaves only one of the first two.
 */
export function httpOpener(context: UpstreamContext, config: HttpServerConfig): ConnectHttp {
  const url = new URL(config.url);
  const era = String(config.era);
  const timeoutMs = Math.max(config.timeoutMs, CONNECT_MS_MIN);
  let verdict: { prior: PriorDiscovery; until: number } | null = null;
  let isSse = config.type === "sse";

  const connect = (link: Link) =>
    connectMcp({
      ...link,
      mode: "legacy",
      timeoutMs,
      listChanged: context.listChanged,
      log: (level, message, fields) =>
        context.log(level, message, { server: context.server, ...fields }),
    });
  const streamable: ConnectHttp = async (fetch, signal, closed) => {
    const open = () =>
      cancellableTransport(
        new StreamableHTTPClientTransport(url, {
          fetch: readableAnswers(fetch),
          redirectPolicy: "same-origin",
        }),
      );
    const connectAs = (prior: PriorDiscovery) => {
      const transport = open();
      const hasSession = () => transport.sessionId !== undefined;
      return connect({ transport, verdict: prior, hasSession, signal, closed });
    };
    const now = Date.now();
    if (era === "2025") return await connectAs({ kind: "legacy" });
    if (verdict !== null && verdict.until > now) {
      try {
        return await connectAs(verdict.prior);
      } catch (error) {
        if (signal.aborted || neverSent(error)) throw error;
        // A server of another era may have replaced this one.
        verdict = null;
      }
    }
    const isPinned = era === "2026";
    const probed = await probeEra(open(), {
      timeoutMs: isPinned ? timeoutMs : Math.min(timeoutMs, PROBE_MS_MAX),
      signal,
    });
    if (isPinned && probed.refusal !== null) {
      throw new Error(`The server does not speak MCP 2026-07-28, which "era" asks for`, {
        cause: probed.refusal,
      });
    }
    const connection = await connectAs(probed.prior).catch((error) => {
      // A 2026 server gave the reason in its refusal; its failed "initialize" adds nothing.
      throw probed.isModernRefusal && !signal.aborted ? probed.refusal : error;
    });
    verdict = { prior: connection.verdict, until: now + VERDICT_MS_MAX };
    return connection;
  };
  const sse: ConnectHttp = (fetch, signal, closed) =>
    connect({
      transport: new SseTransport(url, fetch),
      verdict: { kind: "legacy" },
      // The endpoint URL of this transport names the session.
      hasSession: () => true,
      signal,
      closed,
    });

  return async (fetch, signal, closed) => {
    if (isSse) return await sse(fetch, signal, closed);
    try {
      return await streamable(fetch, signal, closed);
    } catch (error) {
      const isStreamable = config.type !== undefined || era === "2026";
      if (signal.aborted || isStreamable || !isOldHttpServer(error)) throw error;
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
