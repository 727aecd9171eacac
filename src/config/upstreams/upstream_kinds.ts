import { z } from "zod";
import { MCP_SERVERS } from "./mcp_servers.ts";
import { OPENAPI } from "./openapi.ts";
import type { UpstreamKind } from "./upstream_kind.ts";

/**
 * Every kind of upstream, by the name of its section in the configuration. A new kind is one line
 * here and one in `src/upstream/open_upstream.ts`, which does not compile without that line.
 */
export const UPSTREAM_KINDS = {
  mcpServers: MCP_SERVERS,
  openapi: OPENAPI,
};

export type UpstreamSection = keyof typeof UPSTREAM_KINDS;

/** Section to the settings of one upstream in it. */
export type SettingsOf = {
  readonly [S in UpstreamSection]: (typeof UPSTREAM_KINDS)[S] extends UpstreamKind<infer Settings>
    ? Settings
    : never;
};

/** The sections of a configuration; each maps upstream names to settings. */
export type UpstreamSections = {
  readonly [S in UpstreamSection]: { readonly [name: string]: SettingsOf[S] };
};

type SectionSchemas = {
  [S in UpstreamSection]: z.ZodDefault<z.ZodRecord<z.ZodString, z.ZodType<SettingsOf[S]>>>;
};

/** The schema of each section. */
export const SECTION_SCHEMAS = Object.fromEntries(
  Object.entries(UPSTREAM_KINDS).map(([section, { schema }]) => [section, sectionOf(schema)]),
) as SectionSchemas;

function sectionOf(schema: z.ZodType) {
  return z.record(z.string().min(1).max(100), schema).default({});
}
