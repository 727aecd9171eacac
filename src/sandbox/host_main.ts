/**
 * The sandbox host: a process that holds the Workers in which programs run.
 *
 * Its main thread is the only part that talks to the service. It makes the Workers, puts the kernel
 * layer on, gives up every permission, says `ready`, and then relays: frames from the service become
 * messages to the Worker, strings from the Worker become frames whose type it sets itself. It also
 * parses programs (a parser that crashes ends this process and nothing else) and watches the CPU time.
 */
import { createFrameReader, encodeFrame } from "../rpc/frames.ts";
import {
  encodeMessage,
  FRAME,
  type HostMessage,
  KIND,
  type ProgramMessage,
} from "../rpc/protocol.ts";
import { renderWorkerSource } from "../../workers/worker_source.ts";
import type { HostSettings } from "./host_settings.ts";
import { createKernelLayer } from "./kernel/harden_process.ts";
import { programForms } from "./prepare/program_forms.ts";
import { revokePermissions } from "./revoke_permissions.ts";

/** How often the CPU time of a running program is looked at. */
const CPU_POLL_MS = 20;
const ENDED_TEXT = encodeMessage(KIND.ended, 0, []);

/** CPU time of this process in microseconds; the declarations of Deno do not know it yet. */
const { cpuUsage } = Deno as typeof Deno & {
  cpuUsage(): { readonly user: number; readonly system: number };
};

/** Runs until the service closes the pipe. @param argument JSON {@linkcode HostSettings} */
export async function runSandboxHost(argument: string): Promise<void> {
  const settings = JSON.parse(argument) as HostSettings;
  const kernel = createKernelLayer(settings);
  kernel.lockFiles();
  const workers: Worker[] = [];
  const url = URL.createObjectURL(
    new Blob([renderWorkerSource()], { type: "text/javascript" }),
  );
  for (let index = 0; index < settings.workers; index++) workers.push(await startWorker(url));
  URL.revokeObjectURL(url);
  const report = kernel.lockProcess();
  revokePermissions();
  const relay = createRelay(settings, workers);
  relay.say({ kind: "ready", kernel: report, workers: workers.length });
  await relay.run();
}

function startWorker(url: string): Promise<Worker> {
  const { promise, resolve, reject } = Promise.withResolvers<Worker>();
  const worker = new Worker(url, {
    type: "module",
    name: "sandbox",
    deno: { permissions: "none" },
  });
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.onmessage = () => resolve(worker);
  return promise;
}

function createRelay(settings: HostSettings, workers: Worker[]) {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let worker: Worker | null = null;
  let ending = false;
  let cpuStartMicros = 0;
  let cpuPoll: ReturnType<typeof setInterval> | undefined;
  let started = false;

  function write(frame: Uint8Array): void {
    let offset = 0;
    while (offset < frame.length) offset += Deno.stdout.writeSync(frame.subarray(offset));
  }
  function say(message: HostMessage): void {
    write(encodeFrame(FRAME.host, cpuUsed(), encoder.encode(JSON.stringify(message))));
  }
  function violate(what: string): never {
    say({ kind: "violation", what });
    Deno.exit(91);
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
    next.postMessage(
      encodeMessage(KIND.start, 0, [realm, message.names, JSON.stringify(forms.forms)]),
    );
    cpuPoll = setInterval(() => {
      if (cpuUsed() > message.cpuTimeMs * 1_000) {
        clearInterval(cpuPoll);
        say({ kind: "cpu" });
      }
    }, CPU_POLL_MS);
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
    clearInterval(cpuPoll);
    if (worker === null) violate("end without a program");
    if (!started) return becomeIdle();
    ending = true;
    const keep = settings.isolation === "realm" ? 1 : 0;
    worker.onmessage = (event) => relayFromWorker(event.data);
    worker.postMessage(encodeMessage(KIND.end, keep, []));
  }

  function becomeIdle(): void {
    if (started && settings.isolation !== "realm") worker?.terminate();
    worker = null;
    cpuStartMicros = 0;
    say({ kind: "idle", workers: workers.length, cpuTotalMs: cpuUsed() / 1_000 });
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
        else if (frame.type === FRAME.end) endProgram();
        else violate("unknown frame type");
      });
      if (!fits) violate("frame over the size");
    }
  }

  return { say, run };
}

if (import.meta.main) await runSandboxHost(Deno.args[0] ?? "{}");
