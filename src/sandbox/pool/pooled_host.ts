import { startDeadline } from "../../model/time/deadline.ts";
import type { KernelReport } from "../../rpc/protocol.ts";
import type { HostProcess } from "../host/host_process.ts";
import type { Isolation } from "../host/host_settings.ts";
import type { FinishedRun } from "../run/run_program.ts";
import { recycleHost } from "./recycle_host.ts";

/**
 * The programs that a host is for: `common` hosts are kept ready for all principals; `watched` and
 * `slow` hosts are made for one principal on demand, and have lower priority on a busy machine.
 */
export type Lane = "common" | "watched" | "slow";

/** A host's place in the pool: its state, its owner and when it retires. */
export interface PooledHost {
  readonly lane: Lane;
  /** `recycling`: its program has ended, and it has not yet reported that it can take the next. */
  readonly state: "starting" | "ready" | "busy" | "recycling" | "dead";
  /** The principal that owns the host; null before its first program. */
  readonly principalKey: string | null;
  readonly idleSinceMs: number;
  /** Why the host ended before it was ready. */
  readonly failure: string | null;
  run(
    principalKey: string,
    start: (process: HostProcess) => Promise<FinishedRun>,
  ): Promise<FinishedRun>;
  /** Ends the host now. */
  retire(): void;
  /** Ends the host and waits until the process is gone. */
  end(): Promise<void>;
}

export interface PooledHostOptions {
  readonly isolation: Isolation;
  readonly lane: Lane;
  /** The principal that owns the host from the start; null: the first one that uses it. */
  readonly reservedFor: string | null;
  /** How long the host may take to be ready. */
  readonly startMs: number;
  readonly usesMax: number;
  /** A host that has computed longer than this retires before the kernel ends it. */
  readonly cpuTotalMsMax: number;
  readonly idleRetireMs: number;
  /** @returns false if the host must not run programs */
  readonly onReady: (kernel: KernelReport) => boolean;
  /** Whether an idle host stays longer than `idleRetireMs`. */
  readonly keepsIdle: (host: PooledHost) => boolean;
  /** Called when the host can take a program again. */
  readonly onChange: () => void;
  readonly onEnd: (host: PooledHost, wasReady: boolean) => void;
}

export function createPooledHost(process: HostProcess, options: PooledHostOptions): PooledHost {
  let state: PooledHost["state"] = "starting";
  let principalKey = options.reservedFor;
  let idleSinceMs = performance.now();
  let failure: string | null = null;
  let uses = 0;
  let wasReady = false;
  /** The deadline for the start, or for dropping the state of the last program. */
  let deadline = startDeadline(options.startMs, process.kill);
  let idleTimer: ReturnType<typeof setTimeout> | undefined;

  const host: PooledHost = {
    lane: options.lane,
    get state() {
      return state;
    },
    get principalKey() {
      return principalKey;
    },
    get idleSinceMs() {
      return idleSinceMs;
    },
    get failure() {
      return failure;
    },
    async run(key, start) {
      stopTimers();
      state = "busy";
      principalKey = key;
      uses++;
      const finished = await start(process);
      if (!finished.clean || options.isolation === "process" || uses >= options.usesMax) retire();
      else recycle();
      return finished;
    },
    retire,
    async end() {
      retire();
      await process.death;
    },
  };

  function stopTimers(): void {
    deadline.cancel();
    clearTimeout(idleTimer);
  }

  function retire(): void {
    stopTimers();
    if (state === "dead") return;
    state = "dead";
    process.kill();
  }

  function becomeReady(): void {
    state = "ready";
    idleSinceMs = performance.now();
    idleTimer = setTimeout(retireIdle, options.idleRetireMs);
    options.onChange();
  }

  function retireIdle(): void {
    if (options.keepsIdle(host)) idleTimer = setTimeout(retireIdle, options.idleRetireMs);
    else retire();
  }

  function recycle(): void {
    state = "recycling";
    deadline = recycleHost(process, {
      cpuTotalMsMax: options.cpuTotalMsMax,
      onFit: () => {
        if (state === "recycling") becomeReady();
      },
      onUnfit: retire,
    });
  }

  process.ready.then(({ kernel }) => {
    stopTimers();
    if (state !== "starting") return;
    wasReady = true;
    if (options.onReady(kernel)) becomeReady();
    else retire();
  }, (error: Error) => {
    failure = error.message;
  });
  const end = () => {
    stopTimers();
    state = "dead";
    options.onEnd(host, wasReady);
  };
  process.death.then(end, end);
  return host;
}
