/**
 * The pool: keeps sandbox hosts, hands each execution one, and refuses what it cannot hold.
 *
 * A host goes `starting → ready → busy → (ready →) dead`. It belongs to nobody until its first program
 * and from then on to that program's principal alone. At level `process` it dies after one program; at
 * `worker` when its single-use Workers are used up; at `realm` after {@linkcode REALM_USES_MAX} uses.
 * Anything unclean, at any level, ends it at once.
 */
import { GateError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { KernelReport } from "../rpc/protocol.ts";
import { createFairQueue } from "./fair_queue.ts";
import type { HostCommand } from "./host_command.ts";
import { startHostProcess } from "./host_process.ts";
import {
  type HostSettings,
  type Isolation,
  KERNEL_ON,
  type KernelSettings,
} from "./host_settings.ts";
import { limitError, type SandboxOutcome } from "./outcome.ts";
import { createPooledHost, type PooledHost } from "./pooled_host.ts";
import {
  type CallReply,
  frameBytesMax,
  type ProgramRun,
  runProgram,
  type SandboxCall,
} from "./run_program.ts";

/** One program to run. */
export interface SandboxProgram {
  /** Hosts are never shared between these. */
  readonly principalKey: string;
  /** TypeScript as received; fences are allowed. */
  readonly code: string;
  readonly limits: Limits;
  /**
   * For `Object.keys(tools)` and suggestions. Other names still reach `onCall`. The same array object
   * should be passed again while nothing changed: its JSON is remembered.
   */
  readonly names: readonly { readonly server: string; readonly tools: readonly string[] }[] | null;
  /** Deterministic clock and randomness; null for the real ones. */
  readonly seed: { readonly epochMs: number; readonly random: string } | null;
}

export interface SandboxStatus {
  readonly isolation: Isolation;
  /** What the kernel enforces in every host; null until the first host was ready. */
  readonly kernel: KernelReport | null;
  readonly hosts: { readonly starting: number; readonly ready: number; readonly busy: number };
  readonly queued: number;
  readonly running: number;
}

export interface SandboxPool {
  /**
   * Runs one program.
   *
   * @throws {GateError} `ERR_BUSY` (with `retryAfterMs`) or `ERR_SANDBOX_UNAVAILABLE`, before anything ran.
   */
  run(
    program: SandboxProgram,
    onCall: (call: SandboxCall) => Promise<CallReply>,
    signal: AbortSignal,
  ): Promise<SandboxOutcome>;
  status(): SandboxStatus;
  /** Ends every host; running programs end as cancelled. */
  close(): Promise<void>;
}

export interface SandboxPoolOptions {
  readonly isolation: Isolation;
  /** Hosts kept ready before anybody asks. */
  readonly warm: number;
  readonly hostsMax: number;
  readonly queueMax: number;
  /** Kernel features whose absence is a refusal to start. */
  readonly require: readonly ("seccomp" | "landlock")[];
  /** The service's bounds; a program's own may only be lower in memory. */
  readonly limits: Limits;
  readonly hostCommand: (settings: HostSettings) => HostCommand;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
  /** Single-use Workers of a host at level `worker`. */
  readonly workersPerHost?: number;
  /** True (the default): programs are interpreted, no machine code is made at run time. */
  readonly jitless?: boolean;
  /** Parts of the kernel layer to leave off: only for measuring what the others hold. */
  readonly kernel?: KernelSettings;
}

const REALM_USES_MAX = 500;
const IDLE_RETIRE_MS = 30_000;
const WORKERS_PER_HOST = 8;
const START_FAILURES_MAX = 3;
const STARTS_AT_ONCE_MAX = 3;

/** Opens the pool and waits for its first host, so that a broken sandbox shows at start. */
export async function openSandboxPool(options: SandboxPoolOptions): Promise<SandboxPool> {
  const pool = createPool(options);
  try {
    await pool.firstReady;
  } catch (error) {
    await pool.close();
    throw error;
  }
  return pool;
}

interface Waiting {
  readonly run: ProgramRun;
  readonly principalKey: string;
  readonly resolve: (outcome: SandboxOutcome) => void;
  readonly reject: (error: GateError) => void;
  cancel: (() => void) | null;
}

function createPool(options: SandboxPoolOptions): SandboxPool & { firstReady: Promise<void> } {
  const { limits, isolation } = options;
  const settings: HostSettings = {
    isolation,
    workers: isolation === "worker" ? options.workersPerHost ?? WORKERS_PER_HOST : 1,
    memoryMb: limits.memoryMb,
    memoryBudgetMb: memoryBudgetMb(limits),
    jitless: options.jitless ?? true,
    cpuSeconds: Math.ceil(limits.cpuTimeMs / 1_000) + (isolation === "process" ? 5 : 60),
    frameBytesMax: frameBytesMax(limits),
    kernel: options.kernel ?? KERNEL_ON,
  };
  const hosts = new Set<PooledHost>();
  const queue = createFairQueue<Waiting>();
  const namesJson = new WeakMap<object, string>();
  const firstReady = Promise.withResolvers<void>();
  firstReady.promise.catch(() => {});
  let kernel: KernelReport | null = null;
  let running = 0;
  let startFailures = 0;
  let closed = false;
  let meanRunMs = 50;

  const count = (state: PooledHost["state"]) =>
    [...hosts].reduce((sum, host) => sum + (host.state === state ? 1 : 0), 0);

  function run(
    program: SandboxProgram,
    onCall: (call: SandboxCall) => Promise<CallReply>,
    signal: AbortSignal,
  ): Promise<SandboxOutcome> {
    const bounded = { ...program.limits, memoryMb: limits.memoryMb };
    const codeBytes = new TextEncoder().encode(program.code).length;
    if (codeBytes > bounded.codeBytesMax) {
      return Promise.resolve(refusedOutcome("ERR_SANDBOX_CODE_SIZE", bounded));
    }
    if (signal.aborted) return Promise.resolve(refusedOutcome("ERR_CANCELLED", bounded));
    if (closed) {
      return Promise.reject(
        new GateError(
          "ERR_SANDBOX_UNAVAILABLE",
          "Cannot run the program: the service is stopping",
          {
            hint: "Try again when it is back.",
          },
        ),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<SandboxOutcome>();
    const waiting: Waiting = {
      principalKey: program.principalKey,
      run: {
        code: program.code,
        limits: bounded,
        names: renderNames(program.names),
        servers: program.names?.map((entry) => entry.server) ?? [],
        seed: program.seed,
        onCall,
        signal,
      },
      resolve,
      reject,
      cancel: null,
    };
    queue.push(program.principalKey, waiting);
    pump();
    if (queue.has(waiting)) {
      if (queue.size > options.queueMax) {
        queue.remove(waiting);
        reject(busy());
      } else {
        const cancel = () => {
          if (queue.remove(waiting)) resolve(refusedOutcome("ERR_CANCELLED", bounded));
        };
        signal.addEventListener("abort", cancel, { once: true });
        waiting.cancel = () => signal.removeEventListener("abort", cancel);
      }
    }
    return promise;
  }

  function busy(): GateError {
    const slots = Math.min(options.hostsMax, limits.concurrentExecutionsMax);
    const retryAfterMs = Math.ceil(Math.max(100, (meanRunMs * (queue.size + 1)) / slots));
    return new GateError(
      "ERR_BUSY",
      `Cannot run the program: ${queue.size} others are waiting, which is the limit`,
      { hint: `Try again in ${retryAfterMs} ms.`, retryAfterMs },
    );
  }

  function renderNames(names: SandboxProgram["names"]): string {
    if (names === null) return "";
    let json = namesJson.get(names);
    if (json === undefined) {
      json = JSON.stringify(names);
      namesJson.set(names, json);
    }
    return json;
  }

  /** Gives waiting programs hosts and starts hosts that are missing. Called after every change. */
  function pump(): void {
    if (closed) return;
    queue.takeWhere((waiting) => {
      if (running >= limits.concurrentExecutionsMax) return false;
      const host = readyHostFor(waiting.principalKey);
      if (host === null) return false;
      execute(host, waiting);
      return true;
    });
    startMissing();
  }

  function readyHostFor(principalKey: string): PooledHost | null {
    let fresh: PooledHost | null = null;
    for (const host of hosts) {
      if (host.state !== "ready") continue;
      if (host.principalKey === principalKey) return host;
      if (host.principalKey === null) fresh ??= host;
    }
    return fresh;
  }

  function startMissing(): void {
    const starting = count("starting");
    const fresh =
      [...hosts].filter((host) => host.state === "ready" && host.principalKey === null).length;
    const room = limits.concurrentExecutionsMax - running;
    const wanted = Math.min(queue.size, Math.max(0, room)) + options.warm - starting - fresh;
    for (let index = 0; index < wanted; index++) {
      if (count("starting") >= STARTS_AT_ONCE_MAX) return;
      if (hosts.size >= options.hostsMax && !evictOne(queue.size > 0)) return;
      startHost();
    }
  }

  /** Makes room by ending the host that has been idle longest, if somebody waits for the room. */
  function evictOne(somebodyWaits: boolean): boolean {
    if (!somebodyWaits) return false;
    let oldest: PooledHost | null = null;
    for (const host of hosts) {
      if (host.state !== "ready" || host.principalKey === null) continue;
      if (oldest === null || host.idleSinceMs < oldest.idleSinceMs) oldest = host;
    }
    oldest?.retire();
    return oldest !== null;
  }

  function startHost(): void {
    let command: HostCommand;
    let host: PooledHost;
    try {
      command = options.hostCommand(settings);
      host = createPooledHost(startHostProcess(command, settings.frameBytesMax), {
        isolation,
        cpuTotalMsMax: (settings.cpuSeconds - 5) * 1_000 - limits.cpuTimeMs,
        usesMax: isolation === "realm" ? REALM_USES_MAX : settings.workers,
        idleRetireMs: IDLE_RETIRE_MS,
        onChange: pump,
        onEnd: (ended, wasReady) => {
          hosts.delete(ended);
          if (!wasReady && !closed) startFailed(ended.failure ?? "it ended before it was ready");
          pump();
        },
        onReady: (report) => {
          startFailures = 0;
          const problem = missingRequirement(report);
          if (problem !== null) return refuse(problem);
          if (kernel === null) describeKernel(report);
          kernel = report;
          firstReady.resolve();
        },
      });
    } catch (error) {
      return startFailed(error instanceof Error ? error.message : String(error));
    }
    hosts.add(host);
  }

  function describeKernel(report: KernelReport): void {
    if (report.missing.length > 0) {
      options.log("warn", `Sandbox without ${report.missing.join("; ")}`);
    }
  }

  function missingRequirement(report: KernelReport): string | null {
    if (options.require.includes("seccomp") && !report.seccomp) return "seccomp";
    if (options.require.includes("landlock") && report.landlock === 0) return "landlock";
    return null;
  }

  function refuse(feature: string): void {
    const error = new GateError(
      "ERR_SANDBOX_UNAVAILABLE",
      `Cannot start: the sandbox has no ${feature}, and sandbox.require asks for it`,
      { hint: `Run on a kernel with ${feature}, or take it out of sandbox.require.` },
    );
    firstReady.reject(error);
    failAll(error);
  }

  function startFailed(reason: string): void {
    startFailures++;
    options.log("error", `Cannot start a sandbox host: ${printable(reason)}`);
    if (startFailures < START_FAILURES_MAX) return;
    const error = new GateError(
      "ERR_SANDBOX_UNAVAILABLE",
      "Cannot run the program: no sandbox host starts",
      {
        hint:
          "The operator finds the reason in the service log; `toolgate doctor` checks the sandbox.",
      },
    );
    firstReady.reject(error);
    failAll(error);
    startFailures = 0;
  }

  function failAll(error: GateError): void {
    for (const waiting of queue.drain()) {
      waiting.cancel?.();
      waiting.reject(error);
    }
  }

  async function execute(host: PooledHost, waiting: Waiting): Promise<void> {
    waiting.cancel?.();
    running++;
    const finished = await host.run(
      waiting.principalKey,
      (process) => runProgram(process, waiting.run),
    );
    running--;
    meanRunMs = meanRunMs * 0.9 + finished.outcome.wallMs * 0.1;
    waiting.resolve(finished.outcome);
    pump();
  }

  async function close(): Promise<void> {
    closed = true;
    failAll(
      new GateError("ERR_SANDBOX_UNAVAILABLE", "Cannot run the program: the service is stopping", {
        hint: "Try again when it is back.",
      }),
    );
    await Promise.all([...hosts].map((host) => host.end()));
  }

  startMissing();
  if (hosts.size === 0) startHost();
  return {
    firstReady: firstReady.promise,
    run,
    close,
    status: () => ({
      isolation,
      kernel,
      hosts: { starting: count("starting"), ready: count("ready"), busy: count("busy") },
      queued: queue.size,
      running,
    }),
  };
}

/**
 * What a host may add to its memory after it is ready: the program's own, V8's young generation and
 * stacks, and a large result on its way through pipe, string and Worker.
 */
function memoryBudgetMb(limits: Limits): number {
  return limits.memoryMb + 64 + Math.ceil((limits.toolResultBytesMax * 3) / 1_048_576);
}

/** Text of a dying host, safe for a log line. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what must go
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]+/g, " ").slice(0, 500);
}

function refusedOutcome(
  code: "ERR_SANDBOX_CODE_SIZE" | "ERR_CANCELLED",
  limits: Limits,
): SandboxOutcome {
  return {
    status: code === "ERR_CANCELLED" ? "cancelled" : "error",
    resultJson: null,
    oversize: null,
    logs: [],
    error: limitError(code, limits),
    callCount: 0,
    wallMs: 0,
    cpuMs: 0,
  };
}
