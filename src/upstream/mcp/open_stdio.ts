import type { PriorDiscovery } from "@modelcontextprotocol/client";
import type { McpServerConfig } from "../../config/upstreams/mcp_servers.ts";
import { resolveMasked, type SecretMask } from "../secret_mask.ts";
import type { UpstreamContext } from "../upstream.ts";
import { childEnvironment } from "./child_environment.ts";
import type { ChildReaper } from "./child_reaper.ts";
import { ChildReport } from "./child_report.ts";
import { connectMcp, type ConnectOptions, type McpConnection } from "./connection.ts";
import type { Closed } from "./connection_keeper.ts";
import { isServerRefusal } from "./errors.ts";
import { MODERN_REVISION } from "./probe_era.ts";
import { StdioTransport } from "./stdio_transport.ts";

export type StdioServerConfig = Extract<McpServerConfig, { command: string }>;

export interface OpenStdioOptions {
  readonly config: StdioServerConfig;
  /** Folder that a relative `cwd` starts from. */
  readonly baseDir: string;
  readonly messageBytesMax: number;
  readonly reaper: ChildReaper;
  readonly mask: SecretMask;
}

/** A start may include a download, so it gets at least this long. */
const CONNECT_MS_MIN = 60_000;
const GRACE_MS = 2_000;
/** Lines of standard error logged in one window; more lines are dropped. */
const STDERR_LINES_PER_WINDOW = 50;
const STDERR_WINDOW_MS = 10_000;

/**
 * Makes the function that starts an MCP server as a child process and connects to it.
 *
 * Nearly every stdio server expects `initialize` first, and some exit after any other request. A
 * server that refuses `initialize` is started again with the newest protocol.
 */
export function stdioOpener(
  context: UpstreamContext,
  options: OpenStdioOptions,
): (signal: AbortSignal, closed: Closed) => Promise<McpConnection> {
  const era = String(options.config.era);
  let mode: ConnectOptions["mode"] = era === "2026" ? { pin: MODERN_REVISION } : "legacy";
  const connect = async (signal: AbortSignal, closed: Closed): Promise<McpConnection> => {
    const report = new ChildReport(options.mask);
    const logLine = limitedLog(context);
    const transport = new StdioTransport({
      command: await resolveCommand(context, options),
      messageBytesMax: options.messageBytesMax,
      reaper: options.reaper,
      graceMs: GRACE_MS,
      onStderr: (line) => {
        if (line.trim() !== "") logLine(report.hear(line));
      },
      onNoise: (line) => report.hearOutput(line),
      onExit: (status) => report.ended(status),
    });
    const verdict: PriorDiscovery | null = null;
    try {
      return await connectMcp({
        transport,
        mode,
        verdict,
        timeoutMs: Math.max(options.config.timeoutMs, CONNECT_MS_MIN),
        signal,
        hasSession: () => false,
        closed: () => closed(report.failure("The connection ended")),
        listChanged: context.listChanged,
        log: context.log,
      });
    } catch (error) {
      if (isServerRefusal(error)) throw error;
      throw report.failure(error instanceof Error ? error.message : String(error), error);
    }
  };
  return async (signal, closed) => {
    try {
      return await connect(signal, closed);
    } catch (error) {
      if (era !== "auto" || mode === "auto" || !isServerRefusal(error)) throw error;
      mode = "auto";
      return await connect(signal, closed);
    }
  };
}

/** Resolves secrets just before the start; only the mask remembers them. */
async function resolveCommand(
  context: UpstreamContext,
  { config, baseDir, mask }: OpenStdioOptions,
) {
  const resolve = (name: string, text: string) =>
    resolveMasked(mask, context.resolveSecrets, name, text);
  const env: { [name: string]: string } = {};
  for (const [name, text] of Object.entries(config.env)) env[name] = await resolve(name, text);
  return {
    command: config.command,
    args: await Promise.all(config.args.map((text) => resolve("", text))),
    env: childEnvironment(context.env(), env),
    cwd: config.cwd ?? baseDir,
  };
}

function limitedLog(context: UpstreamContext): (line: string) => void {
  let windowStart = 0;
  let count = 0;
  return (line) => {
    const now = Date.now();
    if (now - windowStart > STDERR_WINDOW_MS) {
      windowStart = now;
      count = 0;
    }
    count += 1;
    if (count <= STDERR_LINES_PER_WINDOW) {
      context.log("debug", "Upstream wrote to stderr", { server: context.server, line });
    } else if (count === STDERR_LINES_PER_WINDOW + 1) {
      context.log("warn", "Upstream floods stderr; lines are dropped", { server: context.server });
    }
  };
}
