import { readServiceFile } from "../../src/config/service_file.ts";

/** A service in its own process, started from source as a user would start it. */
export interface RunningService {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** Sends SIGTERM and waits for the end; fails if the service does not end in time. */
  stop(): Promise<Deno.CommandStatus>;
  /** SIGKILL, and wait for the end. */
  kill(): Promise<void>;
}

const ROOT = new URL("../../", import.meta.url);
/** Far over the drain of the service, on a machine with other work too. */
const STOP_MS_MAX = 90_000;

/**
 * Writes `toolgate.json` into a folder and serves it.
 *
 * @param config with `store: kv:<folder>/…`, because the service file is expected beside the store.
 * @param options.readyMs how long the service may take to answer.
 */
export async function startService(
  folder: string,
  config: unknown,
  options: {
    readonly readyMs?: number;
    readonly env?: { readonly [name: string]: string };
    /** Entry file to start instead of the product's own. */
    readonly entry?: string;
  } = {},
): Promise<RunningService> {
  const path = `${folder}/toolgate.json`;
  await Deno.writeTextFile(path, JSON.stringify(config));
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--cached-only",
      "--no-prompt",
      "--allow-net",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-run",
      "--allow-sys",
      new URL(options.entry ?? "main.ts", ROOT).pathname,
      "serve",
      "--config",
      path,
    ],
    cwd: ROOT,
    env: options.env ?? {},
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const storePath = (config as { store: string }).store.slice("kv:".length);
  const service = await waitForService(
    `${storePath}.service.json`,
    child,
    options.readyMs ?? 30_000,
  );
  return {
    ...service,
    pid: child.pid,
    async stop() {
      let isLate = false;
      const late = setTimeout(() => {
        isLate = true;
        child.kill("SIGKILL");
      }, STOP_MS_MAX);
      child.kill("SIGTERM");
      const status = await child.status;
      clearTimeout(late);
      if (isLate) throw new Error(`The service did not end within ${STOP_MS_MAX} ms of SIGTERM`);
      return status;
    },
    async kill() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

async function waitForService(path: string, child: Deno.ChildProcess, readyMs: number) {
  let ended = false;
  child.status.then(() => ended = true);
  const until = Date.now() + readyMs;
  while (Date.now() < until) {
    if (ended) throw new Error("The service ended before it was ready");
    const file = await readServiceFile(path);
    if (file !== null && file.pid === child.pid) {
      const isReady = await fetch(`${file.url}/readyz`, { signal: AbortSignal.timeout(readyMs) })
        .then(async (response) => (await response.body?.cancel(), response.ok), () => false);
      if (isReady) return { url: file.url, token: file.token };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill("SIGKILL");
  await child.status;
  throw new Error(`The service was not ready within ${readyMs} ms`);
}
