/**
 * The pool: hands each execution a host and refuses what it cannot hold.
 *
 * A host goes `starting → ready → busy → (ready →) dead`. It belongs to nobody until its first program
 * and from then on to that program's principal alone. At level `process` it dies after one program, at
 * `worker` when its single-use Workers are used up, at `realm` after some hundred uses. Anything unclean,
 * at any level, ends it at once.
 */
import { GateError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { KernelReport } from "../rpc/protocol.ts";
import type { CallReply, SandboxCall } from "./call_lane.ts";
import { createFairQueue } from "./fair_queue.ts";
import { createHostSupply, type HostSupplyOptions } from "./host_supply.ts";
import type { Isolation } from "./host_settings.ts";
import { limitError, type SandboxOutcome } from "./outcome.ts";
import type { PooledHost } from "./pooled_host.ts";
import { type FinishedRun, type ProgramRun, runProgram } from "./run_program.ts";

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

export interface SandboxPoolOptions extends HostSupplyOptions {
  /** Programs that may wait for a host. */
  readonly queueMax: number;
}

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
  readonly principalKey: string;
  readonly run: ProgramRun;
  readonly controller: AbortController;
  readonly resolve: (outcome: SandboxOutcome) => void;
  readonly reject: (error: GateError) => void;
}

/** A principal that was here this recently keeps others from taking every place. */
const SEEN_MS = 60_000;
const RETRY_MS_MIN = 100;

