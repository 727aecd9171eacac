/** Lets other programs go first once the program of this host has computed for long. */
export interface AgeWatch {
  /** There is no way back for this host: it takes no other program. */
  readonly isAged: boolean;
  /** A program starts. */
  start(): void;
  /** No program runs any more. */
  stop(): void;
}

export interface AgeWatchOptions {
  /** CPU time of the program. */
  readonly usedMicros: () => number;
  /** Lets everybody else go first, for good. @returns false if it cannot */
  readonly standBack: () => boolean;
}

/** Computing time after which a program lets others go first. */
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
