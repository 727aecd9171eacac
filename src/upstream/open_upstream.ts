import type { ConfiguredUpstream } from "../config/configured_upstreams.ts";
import type { SettingsOf, UpstreamSection } from "../config/upstreams/upstream_kinds.ts";
import { openMcp } from "./mcp/open_mcp.ts";
import { openOpenapi } from "./openapi/open_openapi.ts";
import type { SharedParts, Upstream, UpstreamContext } from "./upstream.ts";

/** Prepares one upstream; nothing connects before it is listed or called. */
type Open<Settings> = (
  context: UpstreamContext,
  settings: Settings,
  shared: SharedParts,
) => Upstream;

/** How each kind of upstream opens; `src/config/upstreams/upstream_kinds.ts` lists the kinds. */
const OPENERS: { readonly [S in UpstreamSection]: Open<SettingsOf[S]> } = {
  mcpServers: openMcp,
  openapi: openOpenapi,
};

export function openUpstream<S extends UpstreamSection>(
  context: UpstreamContext,
  { section, settings }: ConfiguredUpstream<S>,
  shared: SharedParts,
): Upstream {
  return OPENERS[section](context, settings, shared);
}
