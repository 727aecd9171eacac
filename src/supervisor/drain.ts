import { GateError } from "../model/errors.ts";
import { withinMs } from "../model/time/within_ms.ts";

/** Tracks running work, so that a closing service can wait for the work and abort it. */
export interface Drain {
  /**
   * Runs work that must end before the service does.
   *
   * @param start gets the signal that aborts when the service stops waiting.
   * @throws {GateError} `ERR_BUSY` once the service is closing; the work did not start.
   */
  track<T>(start: (signal: AbortSignal) => Promise<T>): Promise<T>;
  isDraining(): boolean;
  /**
   * Refuses new work, waits for running work, then aborts the rest and waits until it has ended.
   */
  finish(patienceMs: number): Promise<void>;
}

export function createDrain(): Drain {
  const running = new Set<Promise<unknown>>();
  const stopping = new AbortController();
  let isDraining = false;
  return {
    async track(start) {
      if (isDraining) throw shuttingDown();
      const work = start(stopping.signal);
      running.add(work);
      try {
        return await work;
      } finally {
        running.delete(work);
      }
    },
    isDraining: () => isDraining,
    async finish(patienceMs) {
      isDraining = true;
      await withinMs(Promise.allSettled(running), patienceMs);
      stopping.abort();
      await Promise.allSettled(running);
    },
  };
}

function shuttingDown(): GateError {
  return new GateError("ERR_BUSY", "Cannot run the program: the service is shutting down", {
    hint: "Try again in a few seconds",
    retryAfterMs: 5_000,
  });
}
