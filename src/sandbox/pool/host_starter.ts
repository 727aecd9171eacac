/**
 * Starts hosts, checks the kernel's restrictions on each, and reports a lane in which none starts.
 */
import { GateError } from "../../model/errors.ts";
import type { KernelReport } from "../../rpc/protocol.ts";
import type { HostCommand } from "../host/host_command.ts";
import { type HostProcess, startHostProcess } from "../host/host_process.ts";
import type { HostSettings } from "../host/host_settings.ts";
import type { HostRoster } from "./host_roster.ts";
import { createPooledHost, type Lane, type PooledHost } from "./pooled_host.ts";
import { type HostSizeOptions, sizeHost } from "./size_host.ts";
import { createStartFailures } from "./start_failures.ts";

export interface HostStarterOptions extends HostSizeOptions {
  /** Hosts kept ready in advance. */
  readonly warm: number;
  /** Kernel features without which the sandbox does not start. */
  readonly require: readonly ("seccomp" | "landlock")[];
  readonly hostCommand: (settings: HostSettings) => HostCommand;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

export interface HostSupplyEvents {
  /** Called when a host can take a program, or there is room for another host. */
  readonly onChange: () => void;
  /** Called when this lane cannot start hosts, to refuse the programs that wait for one. */
  readonly onUnavailable: (error: GateError, lane: Lane) => void;
}

export interface HostStarterDeps extends HostSupplyEvents {
  readonly roster: HostRoster;
  /** Programs per millisecond that all common hosts take together. */
  readonly usesPerMs: () => number;
}

export interface HostStarter {
  /** Resolves with the first host; rejects if none starts or a requirement is not met. */
  readonly firstReady: Promise<void>;
  /** The kernel's restrictions on the newest host; null until the first host is ready. */
  readonly kernel: KernelReport | null;
  /** @param reservedFor the principal that owns the host from the start; null: none yet */
  start(lane: Lane, reservedFor: string | null): void;
  /** Stops all further starts, and ends the process that fills the code cache. */
  close(): Promise<void>;
}

const REALM_USES_MAX = 500;
const IDLE_RETIRE_MS = 30_000;
const START_MS = { common: 20_000, watched: 60_000, slow: 60_000 } as const;

export function createHostStarter(
  options: HostStarterOptions,
  deps: HostStarterDeps,
): HostStarter {
  const { roster } = deps;
  const firstReady = Promise.withResolvers<void>();
  firstReady.promise.catch(() => {});
  const primer = createCachePrimer(() => options.hostCommand({ ...size("common"), prime: true }));
  const failures = createStartFailures({
    log: options.log,
    onRetry: deps.onChange,
    onGiveUp: (lane) => refuseLane(lane, noHostStarts()),
  });
  let kernel: KernelReport | null = null;
  let closed = false;

  function size(lane: Lane): HostSettings {
    return sizeHost(options, lane, deps.usesPerMs() / (roster.count("busy") + 1));
  }

  function start(lane: Lane, reservedFor: string | null): void {
    const settings = size(lane);
    try {
      const process = startHostProcess(options.hostCommand(settings), settings.frameBytesMax);
      roster.add(createPooledHost(process, {
        isolation: options.isolation,
        lane,
        reservedFor,
        startMs: START_MS[lane],
        usesMax: options.isolation === "realm" ? REALM_USES_MAX : settings.workers,
        cpuTotalMsMax: (settings.cpuSeconds - 5) * 1_000 - options.limits.cpuTimeMs,
        idleRetireMs: IDLE_RETIRE_MS,
        keepsIdle: (idle) => idle.principalKey === null && roster.countFresh() <= options.warm,
        onReady: (report) => acceptKernel(report, lane),
        onChange: deps.onChange,
        onEnd: noteEnd,
      }));
    } catch (error) {
      failures.note(lane, error instanceof Error ? error.message : String(error));
    }
  }

  function noteEnd(host: PooledHost, wasReady: boolean): void {
    roster.remove(host);
    if (closed) return;
    if (wasReady) deps.onChange();
    else failures.note(host.lane, host.failure ?? "it ended before it was ready");
  }

  /** @returns false if a host with this kernel level must not run programs */
  function acceptKernel(report: KernelReport, lane: Lane): boolean {
    failures.clear(lane);
    const error = missingFeature(report, options.require);
    if (error !== null) {
      refuseLane(lane, error);
      return false;
    }
    if (kernel === null) {
      if (report.missing.length > 0) {
        options.log("warn", `Sandbox without ${report.missing.join("; ")}`);
      }
      primer.prime();
    }
    kernel = report;
    firstReady.resolve();
    return true;
  }

  /**
   * Refuses the programs of one lane; those of other lanes keep waiting. On a busy machine, hosts
   * with lower priority may not start in time while common hosts do.
   */
  function refuseLane(lane: Lane, error: GateError): void {
    if (lane === "common") firstReady.reject(error);
    deps.onUnavailable(error, lane);
  }

  return {
    firstReady: firstReady.promise,
    get kernel() {
      return kernel;
    },
    start,
    async close() {
      closed = true;
      failures.close();
      await primer.close();
    },
  };
}

/** Fills the runtime's cache of compiled code with a process that ends by itself. */
function createCachePrimer(command: () => HostCommand) {
  let priming: HostProcess | null = null;
  return {
    prime(): void {
      const primeCommand = command();
      if (primeCommand.cached !== true) return;
      priming = startHostProcess(primeCommand, 0);
      const isOver = () => (priming = null);
      priming.death.then(isOver, isOver);
    },
    async close(): Promise<void> {
      priming?.kill();
      await priming?.death;
    },
  };
}

/** @returns the refusal if the kernel lacks a feature that the configuration requires, else null */
export function missingFeature(
  report: KernelReport,
  required: HostStarterOptions["require"],
): GateError | null {
  const missing = required.find((feature) =>
    feature === "seccomp" ? !report.seccomp : report.landlock === 0
  );
  if (missing === undefined) return null;
  return new GateError(
    "ERR_SANDBOX_UNAVAILABLE",
    `Cannot start: the sandbox has no ${missing}, and sandbox.require asks for it`,
    { hint: `Run on a kernel with ${missing}, or take it out of sandbox.require.` },
  );
}

function noHostStarts(): GateError {
  return new GateError(
    "ERR_SANDBOX_UNAVAILABLE",
    "Cannot run the program: no sandbox host starts",
    {
      hint:
        "The operator finds the reason in the service log; `toolgate doctor` checks the sandbox.",
    },
  );
}
