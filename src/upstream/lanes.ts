/** Frees the lane. Call it once, when the work has ended. */
export type LeaveLane = () => void;

/** Lets `max` pieces of work run at a time and `queueMax` wait, first come first served. */
export interface Lanes {
  /**
   * Waits for a free lane.
   *
   * @returns the function that frees the lane, or null if the queue is full.
   * @throws the signal's reason as soon as it aborts while waiting.
   */
  enter(signal: AbortSignal): Promise<LeaveLane | null>;
}

export function createLanes(max: number, queueMax: number): Lanes {
  let running = 0;
  const waiting = new Set<(leave: LeaveLane) => void>();

  const takeLane = (): LeaveLane => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const [next] = waiting;
      if (next === undefined) running -= 1;
      else next(takeLane());
    };
  };
  return {
    enter(signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (running < max) {
        running += 1;
        return Promise.resolve(takeLane());
      }
      if (waiting.size >= queueMax) return Promise.resolve(null);
      return new Promise((resolve, reject) => {
        const start = (leave: LeaveLane) => {
          waiting.delete(start);
          signal.removeEventListener("abort", stop);
          resolve(leave);
        };
        const stop = () => {
          waiting.delete(start);
          reject(signal.reason);
        };
        waiting.add(start);
        signal.addEventListener("abort", stop, { once: true });
      });
    },
  };
}
