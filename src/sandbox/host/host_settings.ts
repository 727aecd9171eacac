/** What separates the runs of programs from each other. */
export type Isolation = "process" | "worker" | "realm";

export const ISOLATIONS: readonly Isolation[] = ["process", "worker", "realm"];

/** Exit code of a host after a breach of the protocol by the service or a Worker. */
export const EXIT_VIOLATION = 91;
/** Exit code of a host without the memory to relay a message. */
export const EXIT_MEMORY = 92;

/**
 * Niceness of hosts that must not slow others down. With a higher value a busy machine would never
 * start such a host.
 */
export const STAND_BACK = 10;

/** Settings of a host, passed as one JSON argument at its start. */
export interface HostSettings {
  readonly isolation: Isolation;
  /** Single-use Workers made before the kernel layer goes on; 1 for `process` and `realm`. */
  readonly workers: number;
  /** Heap of one Worker in megabytes, a flag of V8. */
  readonly memoryMb: number;
  /** Megabytes that the whole host may add to its memory after it is ready. */
  readonly memoryBudgetMb: number;
  /** CPU seconds after which the kernel ends the host. */
  readonly cpuSeconds: number;
  /** The longest frame in either direction. */
  readonly frameBytesMax: number;
  /** Interpreter only: nothing in the host may become machine code. */
  readonly jitless: boolean;
  /** Niceness of the host, 0 to 19; lowers its priority on a busy machine. @see setpriority(2) */
  readonly niceness: number;
  /** True: the host only fills the runtime's cache of compiled code for later hosts, and ends. */
  readonly prime: boolean;
  /** Parts of the kernel layer; all are on, except to measure their effect. */
  readonly kernel: KernelSettings;
}

export interface KernelSettings {
  readonly enabled: boolean;
  readonly landlock: boolean;
  readonly rlimits: boolean;
  readonly seccomp: boolean;
}

export const KERNEL_ON: KernelSettings = {
  enabled: true,
  landlock: true,
  rlimits: true,
  seccomp: true,
};
