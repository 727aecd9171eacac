import type { ServerState } from "../model/catalog.ts";
import type { Upstreams } from "./upstreams.ts";

/**
 * The catalog's states of servers, corrected by their connections: a server that was listed a
 * minute ago may be down by now.
 */
export function withConnections(
  upstreams: Pick<Upstreams, "status" | "servers">,
  states: Iterable<ServerState>,
): ServerState[] {
  return [...states].map((state) => {
    if (!upstreams.servers.includes(state.server)) return state;
    const { error, down } = upstreams.status(state.server);
    if (down === undefined) return state;
    const status = state.status === "ready" ? "stale" : state.status;
    return { ...state, status, error: state.error ?? error, down };
  });
}
