/** How program runs are kept apart. */
export type Isolation = "process" | "worker" | "realm";

export const ISOLATIONS: readonly Isolation[] = ["process", "worker", "realm"];

/** What a host is told when it starts: one JSON argument. */
export interface HostSettings {
  readonly isolation: Isolation;
  /** Single-use Workers made before the kernel layer goes on; 1 for `process` and `realm`. */
  readonly workers: number;
  /** Megabytes of private memory on top of what the host has when it is ready. */
  readonly memoryMb: number;
  /** CPU seconds after which the kernel ends the host. */
  readonly cpuSeconds: number;
  /** The longest frame in either direction. */
  readonly frameBytesMax: number;
  /** False leaves the kernel layer off (tests of the other layers). */
  readonly kernel: boolean;
}
