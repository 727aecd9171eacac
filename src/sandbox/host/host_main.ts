/**
 * The sandbox host: a process that holds the Workers in which programs run.
 *
 * Its main thread is the only part that talks to the service. It makes the Workers, puts the kernel
 * layer on, gives up every permission, says `ready`, and then relays: frames from the service become
 * messages to the Worker, strings from the Worker become frames whose type it sets itself. It also
 * parses programs (a parser that crashes ends this process and nothing else) and watches the CPU time.
 */
import type { CompiledWorker, WorkerBoot } from "../../../workers/worker_main.ts";
import { renderWorkerBoot, WORKER_MODULE } from "../../../workers/worker_source.ts";
import { programForms } from "../../program/program_forms.ts";
import { EXIT_MEMORY, type HostSettings } from "./host_settings.ts";
import { createKernelLayer } from "./kernel/harden_process.ts";
import { createRelay } from "./relay.ts";
import { revokePermissions } from "./revoke_permissions.ts";

/** Time for the cache to be written. */
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
 * What goes wrong in the relay is memory that is used up: the program's, which all threads share. The
 * runtime's own report of an error needs files, which are gone, and would end in a panic.
 */
function exitWithoutMemory(): never {
  Deno.exit(EXIT_MEMORY);
}

/** The runtime compiles what a Worker needs and keeps it; nothing hostile has run in this process. */
async function primeCache(): Promise<void> {
  await startWorkers(1);
  await new Promise((resolve) => setTimeout(resolve, PRIME_MS));
  Deno.exit(0);
}

/** One after the other: the first compiles for all. */
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

/** @returns the Worker when it is ready for a program, and what it compiled if it was to share that */
async function startWorker(
  boot: WorkerBoot,
): Promise<{ worker: Worker; compiled: CompiledWorker | null }> {
  const { promise, resolve, reject } = Promise.withResolvers<CompiledWorker | null>();
  // Always the same URL: what the runtime finds out about the module, it finds in its cache.
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
