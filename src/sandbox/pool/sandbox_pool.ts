/**
 * The pool: gives each execution a host, and refuses programs when its queue is full.
 *
 * A host goes `starting → ready → busy → (recycling → ready →) dead`. From its first program on, it
 * belongs to that program's principal alone. At level `process` it ends after one program, at
 * `worker` when its single-use Workers are used up, at `realm` after some hundred uses. At any
 * level, an unclean end of a program ends its host at once.
 */
import type { Limits } from "../../model/limits.ts";
import type { KernelReport } from "../../rpc/protocol.ts";
import type { Isolation } from "../host/host_settings.ts";
import type { CallReply, SandboxCall } from "../run/sandbox_call.ts";
import type { SandboxOutcome } from "../run/outcome.ts";
import { type FinishedRun, runProgram } from "../run/run_program.ts";
import { createConduct, noteEnd, type Standing } from "./conduct.ts";
import { createFairQueue } from "./fair_queue.ts";
import {
  createHostSupply,
  type HostSupply,
  type HostSupplyOptions,
  type HostWant,
} from "./host_supply.ts";
import { createPlaces } from "./places.ts";
import { busyError, refusedOutcome, stoppingError } from "./pool_refusals.ts";
import type { Lane, PooledHost } from "./pooled_host.ts";
import { createRecentOrigins } from "./recent_origins.ts";
import { createNamesRenderer } from "./render_names.ts";
import {
  createWaitingProgram,
  originOf,
  outcomeOf,
  type SandboxProgram,
  type WaitingProgram,
} from "./waiting_program.ts";

export interface SandboxStatus {
  readonly isolation: Isolation;
  /** The kernel's restrictions on every host; null until the first host is ready. */
  readonly kernel: KernelReport | null;
  readonly hosts: { readonly starting: number; readonly ready: number; readonly busy: number };
  readonly queued: number;
  readonly running: number;
}

export interface SandboxPool {
  /**
   * Runs one program.
   *
   * @throws {GateError} `ERR_BUSY` (with `retryAfterMs`) or `ERR_SANDBOX_UNAVAILABLE`, before
   *   anything ran.
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

function createPool(options: SandboxPoolOptions): SandboxPool & { firstReady: Promise<void> } {
  const placesMax = Math.min(options.hostsMax, options.limits.concurrentExecutionsMax);
  const nowMs = () => performance.now();
  const recent = createRecentOrigins(nowMs);
  const conduct = createConduct(nowMs);
  const places = createPlaces({ placesMax, conduct, recent });
  const renderNames = createNamesRenderer();
  const queue = createFairQueue<WaitingProgram>();
  const running = new Set<WaitingProgram>();
  const laneOf = ({ origin }: WaitingProgram) => laneOfStanding(conduct.standingOf(origin));
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

  function enqueue(waiting: WaitingProgram): void {
    recent.note(waiting.origin);
    queue.push(waiting);
    pump();
    // Programs with a free place that only wait for a host to start do not count.
    if (queue.size - Math.max(0, places.free) <= options.queueMax) return;
    const refused = queue.removeFromLongest(waiting);
    const load = { queued: queue.size, running: running.size, placesMax, meanRunMs };
    refused.reject(busyError(load));
  }

  /** Gives hosts to waiting programs and starts missing hosts. Called after every change. */
  function pump(): void {
    if (closed) return;
    queue.takeWhere((waiting) => {
      if (!places.admits(waiting.origin)) return false;
      const host = supply.take(waiting.owner, laneOf(waiting));
      if (host !== null) execute(host, waiting).catch((error) => waiting.reject(error));
      return host !== null;
    });
    const admitted = [...queue.entries()].filter(({ origin }) => places.admits(origin));
    supply.provide(countWants(admitted, laneOf), places.free);
  }

  async function execute(host: PooledHost, waiting: WaitingProgram): Promise<void> {
    const leavePlace = places.take(waiting.origin);
    running.add(waiting);
    let finished: FinishedRun;
    try {
      finished = await host.run(waiting.owner, (process) => runProgram(process, waiting.run));
    } finally {
      running.delete(waiting);
      leavePlace();
    }
    noteEnd(conduct, waiting.origin, finished);
    meanRunMs = meanRunMs * 0.9 + finished.outcome.wallMs * 0.1;
    waiting.resolve(finished.outcome);
    pump();
  }

  return {
    firstReady: supply.firstReady,
    async run(program, onCall, signal) {
      if (closed) throw stoppingError();
      const limits = { ...program.limits, memoryMb: options.limits.memoryMb };
      const refused = refusalOf(program.code, limits, signal);
      if (refused !== null) return refused;
      const origin = originOf(program);
      const standing = conduct.standingOf(origin);
      const names = renderNames(program.names);
      const parts = { program, limits, origin, standing, names, onCall };
      const waiting = createWaitingProgram(parts);
      const outcome = outcomeOf(waiting, signal, () => queue.remove(waiting));
      enqueue(waiting);
      return await outcome;
    },
    status: () => ({
      isolation: options.isolation,
      kernel: supply.kernel,
      hosts: countHosts(supply),
      queued: queue.size,
      running: running.size,
    }),
    async close() {
      closed = true;
      for (const waiting of queue.drain()) waiting.reject(stoppingError());
      for (const waiting of running) waiting.controller.abort();
      await supply.close();
    },
  };
}

/** @returns the outcome of a program that must not be queued; null if it may */
function refusalOf(code: string, limits: Limits, signal: AbortSignal): SandboxOutcome | null {
  if (signal.aborted) return refusedOutcome("ERR_CANCELLED", limits);
  const bytes = new TextEncoder().encode(code).length;
  return bytes > limits.codeBytesMax ? refusedOutcome("ERR_SANDBOX_CODE_SIZE", limits) : null;
}

function laneOfStanding(standing: Standing): Lane {
  if (standing === "struck") return "slow";
  return standing === "watched" ? "watched" : "common";
}

/** How many programs of each principal wait for a host, lane by lane. */
function countWants(
  programs: readonly WaitingProgram[],
  laneOf: (waiting: WaitingProgram) => Lane,
): HostWant[] {
  const wants = new Map<string, HostWant>();
  for (const waiting of programs) {
    const lane = laneOf(waiting);
    const key = `${lane} ${waiting.owner}`;
    const count = (wants.get(key)?.count ?? 0) + 1;
    wants.set(key, { principalKey: waiting.owner, lane, count });
  }
  return [...wants.values()];
}

function countHosts(supply: HostSupply): SandboxStatus["hosts"] {
  return {
    starting: supply.count("starting"),
    ready: supply.count("ready"),
    busy: supply.count("busy") + supply.count("recycling"),
  };
}
