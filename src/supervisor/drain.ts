import { GateError } from "../model/errors.ts";
import { withinMs } from "../model/time/within_ms.ts";

/** The work that runs, so that a service that closes can wait for it, and end it. */
export interface Drain {
  /**
   * Runs work that ends with the service at the latest.
   *
   * @param start gets the signal that aborts when the service waits no longer.
   * @throws {GateError} `ERR_BUSY` once the service is closing; the work did not start.
   */
  track<T>(start: (signal: AbortSignal) => Promise<T>): Promise<T>;
  isDraining(): boolean;
  /** Takes no new work, waits for what runs, aborts what is left, and waits for the end of that. */
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
