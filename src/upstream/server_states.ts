import type { ServerState } from "../model/catalog.ts";
import type { Upstreams } from "./upstreams.ts";

/**
 * What the catalog knows of servers, with what their connections know: a server that was listed a
 * minute ago may be gone by now.
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
