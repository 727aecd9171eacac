/** How often programs take a host of the common lane. */
export interface UseRate {
  /** Notes that a program takes a host now. */
  note(): void;
  /** Programs per millisecond, smoothed. */
  perMs(): number;
}

/** The part of the old rate that stays when a program comes. */
const KEPT = 0.95;

export function createUseRate(nowMs: () => number): UseRate {
  let perMs = 0;
  let lastMs = nowMs();
  return {
    note() {
      const now = nowMs();
      perMs = perMs * KEPT + (1 - KEPT) / Math.max(1, now - lastMs);
      lastMs = now;
    },
    perMs: () => perMs,
  };
}
