/** A distribution of durations in constant memory: percentiles are right to 4.4 %. */
export interface Histogram {
  add(ms: number): void;
  /** The value that at least this share (0 to 1) of all are not above; null when there is none. */
  percentile(share: number): number | null;
}

/** Eight buckets for each doubling, from a hundredth of a millisecond to some four months. */
const BUCKETS_PER_DOUBLING = 8;
const MS_MIN = 0.01;
const BUCKETS = 41 * BUCKETS_PER_DOUBLING;

export function createHistogram(): Histogram {
  const counts = new Float64Array(BUCKETS);
  let total = 0;
  return {
    add(ms) {
      const doublings = Math.log2(Math.max(ms, MS_MIN) / MS_MIN);
      const bucket = Math.min(BUCKETS - 1, Math.round(doublings * BUCKETS_PER_DOUBLING));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      total++;
    },
    percentile(share) {
      if (total === 0) return null;
      let left = Math.max(1, Math.ceil(total * share));
      const bucket = counts.findIndex((count) => (left -= count) <= 0);
      return MS_MIN * 2 ** (bucket / BUCKETS_PER_DOUBLING);
    },
  };
}
