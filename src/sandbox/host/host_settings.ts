/** How program runs are kept apart. */
export type Isolation = "process" | "worker" | "realm";

export const ISOLATIONS: readonly Isolation[] = ["process", "worker", "realm"];

/** Exit codes of a host: it was asked or told what no honest side says. */
export const EXIT_VIOLATION = 91;
/** There was no memory left to relay a message. */
export const EXIT_MEMORY = 92;

/**
 * How far a host stands back that others should not notice, as niceness. Further, and a busy machine would
 * never start one.
 */
export const STAND_BACK = 10;

/** What a host is told when it starts: one JSON argument. */
export interface HostSettings {
  readonly isolation: Isolation;
  /** Single-use Workers made before the kernel layer goes on; 1 for `process` and `realm`. */
  readonly workers: number;
  /** Heap of one Worker in megabytes, a flag of V8. */
  readonly memoryMb: number;
  /** Megabytes of memory that the whole host may add to what it has when it is ready. */
  readonly memoryBudgetMb: number;
  /** CPU seconds after which the kernel ends the host. */
  readonly cpuSeconds: number;
  /** The longest frame in either direction. */
  readonly frameBytesMax: number;
  /** Interpreter only: nothing in the host may become machine code. */
  readonly jitless: boolean;
  /** How far the host stands back when the machine is busy, 0 to 19. @see setpriority(2) */
  readonly niceness: number;
  /** Only fills the runtime's cache of compiled code, for the hosts that start later, and ends. */
  readonly prime: boolean;
  /** Parts of the kernel layer; all on, except where their effect is measured. */
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
