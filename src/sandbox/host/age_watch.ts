/** Lowers the host's priority for good once its program has computed for long. */
export interface AgeWatch {
  /** True once the priority is lowered: the host must not take another program. */
  readonly isAged: boolean;
  /** A program starts. */
  start(): void;
  /** No program runs any more. */
  stop(): void;
}

export interface AgeWatchOptions {
  /** CPU time of the program. */
  readonly usedMicros: () => number;
  /** Lowers the priority of this process for good. @returns false if it cannot */
  readonly standBack: () => boolean;
}

/** CPU time after which a program gets lower priority than others. */
const AGED_CPU_MS = 500;
const PAUSE_MS = 100;

export function createAgeWatch({ usedMicros, standBack }: AgeWatchOptions): AgeWatch {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAged = false;

  function start(): void {
    if (isAged) return;
    timer = setTimeout(() => {
      if (usedMicros() < AGED_CPU_MS * 1_000) start();
      else isAged = standBack();
    }, PAUSE_MS);
  }

  return {
    get isAged() {
      return isAged;
    },
    start,
    stop: () => clearTimeout(timer),
  };
}
