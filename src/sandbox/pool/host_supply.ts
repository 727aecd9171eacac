/**
 * The supply of hosts: keeps some warm, starts what is missing, gives each to one principal only, and
 * ends what is idle, surplus, worn out or in the way.
 *
 * Programs that are struck or watched get hosts of their own lane, made for their principal alone, small
 * and last in line, so that the stock that others rely on is not destroyed with them.
 */
import { GateError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { KernelReport } from "../../rpc/protocol.ts";
import type { HostCommand } from "../host/host_command.ts";
import { type HostProcess, startHostProcess } from "../host/host_process.ts";
import {
  type HostSettings,
  type Isolation,
  KERNEL_ON,
  type KernelSettings,
  STAND_BACK,
} from "../host/host_settings.ts";
import { frameBytesMax } from "../run/run_program.ts";
import { createPooledHost, type Lane, type PooledHost } from "./pooled_host.ts";

export interface HostSupplyOptions {
  readonly isolation: Isolation;
  /** Hosts kept ready before anybody asks. */
  readonly warm: number;
  readonly hostsMax: number;
  /** Kernel features whose absence is a refusal to start. */
  readonly require: readonly ("seccomp" | "landlock")[];
  readonly limits: Limits;
  readonly hostCommand: (settings: HostSettings) => HostCommand;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
  /** Single-use Workers of a host at level `worker`; default: by how much they are used. */
  readonly workersPerHost?: number;
  /** True (the default): programs are interpreted, no machine code is made at run time. */
  readonly jitless?: boolean;
  /** Parts of the kernel layer to leave off: only for measuring what the others hold. */
  readonly kernel?: KernelSettings;
  /** Memory that the machine has left, in megabytes; null if it cannot be told. */
  readonly freeMemoryMb?: () => number | null;
}

export interface HostSupply {
  /** Resolves with the first host; rejects if none starts or a requirement is not met. */
  readonly firstReady: Promise<void>;
  readonly kernel: KernelReport | null;
  /** A ready host of this principal, or a common one that belongs to nobody yet; null if there is none. */
  take(principalKey: string, lane: Lane): PooledHost | null;
  /**
   * Starts what is missing.
   *
   * @param wants programs that may run now and have no host
   * @param places common hosts that may be started for them
   */
  provide(wants: readonly HostWant[], places: number): void;
  count(state: PooledHost["state"]): number;
  close(): Promise<void>;
}

/** So many programs of a principal wait for a host. */
export interface HostWant {
  readonly principalKey: string;
  readonly lane: Lane;
  readonly count: number;
}

export interface HostSupplyEvents {
  /** A host can take a program, or there is room for another. */
  readonly onChange: () => void;
  /** No host of this lane can be had; whoever waits for one should be told. */
  readonly onUnavailable: (error: GateError, lane: Lane) => void;
}

const REALM_USES_MAX = 500;
const IDLE_RETIRE_MS = 30_000;
const WORKERS_MIN = 4;
const WORKERS_MAX = 16;
/** A host should last about this long at the present rate. */
const HOST_LIFE_MS = 2_000;
const START_FAILURES_MAX = 3;
const STARTS_AT_ONCE_MAX = 3;
const RETRY_START_MS = 100;
/** Pause between two starts of such a lane, whoever they are for. */
const RESERVED_PAUSE_MS = { watched: 100, slow: 200 } as const;
const START_MS = { common: 20_000, watched: 60_000, slow: 60_000 } as const;
type ReservedLane = Exclude<Lane, "common">;
/** Kept free for the rest of the machine. */
const RESERVE_MB = 256;

export function createHostSupply(options: HostSupplyOptions, events: HostSupplyEvents): HostSupply {
  const { limits, isolation } = options;
  const hosts = new Set<PooledHost>();
  const firstReady = Promise.withResolvers<void>();
  firstReady.promise.catch(() => {});
  const hostsOfLaneMax = laneHostsMax(Math.min(options.hostsMax, limits.concurrentExecutionsMax));
  const freeMemoryMb = options.freeMemoryMb ?? systemFreeMemoryMb;
  let kernel: KernelReport | null = null;
  let priming: HostProcess | null = null;
  const startFailures = { common: 0, watched: 0, slow: 0 };
  let retry: ReturnType<typeof setTimeout> | undefined;
  let reservedRetry: ReturnType<typeof setTimeout> | undefined;
  const lastStartMs = { watched: -Infinity, slow: -Infinity };
  let closed = false;
  /** Executions per millisecond, smoothed. */
  let rate = 0;
  let lastTakenMs = performance.now();

  const count = (state: PooledHost["state"]) => countHosts((host) => host.state === state);
  const isComing = (host: PooledHost) => host.state === "starting" && host.principalKey === null;
  const isFresh = (host: PooledHost) => host.state === "ready" && host.principalKey === null;
  function countHosts(matches: (host: PooledHost) => boolean): number {
    let sum = 0;
    for (const host of hosts) if (matches(host)) sum++;
    return sum;
  }

  function take(principalKey: string, lane: Lane): PooledHost | null {
    let fresh: PooledHost | null = null;
    let own: PooledHost | null = null;
    for (const host of hosts) {
      if (host.state !== "ready" || host.lane !== lane) continue;
      if (host.principalKey === principalKey) own ??= host;
      else if (host.principalKey === null) fresh ??= host;
    }
    const taken = own ?? fresh;
    if (taken !== null && lane === "common") {
      const now = performance.now();
      rate = rate * 0.95 + 0.05 / Math.max(1, now - lastTakenMs);
      lastTakenMs = now;
    }
    return taken;
  }

  function provide(wants: readonly HostWant[], places: number): void {
    if (closed) return;
    let common = 0;
    for (const { principalKey, lane, count } of wants) {
      // A host that is about to be ready again is worth waiting for.
      const missing = count -
        countHosts((host) =>
          host.principalKey === principalKey && host.lane === lane &&
          (host.state === "recycling" || host.state === "starting")
        );
      if (missing <= 0) continue;
      if (lane === "common") common += missing;
      else if (mayReserve(principalKey, lane)) startReserved(principalKey, lane);
    }
    const needed = Math.min(common, places);
    const wanted = needed + options.warm - countHosts(isComing) - countHosts(isFresh);
    for (let index = 0; index < wanted; index++) {
      if (countHosts(isComing) >= STARTS_AT_ONCE_MAX || !hasRoom(needed > 0)) return;
      start("common", null);
    }
  }

  /** Not more often than every so many milliseconds, whoever it is for. */
  function startReserved(principalKey: string, lane: ReservedLane): void {
    const pauseMs = lastStartMs[lane] + RESERVED_PAUSE_MS[lane] - performance.now();
    if (pauseMs > 0) {
      clearTimeout(reservedRetry);
      reservedRetry = setTimeout(events.onChange, Math.min(pauseMs, RESERVED_PAUSE_MS.watched));
    } else if (hasRoom(true) || evictFresh()) {
      lastStartMs[lane] = performance.now();
      start(lane, principalKey);
    }
  }

  function mayReserve(principalKey: string, lane: ReservedLane): boolean {
    const { ofOne, ofAll } = hostsOfLaneMax[lane];
    const ofLane = [...hosts].filter((host) => host.lane === lane && host.state !== "dead");
    if (ofLane.filter((host) => host.principalKey === principalKey).length >= ofOne) return false;
    if (ofLane.length < ofAll) return true;
    // Somebody else's host that does nothing is not worth waiting for.
    const idle = ofLane.find((host) => host.state === "ready");
    idle?.retire();
    return idle !== undefined;
  }

  function hasRoom(somebodyWaits: boolean): boolean {
    const full = hosts.size >= options.hostsMax || (hosts.size > 0 && !memoryAllows());
    return !full || (somebodyWaits && evictIdle());
  }

  function memoryAllows(): boolean {
    const free = freeMemoryMb();
    return free === null || free > RESERVE_MB + limits.memoryMb;
  }

  /** Makes room by ending the host of somebody else that has been idle longest. */
  function evictIdle(): boolean {
    let oldest: PooledHost | null = null;
    for (const host of hosts) {
      if (host.state !== "ready" || host.principalKey === null) continue;
      if (oldest === null || host.idleSinceMs < oldest.idleSinceMs) oldest = host;
    }
    oldest?.retire();
    return oldest !== null;
  }

  /** The stock may fill a small pool; who waits for a host of another lane would wait for ever. */
  function evictFresh(): boolean {
    const fresh = [...hosts].find(isFresh);
    fresh?.retire();
    return fresh !== undefined;
  }

  /** Fills the cache of compiled code once, when the first host is there. */
  function prime(): void {
    const command = options.hostCommand({ ...settings("common"), prime: true });
    if (command.cached !== true) return;
    priming = startHostProcess(command, 0);
    const isOver = () => (priming = null);
    priming.death.then(isOver, isOver);
  }

  function settings(lane: Lane): HostSettings {
    const workers = lane !== "common" ? 1 : options.workersPerHost ??
      workersFor(rate / (count("busy") + 1));
    return {
      isolation,
      workers: isolation === "worker" ? workers : 1,
      niceness: lane === "common" ? 0 : STAND_BACK,
      memoryMb: limits.memoryMb,
      memoryBudgetMb: memoryBudgetMb(limits),
      jitless: options.jitless ?? true,
      cpuSeconds: Math.ceil(limits.cpuTimeMs / 1_000) + (isolation === "process" ? 5 : 60),
      frameBytesMax: frameBytesMax(limits),
      prime: false,
      kernel: options.kernel ?? KERNEL_ON,
    };
  }

  function start(lane: Lane, reservedFor: string | null): void {
    const hostSettings = settings(lane);
    try {
      const command = options.hostCommand(hostSettings);
      const host = createPooledHost(startHostProcess(command, hostSettings.frameBytesMax), {
        isolation,
        lane,
        reservedFor,
        startMs: START_MS[lane],
        usesMax: isolation === "realm" ? REALM_USES_MAX : hostSettings.workers,
        cpuTotalMsMax: (hostSettings.cpuSeconds - 5) * 1_000 - limits.cpuTimeMs,
        idleRetireMs: IDLE_RETIRE_MS,
        keepsIdle: (idle) => idle.principalKey === null && countHosts(isFresh) <= options.warm,
        onReady: (report) => acceptKernel(report, lane),
        onChange: events.onChange,
        onEnd: (ended, wasReady) => {
          hosts.delete(ended);
          if (closed) return;
          if (!wasReady) startFailed(ended.failure ?? "it ended before it was ready", lane);
          else events.onChange();
        },
      });
      hosts.add(host);
    } catch (error) {
      startFailed(error instanceof Error ? error.message : String(error), lane);
    }
  }

  /** @returns false if a host with this kernel level must not run programs */
  function acceptKernel(report: KernelReport, lane: Lane): boolean {
    startFailures[lane] = 0;
    const missing = options.require.find((feature) =>
      feature === "seccomp" ? !report.seccomp : report.landlock === 0
    );
    if (missing !== undefined) {
      unavailable(
        `Cannot start: the sandbox has no ${missing}, and sandbox.require asks for it`,
        `Run on a kernel with ${missing}, or take it out of sandbox.require.`,
        lane,
      );
      return false;
    }
    if (kernel === null) {
      if (report.missing.length > 0) {
        options.log("warn", `Sandbox without ${report.missing.join("; ")}`);
      }
      prime();
    }
    kernel = report;
    firstReady.resolve();
    return true;
  }

  /** A host that stands back may not start where the machine is busy; that is no reason to refuse others. */
  function startFailed(reason: string, lane: Lane): void {
    startFailures[lane]++;
    options.log("error", `Cannot start a sandbox host: ${printable(reason)}`);
    if (startFailures[lane] < START_FAILURES_MAX) {
      retry = setTimeout(events.onChange, RETRY_START_MS);
      return;
    }
    startFailures[lane] = 0;
    unavailable(
      "Cannot run the program: no sandbox host starts",
      "The operator finds the reason in the service log; `toolgate doctor` checks the sandbox.",
      lane,
    );
  }

  function unavailable(message: string, hint: string, lane: Lane): void {
    const error = new GateError("ERR_SANDBOX_UNAVAILABLE", message, { hint });
    if (lane === "common") firstReady.reject(error);
    events.onUnavailable(error, lane);
  }

  async function close(): Promise<void> {
    closed = true;
    clearTimeout(retry);
    clearTimeout(reservedRetry);
    priming?.kill();
    await Promise.all([priming?.death, ...[...hosts].map((host) => host.end())]);
  }

  provide([{ principalKey: "", lane: "common", count: options.warm === 0 ? 1 : 0 }], 1);
  return {
    firstReady: firstReady.promise,
    get kernel() {
      return kernel;
    },
    take,
    provide,
    count,
    close,
  };
}

/** Lanes that are not common share some of the places, and no principal has all of a lane. */
function laneHostsMax(places: number) {
  const part = (divisor: number) => Math.max(1, Math.floor(places / divisor));
  return {
    watched: { ofOne: part(4), ofAll: part(2) },
    slow: { ofOne: Math.min(2, part(4)), ofAll: part(4) },
  };
}

/**
 * Few Workers while little happens, so that idle hosts are small; more when they are used up quickly.
 *
 * @param executionsPerMs of one host
 */
function workersFor(executionsPerMs: number): number {
  const wanted = Math.ceil(executionsPerMs * HOST_LIFE_MS);
  return Math.min(WORKERS_MAX, Math.max(WORKERS_MIN, wanted));
}

/**
 * What a host may add to its memory after it is ready: the program's own, V8's young generation and
 * stacks, and a large result on its way through pipe, string and Worker.
 */
function memoryBudgetMb(limits: Limits): number {
  return limits.memoryMb + 64 + Math.ceil((limits.toolResultBytesMax * 3) / 1_048_576);
}

function systemFreeMemoryMb(): number | null {
  try {
    return Deno.systemMemoryInfo().available / 1_048_576;
  } catch {
    return null;
  }
}

/** Text of a dying host, safe for a log line. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what must go
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f]+/g, " ").slice(0, 500);
}
