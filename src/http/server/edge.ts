import { configuredUpstreams } from "../../config/configured_upstreams.ts";
import type { Config } from "../../config/schema.ts";
import type { UpstreamSections } from "../../config/upstreams/upstream_kinds.ts";
import { createHostGuard } from "../host_guard.ts";
import { EDGE_TIMES, edgeBounds, type EdgeTimes } from "./connection_bounds.ts";
import type { EdgeReason } from "./connections.ts";
import { type HttpHandler, type HttpServer, openHttpServer } from "./http_server.ts";
import { createPeers } from "./peers.ts";

/** State of the listener, for `doctor`. */
export interface EdgeStatus {
  readonly connections: number;
  readonly connectionsMax: number;
  /** Maximum of open files, pipes and sockets of the process. */
  readonly descriptorsMax: number;
}

/** The network listener of the service. */
export interface Edge {
  /** @throws {Deno.errors.AddrInUse} and other errors if the address cannot be used. */
  listen(handler: HttpHandler): Promise<{ readonly port: number }>;
  /** Null before it listens. */
  status(): EdgeStatus | null;
  connections(): number;
  /** Stops accepting requests; resolves when the last request is answered. */
  close(): Promise<void>;
}

export interface EdgeDeps {
  readonly config: Pick<Config, "server" | "sandbox"> & UpstreamSections;
  readonly descriptorLimit: () => Promise<number>;
  readonly onRefused: (reason: EdgeReason) => void;
  readonly log: (message: string) => void;
  readonly times?: EdgeTimes;
}

export function createEdge(deps: EdgeDeps): Edge {
  const { config, times = EDGE_TIMES } = deps;
  let server: HttpServer | null = null;
  let bounds: { readonly connectionsMax: number; readonly descriptorsMax: number } | null = null;
  return {
    async listen(handler) {
      const { host, port, publicUrl, connectionsMax, trustedProxies } = config.server;
      const guard = createHostGuard(host, publicUrl);
      const descriptorsMax = await deps.descriptorLimit();
      const all = edgeBounds(descriptorsMax, connectionsMax, {
        hosts: config.sandbox.hostsMax,
        upstreams: configuredUpstreams(config).length,
      });
      server = await openHttpServer({
        bounds: all,
        times,
        peers: createPeers(trustedProxies),
        handler: async (request, exchange) => guard(request) ?? await handler(request, exchange),
        now: () => performance.now(),
        onRefused: deps.onRefused,
        log: deps.log,
      }, { host, port });
      bounds = { connectionsMax: all.connectionsMax, descriptorsMax };
      return { port: server.port };
    },
    status: () =>
      server === null || bounds === null ? null : { connections: server.connections(), ...bounds },
    connections: () => server?.connections() ?? 0,
    close: async () => await server?.close(),
  };
}
