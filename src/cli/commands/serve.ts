import { isDemo } from "../../config/demo_config.ts";
import type { LoadedConfig } from "../../config/load_config.ts";
import { GateError, reportError } from "../../model/errors.ts";
import { createApiClient } from "../api_client.ts";
import type { App, CliDeps, Command, CommandContext } from "../command.ts";
import { findService, takeTurn } from "../connect.ts";
import { EXIT } from "../exit_code.ts";
import { createLog, logLevelOf } from "../log.ts";

/** Time to write the last records after all executions have ended. */
const CLOSE_GRACE_MS = 3_000;
/** The exit code that shells report for a process ended by SIGINT. */
const EXIT_ON_SECOND_SIGNAL = 130;

export const serveCommand: Command = {
  name: "serve",
  summary: "The service: MCP, API and console",
  options: {
    host: { value: "H", about: "Address to listen on; default server.host, 127.0.0.1" },
    port: { value: "P", about: "Port to listen on, 0 for any free one; default server.port, 8484" },
  },
  examples: [
    "toolgate serve",
    "toolgate serve --config /etc/toolgate/toolgate.yaml --port 9000",
  ],
  async run(context) {
    const { deps } = context;
    deps.outliveReaders();
    const host = context.text("host");
    const port = context.integer("port", 0, 65_535);
    const loaded = await context.loadConfig({
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
    });
    const log = createLog(deps, logLevelOf(deps.env("TOOLGATE_LOG"), "info"));
    // A signal during the start also ends the service, as soon as that is possible.
    const stop = createStop(deps);
    let stopNoting = () => {};
    try {
      // If two services start at once, one gets the store and the other then finds the first.
      const app = await takeTurn(deps, async () => {
        await refuseSecondService(deps, loaded);
        return await deps.createApp({ ...loaded, log });
      }, stop.signal);
      stopNoting = deps.onStrayError(app.noteStrayError);
      try {
        const { url } = await listen(app, loaded);
        announce(context, loaded, url);
        warnOfSpans(context);
        const stopReloading = deps.onReloadSignal(() => {
          reloadPolicy(context, app).catch((error) => app.noteStrayError("promise", error));
        });
        await aborted(stop.signal);
        stopReloading();
        context.output.note(
          `Draining: running executions get ${loaded.config.server.drainMs} ms; ` +
            "a second signal stops at once",
        );
      } finally {
        await closeInTime(context, app, loaded.config.server.drainMs);
      }
    } finally {
      stop.dispose();
      stopNoting();
    }
    context.output.note("Stopped");
    return EXIT.ok;
  },
};

/** With Deno's default sampler, every request to an upstream is a span with its whole URL. */
function warnOfSpans({ deps, output }: CommandContext): void {
  const isTraced = /^(1|true)$/.test(deps.env("OTEL_DENO") ?? "");
  if (!isTraced || deps.env("OTEL_TRACES_SAMPLER")?.startsWith("parentbased_")) return;
  output.note(
    "Spans will hold the URLs of upstreams, with arguments: " +
      "set OTEL_TRACES_SAMPLER=parentbased_always_on",
  );
}

/**
 * Closes the application. An open connection must not keep the process for ever: after the drain
 * time and some time for writing, the connection is cut.
 */
async function closeInTime(context: CommandContext, app: App, drainMs: number): Promise<void> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), drainMs + CLOSE_GRACE_MS);
  try {
    if (await Promise.race([app.close(), late.promise]) === "late") {
      context.output.note("Some connections did not end in time; they are cut");
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Reloads the policy on SIGHUP, like `POST /policy/reload`. */
async function reloadPolicy(context: CommandContext, app: App): Promise<void> {
  const client = createApiClient({
    isService: false,
    url: "http://127.0.0.1",
    token: app.localToken,
    fetch: app.fetch,
  });
  try {
    const status = await client.call("POST /policy/reload");
    context.output.note(
      status.rejected === null
        ? `Policy ${status.name} is in force, digest ${status.digest}`
        : `The policy was not replaced: ${status.rejected}`,
    );
  } catch (error) {
    context.output.note(`Cannot reload the policy: ${reportError(error).message}`);
  }
}

function createStop(deps: CliDeps): { signal: AbortSignal; dispose: () => void } {
  const stop = new AbortController();
  const dispose = deps.onStopSignal(() => {
    if (stop.signal.aborted) deps.exit(EXIT_ON_SECOND_SIGNAL);
    stop.abort();
  });
  return { signal: stop.signal, dispose };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

/** Refuses a second service, unless several processes may use the store. */
async function refuseSecondService(deps: CliDeps, loaded: LoadedConfig): Promise<void> {
  if (!loaded.config.store.startsWith("kv:")) return;
  const running = await findService(deps, loaded);
  if (running === null) return;
  throw new GateError(
    "ERR_CONFIG",
    `Cannot serve: process ${running.pid} already serves this store at ${running.url}`,
    { hint: `Stop process ${running.pid}, or give this one another "store" and "server.port"` },
  );
}

async function listen(app: App, { config }: LoadedConfig): Promise<{ readonly url: string }> {
  const { host, port } = config.server;
  try {
    return await app.listen();
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new GateError(
        "ERR_CONFIG",
        `Cannot listen on ${host}:${port}: port ${port} is in use`,
        {
          hint: "Stop the other program, or choose a port with --port or server.port",
          cause: error,
        },
      );
    }
    if (
      error instanceof Deno.errors.AddrNotAvailable || error instanceof Deno.errors.PermissionDenied
    ) {
      throw new GateError("ERR_CONFIG", `Cannot listen on ${host}:${port}: ${error.message}`, {
        hint: "Choose an address of this machine (server.host) and a port above 1023 (server.port)",
        cause: error,
      });
    }
    throw error;
  }
}

function announce(context: CommandContext, loaded: LoadedConfig, url: string): void {
  const { config, source } = loaded;
  const base = (config.server.publicUrl ?? url).replace(/\/$/, "");
  const mcpUrl = `${base}/mcp`;
  const headers = config.auth === "keys"
    ? { headers: { Authorization: "Bearer <key of: toolgate keys create --name you>" } }
    : {};
  const snippet = { mcpServers: { toolgate: { type: "http", url: mcpUrl, ...headers } } };
  if (config.policies === "open") {
    context.output.note('Warning: "policies: open" allows every call');
  }
  if (context.json) {
    context.output.json({ mcpUrl, console: `${base}/console`, url, pid: context.deps.pid, source });
  }
  const tell = context.json ? context.output.note : context.output.result;
  tell(
    [
      isDemo(source) ? "No configuration found: serving the embedded demo" : `Serving ${source}`,
      "",
      `  MCP      ${mcpUrl}`,
      `  Console  ${base}/console`,
      "",
      "Paste this into your MCP client:",
      "",
      JSON.stringify(snippet, null, 2),
      "",
    ].join("\n"),
  );
}
