/** Asks the host for the CPU time of one program, as often as the limit needs. */
export interface CpuWatch {
  /** The newest count from the host. */
  readonly usedMs: number;
  /** Takes the count that every frame of the host carries. */
  note(usedMs: number): void;
  /**
   * Notes an answer of the host. @returns false if the program is over its limit; asking then stops
   */
  answered(): boolean;
  close(): void;
}

export interface CpuWatchOptions {
  readonly cpuTimeMs: number;
  /** Asks the host for its count. */
  readonly ask: () => void;
}

const PAUSE_MS_MIN = 20;
const PAUSE_MS_MAX = 500;

export function createCpuWatch({ cpuTimeMs, ask }: CpuWatchOptions): CpuWatch {
  let usedMs = 0;
  let timer = setTimeout(ask, cpuPauseMs(cpuTimeMs));
  return {
    get usedMs() {
      return usedMs;
    },
    note(ms) {
      usedMs = ms;
    },
    answered() {
      if (usedMs > cpuTimeMs) return false;
      timer = setTimeout(ask, cpuPauseMs(cpuTimeMs - usedMs));
      return true;
    },
    close: () => clearTimeout(timer),
  };
}

/** Pause before the next question: half the time left, since threads may compute in parallel. */
export function cpuPauseMs(leftMs: number): number {
  return Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, leftMs / 2));
}
