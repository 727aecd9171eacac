/**
 * The sandbox host: a process that holds the Workers in which programs run.
 *
 * Only its main thread talks to the service. The main thread makes the Workers, enables the kernel
 * layer, gives up every permission, says `ready`, and then relays: frames from the service become
 * messages to the Worker, strings from the Worker become frames whose type the main thread sets. It
 * also parses programs (a crash of the parser ends only this process) and watches the CPU time.
 */
import type { CompiledWorker, WorkerBoot } from "../../../workers/worker_main.ts";
import { renderWorkerBoot, WORKER_MODULE } from "../../../workers/worker_source.ts";
import { programForms } from "../../program/program_forms.ts";
import { EXIT_MEMORY, type HostSettings } from "./host_settings.ts";
import { createKernelLayer } from "./kernel/harden_process.ts";
import { createRelay } from "./relay.ts";
import { revokePermissions } from "./revoke_permissions.ts";

/** Time that the runtime needs to write the cache. */
const PRIME_MS = 200;

/** Runs until the service closes the pipe. @param argument JSON {@linkcode HostSettings} */
export async function runSandboxHost(argument: string): Promise<void> {
  const settings = JSON.parse(argument) as HostSettings;
  if (settings.prime) return await primeCache();
  const kernel = createKernelLayer(settings);
  kernel.lockFiles();
  const workers = await startWorkers(settings.workers);
  programForms("const warm: number = 1;\nwarm");
  const report = kernel.lockProcess();
  revokePermissions();
  addEventListener("error", exitWithoutMemory);
  addEventListener("unhandledrejection", exitWithoutMemory);
  const relay = createRelay(settings, workers, kernel.standBack);
  relay.say({ kind: "ready", kernel: report, workers: workers.length });
  await relay.run().catch(exitWithoutMemory);
}

/**
 * Errors in the relay mean that the memory, which all threads share with the program, is used up.
 * The runtime's own error report would panic, because it needs files, which are closed.
 */
function exitWithoutMemory(): never {
  Deno.exit(EXIT_MEMORY);
}

/** Lets the runtime compile and cache a Worker's code; no program has run in this process. */
async function primeCache(): Promise<void> {
  await startWorkers(1);
  await new Promise((resolve) => setTimeout(resolve, PRIME_MS));
  Deno.exit(0);
}

/** Starts the Workers in sequence, because the first one compiles for all. */
async function startWorkers(count: number): Promise<Worker[]> {
  const first = await startWorker(renderWorkerBoot({ warmParser: true, share: count > 1 }));
  const workers = [first.worker];
  const boot = {
    ...renderWorkerBoot({ warmParser: false, share: false }),
    compiled: first.compiled,
  };
  while (workers.length < count) workers.push((await startWorker(boot)).worker);
  return workers;
}

/**
 * @returns the Worker when it is ready for a program, and its compiled code if `boot.share` is set
 */
async function startWorker(
  boot: WorkerBoot,
): Promise<{ worker: Worker; compiled: CompiledWorker | null }> {
  const { promise, resolve, reject } = Promise.withResolvers<CompiledWorker | null>();
  // The URL is always the same, so that the runtime finds the module in its cache.
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(WORKER_MODULE)}`, {
    type: "module",
    name: "sandbox",
    deno: { permissions: "none" },
  });
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.onmessage = ({ data }) => resolve(typeof data === "string" ? null : data);
  worker.postMessage(boot);
  const compiled = await promise;
  return { worker, compiled };
}

if (import.meta.main) await runSandboxHost(Deno.args[0] ?? "{}");
