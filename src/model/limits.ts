/** Bounds of one execution and of the service's sandbox. Every number is enforced outside the program. */
export interface Limits {
  readonly wallTimeMs: number;
  readonly cpuTimeMs: number;
  readonly memoryMb: number;
  readonly toolCallsMax: number;
  readonly concurrentCallsMax: number;
  readonly toolArgumentBytesMax: number;
  readonly toolResultBytesMax: number;
  readonly resultBytesMax: number;
  readonly codeBytesMax: number;
  readonly logBytesMax: number;
  readonly concurrentExecutionsMax: number;
}
