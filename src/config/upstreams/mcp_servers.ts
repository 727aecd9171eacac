import { z } from "zod";
import { HttpUrlSchema } from "../http_url.ts";
import { defineKind, UPSTREAM_COMMON, UpstreamAuthSchema } from "./upstream_kind.ts";

/** The revision of MCP that toolgate speaks with a server; in YAML a year is a number. */
const EraSchema = z.union([z.enum(["auto", "2025", "2026"]), z.literal([2025, 2026])])
  .default("auto");

/** As Claude Desktop, Cursor and VS Code write it. */
const McpServerSchema = z.union([
  z.strictObject({
    ...UPSTREAM_COMMON,
    type: z.literal("stdio").optional(),
    /** `2025` starts with `initialize`, `2026` speaks only 2026-07-28; `auto` finds out. */
    era: EraSchema,
    command: z.string().min(1),
    args: z.array(z.string()).default([]),
    env: z.record(z.string(), z.string()).default({}),
    cwd: z.string().optional(),
    /** Stops the child process after this time without calls; 0 keeps it running. */
    idleStopMs: z.int().min(0).max(86_400_000).default(0),
  }),
  z.strictObject({
    ...UPSTREAM_COMMON,
    type: z.enum(["http", "streamable-http", "streamableHttp", "sse"]).optional(),
    era: EraSchema,
    url: HttpUrlSchema,
    headers: z.record(z.string(), z.string()).default({}),
    auth: UpstreamAuthSchema.optional(),
    /** Private and link-local addresses are refused unless this is set. */
    allowPrivateNetwork: z.boolean().default(false),
  }),
]);

export type McpServerConfig = z.infer<typeof McpServerSchema>;

/** MCP servers that run as child processes or at a URL. */
export const MCP_SERVERS = defineKind({
  schema: McpServerSchema,
  resolvePaths: (server, { absolute, baseDir }) =>
    "command" in server ? { ...server, cwd: absolute(server.cwd ?? baseDir) } : server,
  takesAccounts: (server) => "auth" in server && server.auth?.type === "oauth",
  remedy(server, { status, down }) {
    if (status === "down" && down === undefined) {
      return "It answers, but not with its tools: give it what it says that it needs";
    }
    return "command" in server
      ? `Run it by hand to see why: ${[server.command, ...server.args].join(" ")}`
      : `Check that ${server.url} answers from this machine, and its credential`;
  },
  addressToTry: () => null,
});
