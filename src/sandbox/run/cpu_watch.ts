/** The CPU time of one program, asked of its host as often as the limit needs. */
export interface CpuWatch {
  /** As the host counted it last. */
  readonly usedMs: number;
  /** Every frame of the host brings its count. */
  note(usedMs: number): void;
  /** The host has answered. @returns false if the program is over its limit: then nothing more is asked */
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

/** The limit cannot be passed sooner than the cores of a host can compute what is left of it. */
export function cpuPauseMs(leftMs: number): number {
  return Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, leftMs / 2));
}
