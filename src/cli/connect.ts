import type { LoadedConfig } from "../config/load_config.ts";
import { readLiveServiceFile, type ServiceFile, serviceFilePaths } from "../config/service_file.ts";
import { isProofOf } from "../config/service_proof.ts";
import { GateError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import { type ApiClient, createApiClient } from "./api_client.ts";
import type { AppOptions, CliDeps } from "./command.ts";

const HEALTH_TIMEOUT_MS = 5_000;
/** How long a command waits for other processes with the store; most end within a second. */
const STORE_WAIT_MS = 15_000;
/** A service that starts or stops does not answer for a moment. */
const RETRY_MS = 100;

/**
 * A client of the running service of this configuration's store; if none runs, of one inside this
 * process. A store file has one writer: a running service is always preferred, and this function
 * waits for another command or a starting service.
 *
 * @throws {GateError} `ERR_NOT_REACHABLE` if a service runs but does not answer.
 */
export async function connect(
  deps: CliDeps,
  loaded: LoadedConfig & Pick<AppOptions, "unusablePolicy">,
  log: Log,
): Promise<ApiClient> {
  return await takeTurn(deps, async () => {
    const running = await findService(deps, loaded);
    if (running === null) return await openInProcess(deps, loaded, log);
    const { url, token } = running;
    return createApiClient({ isService: true, url, token, fetch: deps.fetch });
  });
}

/**
 * Makes an attempt that needs the store, and repeats it while another process has the store, up to
 * a time limit.
 *
 * @param signal ends the repeats; then the last failure is thrown.
 */
export async function takeTurn<T>(
  deps: Pick<CliDeps, "now">,
  attempt: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const deadline = deps.now() + STORE_WAIT_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const retryAfterMs = storeRetryMs(error);
      const isLate = retryAfterMs === null || deps.now() + retryAfterMs > deadline;
      if (isLate || signal?.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
  }
}

function storeRetryMs(error: unknown): number | null {
  if (!(error instanceof GateError)) return null;
  const isAboutStore = error.code === "ERR_STORE" || error.code === "ERR_NOT_REACHABLE";
  return isAboutStore ? error.retryAfterMs ?? null : null;
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
 * Finds the service that uses this configuration's store.
 *
 * @returns null if none runs, also if a dead service left its file.
 * @throws {GateError} `ERR_NOT_REACHABLE` if its process lives but does not answer.
 */
export async function findService(
  deps: Pick<CliDeps, "env" | "fetch">,
  loaded: LoadedConfig,
): Promise<ServiceFile | null> {
  for (const path of serviceFilePaths(loaded, deps.env)) {
    const live = await readLiveServiceFile(path);
    if (live === null) continue;
    const answer = await ask(deps, live.service);
    if (answer === "proven") return live.service;
    // Without file locks it is unknown whether the service lives; the lock of the store decides.
    if (live.holder === "alive") throw unreachable(live.service, path, answer);
  }
  return null;
}

function unreachable(
  { url, pid }: ServiceFile,
  path: string,
  answer: "silent" | "refused" | "foreign",
): GateError {
  const says = {
    silent: `does not answer within ${HEALTH_TIMEOUT_MS / 1_000} s`,
    refused: "takes no connections",
    foreign: "is not who answers there",
  }[answer];
  return new GateError(
    "ERR_NOT_REACHABLE",
    `Cannot reach the service at ${url}: its process, ${pid}, holds ${path} and ${says}`,
    {
      hint: answer === "silent"
        ? "Wait for it; if it hangs for good, kill that process and start the service again"
        : "Wait until it has started or stopped; from another container, run the command beside it",
      ...(answer === "silent" ? {} : { retryAfterMs: RETRY_MS }),
    },
  );
}

/**
 * Checks who answers at the service's address. It sends no secret, because another program may
 * listen on the port of a dead service.
 */
async function ask(
  { fetch }: Pick<CliDeps, "fetch">,
  { url, token }: ServiceFile,
): Promise<"proven" | "silent" | "refused" | "foreign"> {
  const challenge = crypto.getRandomValues(new Uint8Array(32)).toHex();
  const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
  try {
    const address = new URL(`/healthz?challenge=${challenge}`, url);
    const response = await fetch(new Request(address, { signal, redirect: "manual" }));
    const body: unknown = await response.json();
    const proof = typeof body === "object" && body !== null && "proof" in body ? body.proof : null;
    return isProofOf(token, challenge, proof) ? "proven" : "foreign";
  } catch (error) {
    if (signal.aborted) return "silent";
    return error instanceof SyntaxError ? "foreign" : "refused";
  }
}
