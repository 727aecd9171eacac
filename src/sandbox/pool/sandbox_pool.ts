/**
 * The pool: hands each execution a host and refuses what it cannot hold.
 *
 * A host goes `starting → ready → busy → (ready →) dead`. It belongs to nobody until its first program
 * and from then on to that program's principal alone. At level `process` it dies after one program, at
 * `worker` when its single-use Workers are used up, at `realm` after some hundred uses. Anything unclean,
 * at any level, ends it at once.
 */
import { hash } from "node:crypto";
import { GateError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { KernelReport } from "../../rpc/protocol.ts";
import type { Isolation } from "../host/host_settings.ts";
import type { CallReply, SandboxCall } from "../run/call_lane.ts";
import { limitError, type SandboxOutcome } from "../run/outcome.ts";
import { type FinishedRun, type ProgramRun, runProgram } from "../run/run_program.ts";
import { createConduct, type ProgramOrigin } from "./conduct.ts";
import { createFairQueue, type QueueOwner } from "./fair_queue.ts";
import { createHostSupply, type HostSupplyOptions, type HostWant } from "./host_supply.ts";
import type { Lane, PooledHost } from "./pooled_host.ts";

/** One program to run. */
export interface SandboxProgram {
  /** Hosts are never shared between these. */
  readonly principalKey: string;
  /** Session or task that it belongs to, as the client names it; null if it names none. */
  readonly session: string | null;
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

interface Waiting extends QueueOwner {
  readonly origin: ProgramOrigin;
  readonly run: ProgramRun;
  readonly controller: AbortController;
  readonly resolve: (outcome: SandboxOutcome) => void;
  readonly reject: (error: GateError) => void;
}

/** A principal that was here this recently keeps others from taking every place. */
const SEEN_MS = 60_000;
/** Sessions of one principal that are told apart for this. */
const SESSIONS_SEEN_MAX = 100;
const RETRY_MS_MIN = 100;

function createPool(options: SandboxPoolOptions): SandboxPool & { firstReady: Promise<void> } {
  const { limits } = options;
  const queue = createFairQueue<Waiting>();
  const seenMs = new Map<string, Map<string | null, number>>();
  const executions = new Set<{ isKnown: boolean; waiting: Waiting }>();
  const renderNames = createNamesRenderer();
  const conduct = createConduct(() => performance.now());
  const placesMax = Math.min(options.hostsMax, limits.concurrentExecutionsMax);
  let closed = false;
  let meanRunMs = 50;

  const supply = createHostSupply(options, {
    onChange: pump,
    onUnavailable: (error, lane) => {
      for (const waiting of [...queue.entries()]) {
        if (laneOf(waiting) === lane && queue.remove(waiting)) waiting.reject(error);
      }
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
    const { principalKey, session } = program;
    const origin = { principalKey, session, codeSha256: hash("sha256", program.code) };
    const waiting: Waiting = {
      origin,
      owner: principalKey,
      // A session's good programs do not stand behind what misbehaves in it.
      flow: JSON.stringify([session, conduct.standingOf(origin)]),
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
    noteSeen(waiting);
    queue.push(waiting);
    pump();
    // Who only waits for a host to start is not queueing.
    if (queue.size - Math.max(0, freePlaces()) <= options.queueMax) return;
    queue.removeFromLongest(waiting).reject(busy());
  }

  /** Remembers whose programs came: of which principal, and of which of its sessions. */
  function noteSeen({ owner, origin }: Waiting): void {
    const now = performance.now();
    const sessions = seenMs.get(owner) ?? new Map<string | null, number>();
    seenMs.delete(owner);
    seenMs.set(owner, sessions);
    sessions.delete(origin.session);
    sessions.set(origin.session, now);
    for (const [session, at] of sessions) {
      if (now - at < SEEN_MS && sessions.size <= SESSIONS_SEEN_MAX) break;
      sessions.delete(session);
    }
    for (const [key, ofKey] of seenMs) {
      if (now - Math.max(...ofKey.values()) < SEEN_MS) break;
      seenMs.delete(key);
    }
  }

  /** Gives waiting programs hosts and has missing hosts started. Called after every change. */
  function pump(): void {
    if (closed) return;
    const wants = new Map<string, HostWant>();
    queue.takeWhere((waiting) => {
      const lane = laneOf(waiting);
      if (!mayRun(waiting)) return false;
      const host = supply.take(waiting.owner, lane);
      if (host !== null) execute(host, waiting).catch((error) => waiting.reject(error));
      return host !== null;
    });
    for (const waiting of queue.entries()) {
      const lane = laneOf(waiting);
      if (!mayRun(waiting)) continue;
      const key = `${lane} ${waiting.owner}`;
      const count = (wants.get(key)?.count ?? 0) + 1;
      wants.set(key, { principalKey: waiting.owner, lane, count });
    }
    supply.provide([...wants.values()], freePlaces());
  }

  function laneOf({ origin }: Waiting): Lane {
    const standing = conduct.standingOf(origin);
    if (standing === "struck") return "slow";
    return standing === "watched" ? "watched" : "common";
  }

  function freePlaces(): number {
    return placesMax - executions.size;
  }

  /**
   * While others are about, a quarter of the places is not for one principal alone, and of its places a
   * quarter not for one of its sessions alone. A principal of which programs misbehave keeps a quarter
   * for those that are known to end.
   */
  function mayRun({ owner, origin }: Waiting): boolean {
    if (executions.size >= placesMax) return false;
    let running = 0;
    let ofSession = 0;
    let unknown = 0;
    for (const other of executions) {
      if (other.waiting.owner !== owner) continue;
      running++;
      if (other.waiting.origin.session === origin.session) ofSession++;
      if (!other.isKnown) unknown++;
    }
    const shareOf = (places: number, isShared: boolean) =>
      isShared ? places - Math.floor(places / 4) : places;
    const ownMax = shareOf(placesMax, seenMs.size > 1);
    if (running >= ownMax) return false;
    if (ofSession >= shareOf(ownMax, (seenMs.get(owner)?.size ?? 0) > 1)) return false;
    return unknown < shareOf(ownMax, conduct.isMixed(owner)) ||
      conduct.standingOf(origin) === "known";
  }

  async function execute(host: PooledHost, waiting: Waiting): Promise<void> {
    const { owner, origin } = waiting;
    const running = { isKnown: conduct.standingOf(origin) === "known", waiting };
    executions.add(running);
    let finished: FinishedRun;
    try {
      finished = await host.run(owner, (process) => runProgram(process, waiting.run));
    } finally {
      executions.delete(running);
    }
    noteEnd(origin, finished);
    meanRunMs = meanRunMs * 0.9 + finished.outcome.wallMs * 0.1;
    waiting.resolve(finished.outcome);
    pump();
  }

  function noteEnd(origin: ProgramOrigin, { clean, outcome }: FinishedRun): void {
    const code = outcome.error?.code ?? "";
    if (!clean && code.startsWith("ERR_SANDBOX_")) conduct.strike(origin, "limit");
    else if (outcome.status === "cancelled") conduct.strike(origin, "cancelled");
    else conduct.endedWell(origin);
  }

  function busy(): GateError {
    const estimateMs = (meanRunMs * (queue.size + executions.size)) / placesMax;
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
    for (const { waiting } of executions) waiting.controller.abort();
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
