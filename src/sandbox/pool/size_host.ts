import type { Limits } from "../../model/limits.ts";
import {
  type HostSettings,
  type Isolation,
  KERNEL_ON,
  type KernelSettings,
  STAND_BACK,
} from "../host/host_settings.ts";
import { frameBytesMax } from "../run/program_message.ts";
import type { Lane } from "./pooled_host.ts";

export interface HostSizeOptions {
  readonly isolation: Isolation;
  readonly limits: Limits;
  /** Single-use Workers of a host at level `worker`; default: by the rate of programs. */
  readonly workersPerHost?: number;
  /** True (the default): programs are interpreted, no machine code is made at run time. */
  readonly jitless?: boolean;
  /** Parts of the kernel layer that are on; only measurements switch some off. */
  readonly kernel?: KernelSettings;
}

const WORKERS_MIN = 4;
const WORKERS_MAX = 16;
/** A host should last about this long at the present rate. */
const HOST_LIFE_MS = 2_000;

/**
 * The settings of a host of this lane. Hosts outside `common` are small and have low priority.
 *
 * @param usesPerMs programs per millisecond that one host of the common lane takes
 */
export function sizeHost(options: HostSizeOptions, lane: Lane, usesPerMs: number): HostSettings {
  const { isolation, limits } = options;
  const workers = lane === "common" ? options.workersPerHost ?? workersFor(usesPerMs) : 1;
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

/** Few Workers at a low rate, so that idle hosts are small; more at a high rate. */
function workersFor(usesPerMs: number): number {
  return Math.min(WORKERS_MAX, Math.max(WORKERS_MIN, Math.ceil(usesPerMs * HOST_LIFE_MS)));
}

/**
 * Memory that a host may add after it is ready: the program's heap, V8's young generation and
 * stacks, and the copies of a large result in pipe, string and Worker.
 */
function memoryBudgetMb(limits: Limits): number {
  return limits.memoryMb + 64 + Math.ceil((limits.toolResultBytesMax * 3) / 1_048_576);
}
