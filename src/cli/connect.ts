import type { LoadedConfig } from "../config/load_config.ts";
import { readServiceFile, type ServiceFile, serviceFilePath } from "../config/service_file.ts";
import { GateError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import { type ApiClient, createApiClient } from "./api_client.ts";
import type { AppOptions, CliDeps } from "./command.ts";

const HEALTH_TIMEOUT_MS = 3_000;
/** How long a command waits for others that have the store; most are done in a second. */
const STORE_WAIT_MS = 15_000;

/**
 * A client of the service that runs on this configuration's store, or of one inside this process when
 * none runs. A store file has one writer, so a service that runs is always preferred, and another
 * command, or a service that starts, is waited for.
 *
 * @throws {GateError} `ERR_NOT_REACHABLE` if a service should run but does not answer.
 */
export async function connect(
  deps: CliDeps,
  loaded: LoadedConfig & Pick<AppOptions, "unusablePolicy">,
  log: Log,
): Promise<ApiClient> {
  const deadline = deps.now() + STORE_WAIT_MS;
  for (;;) {
    const running = await findService(deps, loaded);
    if (running !== null) {
      const { url, token } = running;
      return createApiClient({ isService: true, url, token, fetch: deps.fetch });
    }
    try {
      return await openInProcess(deps, loaded, log);
    } catch (error) {
      const retryAfterMs = storeRetryMs(error);
      if (retryAfterMs === null || deps.now() + retryAfterMs > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
  }
}

function storeRetryMs(error: unknown): number | null {
  if (!(error instanceof GateError) || error.code !== "ERR_STORE") return null;
  return error.retryAfterMs ?? null;
}

/** The service inside this process, without a port. */
export async function openInProcess(
  deps: CliDeps,
  loaded: LoadedConfig & Pick<AppOptions, "unusablePolicy">,
  log: Log,
): Promise<ApiClient> {
  const app = await deps.createApp({ ...loaded, log });
  return createApiClient({
    isService: false,
    url: "http://127.0.0.1",
    token: app.localToken,
    fetch: app.fetch,
    close: app.close,
  });
}

/**
 * The service that uses this configuration's store.
 *
 * @returns null if none runs; a file left by a service that died counts as none.
 * @throws {GateError} `ERR_NOT_REACHABLE` if its process lives and does not answer.
 */
export async function findService(
  deps: CliDeps,
  loaded: LoadedConfig,
): Promise<ServiceFile | null> {
  const path = serviceFilePath(loaded);
  const service = await readServiceFile(path);
  if (service === null) return null;
  if (await answers(deps, service)) return service;
  if (!deps.isProcessAlive(service.pid)) return null;
  throw new GateError(
    "ERR_NOT_REACHABLE",
    `Cannot reach the service at ${service.url}: process ${service.pid} does not answer`,
    { hint: `Wait for it or stop it; if process ${service.pid} is no toolgate, remove ${path}` },
  );
}

/** True if this very start of the service answers there, not another program on its port. */
async function answers(deps: CliDeps, service: ServiceFile): Promise<boolean> {
  try {
    const request = new Request(new URL("/healthz", service.url), {
      signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
    });
    const body: unknown = await (await deps.fetch(request)).json();
    return typeof body === "object" && body !== null && "instance" in body &&
      body.instance === service.instance;
  } catch {
    return false;
  }
}
