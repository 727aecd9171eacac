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
import { createFrameReader, encodeFrame } from "../../rpc/frames.ts";
import {
  encodeMessage,
  FRAME,
  type HostMessage,
  KIND,
  type ProgramMessage,
} from "../../rpc/protocol.ts";
import { EXIT_MEMORY, EXIT_VIOLATION, type HostSettings } from "./host_settings.ts";
import { createKernelLayer } from "./kernel/harden_process.ts";
import { revokePermissions } from "./revoke_permissions.ts";

/** Computing time after which a program lets others go first. */
const AGED_CPU_MS = 500;
const AGE_PAUSE_MS = 100;
/** Time for the cache to be written. */
const PRIME_MS = 200;
const ENDED_TEXT = encodeMessage(KIND.ended, 0, []);

/** CPU time of this process in microseconds; the declarations of Deno do not know it yet. */
const { cpuUsage } = Deno as typeof Deno & {
  cpuUsage(): { readonly user: number; readonly system: number };
};

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

function createRelay(settings: HostSettings, workers: Worker[], standBack: () => boolean) {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let worker: Worker | null = null;
  let ending = false;
  let cpuStartMicros = 0;
  let started = false;
  let ageTimer: ReturnType<typeof setTimeout> | undefined;
  let isAged = false;

  function write(frame: Uint8Array): void {
    let offset = 0;
    while (offset < frame.length) offset += Deno.stdout.writeSync(frame.subarray(offset));
  }
  function say(message: HostMessage): void {
    write(encodeFrame(FRAME.host, cpuUsed(), encoder.encode(JSON.stringify(message))));
  }
  function violate(what: string): never {
    say({ kind: "violation", what });
    Deno.exit(EXIT_VIOLATION);
  }
  function cpuUsed(): number {
    const { user, system } = cpuUsage();
    return user + system - cpuStartMicros;
  }

  function startProgram(text: string): void {
    if (worker !== null) violate("program while one runs");
    const message = JSON.parse(text) as ProgramMessage;
    const next = settings.isolation === "realm" ? workers[0] : workers.shift();
    if (next === undefined) violate("no Worker left");
    worker = next;
    ending = false;
    started = false;
    cpuStartMicros = 0;
    cpuStartMicros = cpuUsed();
    const forms = programForms(message.code);
    if (!forms.ok) {
      if (settings.isolation !== "realm") workers.unshift(next);
      say({ kind: "syntax", message: forms.message, line: forms.line, column: forms.column });
      return;
    }
    const realm = JSON.stringify({ realm: message.realm, seed: message.seed });
    next.onmessage = (event) => relayFromWorker(event.data);
    next.onmessageerror = () => violate("message that does not deserialize");
    next.onerror = (event) => {
      event.preventDefault();
      violate("Worker ended");
    };
    started = true;
    watchAge();
    next.postMessage(
      encodeMessage(KIND.start, 0, [realm, message.names, JSON.stringify(forms.forms)]),
    );
  }

  /** A program that computes for long lets shorter ones go first; there is no way back for this host. */
  function watchAge(): void {
    if (isAged) return;
    ageTimer = setTimeout(() => {
      if (cpuUsed() < AGED_CPU_MS * 1_000) watchAge();
      else isAged = standBack();
    }, AGE_PAUSE_MS);
  }

  function relayFromWorker(text: unknown): void {
    if (typeof text !== "string") violate("message that is not a string");
    if (ending) {
      if (text === ENDED_TEXT) becomeIdle();
      return;
    }
    const payload = encoder.encode(text);
    if (payload.length > settings.frameBytesMax) violate("message over the frame size");
    write(encodeFrame(FRAME.worker, cpuUsed(), payload));
  }

  function endProgram(): void {
    if (worker === null) violate("end without a program");
    if (!started) return becomeIdle();
    ending = true;
    const keep = settings.isolation === "realm" ? 1 : 0;
    worker.onmessage = (event) => relayFromWorker(event.data);
    worker.postMessage(encodeMessage(KIND.end, keep, []));
  }

  function becomeIdle(): void {
    if (started && settings.isolation !== "realm") worker?.terminate();
    clearTimeout(ageTimer);
    worker = null;
    cpuStartMicros = 0;
    const left = isAged ? 0 : workers.length;
    say({ kind: "idle", workers: left, cpuTotalMs: cpuUsed() / 1_000 });
  }

  async function run(): Promise<void> {
    const reader = createFrameReader(() => settings.frameBytesMax);
    const chunk = new Uint8Array(65_536);
    while (true) {
      const count = await Deno.stdin.read(chunk);
      if (count === null) Deno.exit(0);
      const fits = reader.push(chunk.subarray(0, count), (frame) => {
        if (frame.type === FRAME.program) startProgram(decoder.decode(frame.payload));
        else if (frame.type === FRAME.replies) worker?.postMessage(decoder.decode(frame.payload));
        else if (frame.type === FRAME.ask) say({ kind: "usage" });
        else if (frame.type === FRAME.end) endProgram();
        else violate("unknown frame type");
      });
      if (!fits) violate("frame over the size");
    }
  }

  return { say, run };
}

if (import.meta.main) await runSandboxHost(Deno.args[0] ?? "{}");