function createPool(options: SandboxPoolOptions): SandboxPool & { firstReady: Promise<void> } {
  const { limits } = options;
  const queue = createFairQueue<Waiting>();
  const runningOf = new Map<string, number>();
  const seenMs = new Map<string, number>();
  const executions = new Set<Waiting>();
  const renderNames = createNamesRenderer();
  let closed = false;
  let meanRunMs = 50;

  const supply = createHostSupply(options, {
    onChange: pump,
    onUnavailable: (error) => {
      for (const waiting of queue.drain()) waiting.reject(error);
    },
  });

  async function run(
    program: SandboxProgram,
    onCall: (call: SandboxCall) => Promise<CallReply>,
    signal: AbortSignal,
  ): Promise<SandboxOutcome> {
    if (closed) throw stopping();
    const bounded = { ...program.limits, memoryMb: limits.memoryMb };
    if (signal.aborted) return refusedOutcome("ERR_CANCELLED", bounded);
    if (new TextEncoder().encode(program.code).length > bounded.codeBytesMax) {
      return refusedOutcome("ERR_SANDBOX_CODE_SIZE", bounded);
    }
    const { promise, resolve, reject } = Promise.withResolvers<SandboxOutcome>();
    const controller = new AbortController();
    const waiting: Waiting = {
      principalKey: program.principalKey,
      run: {
        code: program.code,
        limits: bounded,
        names: renderNames(program.names),
        servers: program.names?.map((entry) => entry.server) ?? [],
        seed: program.seed,
        onCall,
        signal: controller.signal,
      },
      controller,
      resolve,
      reject,
    };
    const onAbort = () => {
      controller.abort();
      if (queue.remove(waiting)) resolve(refusedOutcome("ERR_CANCELLED", bounded));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    enqueue(waiting);
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  function enqueue(waiting: Waiting): void {
    noteSeen(waiting.principalKey);
    queue.push(waiting.principalKey, waiting);
    pump();
    // Who only waits for a host to start is not queueing.
    const queueing = queue.size - Math.max(0, freePlaces());
    if (queueing > options.queueMax && queue.remove(waiting)) waiting.reject(busy());
  }

  function noteSeen(principalKey: string): void {
    const now = performance.now();
    seenMs.delete(principalKey);
    seenMs.set(principalKey, now);
    for (const [key, at] of seenMs) {
      if (now - at < SEEN_MS) break;
      seenMs.delete(key);
    }
  }

  /** Gives waiting programs hosts and has missing hosts started. Called after every change. */
  function pump(): void {
    if (closed) return;
    const missingOf = new Map<string, number>();
    queue.takeWhere((waiting) => {
      const { principalKey } = waiting;
      if (!mayRun(principalKey)) return false;
      const host = supply.take(principalKey);
      if (host !== null) execute(host, waiting).catch((error) => waiting.reject(error));
      else missingOf.set(principalKey, queue.sizeOf(principalKey));
      return host !== null;
    });
    // A host that is about to be ready again is worth waiting for.
    for (const [principalKey, count] of missingOf) {
      missingOf.set(principalKey, Math.max(0, count - supply.recycling(principalKey)));
    }
    supply.provide(missingOf, freePlaces());
  }

  function freePlaces(): number {
    return Math.min(options.hostsMax, limits.concurrentExecutionsMax) - executions.size;
  }

  /** While others are about, a quarter of the places is not for one principal alone. */
  function mayRun(principalKey: string): boolean {
    const places = limits.concurrentExecutionsMax;
    if (executions.size >= places) return false;
    const reserved = seenMs.size > 1 ? Math.floor(places / 4) : 0;
    return (runningOf.get(principalKey) ?? 0) < places - reserved;
  }

  async function execute(host: PooledHost, waiting: Waiting): Promise<void> {
    const { principalKey } = waiting;
    executions.add(waiting);
    runningOf.set(principalKey, (runningOf.get(principalKey) ?? 0) + 1);
    let finished: FinishedRun;
    try {
      finished = await host.run(principalKey, (process) => runProgram(process, waiting.run));
    } finally {
      executions.delete(waiting);
      const left = runningOf.get(principalKey)! - 1;
      if (left === 0) runningOf.delete(principalKey);
      else runningOf.set(principalKey, left);
    }
    const code = finished.outcome.error?.code ?? "";
    if (!finished.clean && code.startsWith("ERR_SANDBOX_")) supply.strike(principalKey);
    meanRunMs = meanRunMs * 0.9 + finished.outcome.wallMs * 0.1;
    waiting.resolve(finished.outcome);
    pump();
  }

  function busy(): GateError {
    const places = Math.min(options.hostsMax, limits.concurrentExecutionsMax);
    const estimateMs = (meanRunMs * (queue.size + executions.size)) / places;
    const retryAfterMs = Math.ceil(Math.min(30_000, Math.max(RETRY_MS_MIN, estimateMs)));
    return new GateError(
      "ERR_BUSY",
      `Cannot run the program: ${queue.size} others are waiting, which is the limit`,
      { hint: `Try again in ${retryAfterMs} ms.`, retryAfterMs },
    );
  }

  async function close(): Promise<void> {
    closed = true;
    for (const waiting of queue.drain()) waiting.reject(stopping());
    for (const waiting of executions) waiting.controller.abort();
    await supply.close();
  }

  return {
    firstReady: supply.firstReady,
    run,
    close,
    status: () => ({
      isolation: options.isolation,
      kernel: supply.kernel,
      hosts: {
        starting: supply.count("starting"),
        ready: supply.count("ready"),
        busy: supply.count("busy") + supply.count("recycling"),
      },
      queued: queue.size,
      running: executions.size,
    }),
  };
}

/** JSON of names, remembered per array: a catalog of thousands is printed once. */
function createNamesRenderer(): (names: SandboxProgram["names"]) => string {
  const rendered = new WeakMap<object, string>();
  return (names) => {
    if (names === null) return "";
    let json = rendered.get(names);
    if (json === undefined) {
      json = JSON.stringify(names);
      rendered.set(names, json);
    }
    return json;
  };
}

function stopping(): GateError {
  return new GateError(
    "ERR_SANDBOX_UNAVAILABLE",
    "Cannot run the program: the service is stopping",
    { hint: "Try again when it is back." },
  );
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
