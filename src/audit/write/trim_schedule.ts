/** Trims a log a while after its start and then regularly. */
export interface TrimSchedule {
  /** Trims after any trim under way; resolves to the number of removed records. */
  trim(): Promise<number>;
  /** Ends the schedule; resolves when no trim is under way. */
  close(): Promise<void>;
}

export function startTrimSchedule(
  deps: {
    readonly trim: () => Promise<number>;
    readonly firstTrimMs: number;
    readonly trimEveryMs: number;
    /** Called when a scheduled trim fails. */
    readonly onError: (error: unknown) => void;
  },
): TrimSchedule {
  let trimming: Promise<number> = Promise.resolve(0);
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** One trim at a time: two would sign two different starts of the chain. */
  function trim(): Promise<number> {
    const run = trimming.then(deps.trim);
    trimming = run.catch(() => 0); // the caller of this trim gets its error
    return run;
  }

  function schedule(afterMs: number): void {
    timer = setTimeout(() => {
      schedule(deps.trimEveryMs);
      trim().catch(deps.onError);
    }, afterMs);
    Deno.unrefTimer(Number(timer));
  }

  schedule(deps.firstTrimMs);
  return {
    trim,
    async close() {
      clearTimeout(timer);
      await trimming;
    },
  };
}
