/** Quantiles in bounded memory: keeps up to 1,000 values, then only counts per bucket. */
export interface Distribution {
  /** @param value negative ones count as 0. */
  add(value: number): void;
  /**
   * The nearest-rank quantile: exact up to 1,000 values, within 1 % above.
   *
   * @param share 0.5 is the median.
   * @returns null without values.
   */
  quantile(share: number): number | null;
  readonly count: number;
}

const EXACT_MAX = 1_000;
/** Each bucket is 2 % wide, so its middle is at most 1 % off. */
const LOG_WIDTH = Math.log(1.02);

/** @see Masson et al., "DDSketch", VLDB 2019, for the buckets. */
export function createDistribution(): Distribution {
  let exact: number[] = [];
  const buckets = new Map<number, number>();
  let count = 0;
  const addToBucket = (value: number) => {
    const bucket = bucketOf(value);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  };
  return {
    add(value) {
      const positive = Math.max(0, value);
      count++;
      if (count <= EXACT_MAX) exact.push(positive);
      else {
        for (const earlier of exact) addToBucket(earlier);
        exact = [];
        addToBucket(positive);
      }
    },
    quantile(share) {
      if (count === 0) return null;
      const rank = Math.max(1, Math.ceil(share * count));
      if (exact.length > 0) return exact.toSorted((a, b) => a - b)[rank - 1] ?? null;
      let seen = 0;
      for (const [bucket, members] of [...buckets].toSorted(([a], [b]) => a - b)) {
        seen += members;
        if (seen >= rank) return middleOf(bucket);
      }
      return null;
    },
    get count() {
      return count;
    },
  };
}

/** Values below 1 share one bucket. */
function bucketOf(value: number): number {
  return value < 1 ? -1 : Math.floor(Math.log(value) / LOG_WIDTH);
}

function middleOf(bucket: number): number {
  return bucket < 0 ? 0 : Math.exp((bucket + 0.5) * LOG_WIDTH);
}
