/** Limits the bytes of request bodies in memory: the total, and per owner. */
export interface BodyBudget {
  /** Counts the bytes of one body until it is released. */
  open(): BodyClaim;
  bytes(): number;
}

export interface BodyClaim {
  /** The bytes of the body, also earlier ones, count for each of these owners. */
  readonly owners: Set<string>;
  /** @returns the limit that is exceeded; null if none is. */
  add(bytes: number): "all" | "owner" | null;
  release(): void;
}

export function createBodyBudget(bytesMax: number, ownerBytesMax: number): BodyBudget {
  let total = 0;
  const byOwner = new Map<string, number>();
  return {
    bytes: () => total,
    open() {
      let own = 0;
      const counted = new Map<string, number>();
      const owners = new Set<string>();
      return {
        owners,
        add(bytes) {
          own += bytes;
          total += bytes;
          let full: "all" | "owner" | null = total > bytesMax ? "all" : null;
          for (const owner of owners) {
            const missing = own - (counted.get(owner) ?? 0);
            counted.set(owner, own);
            const sum = (byOwner.get(owner) ?? 0) + missing;
            byOwner.set(owner, sum);
            if (sum > ownerBytesMax) full = "owner";
          }
          return full;
        },
        release() {
          total -= own;
          own = 0;
          for (const [owner, bytes] of counted) {
            const rest = (byOwner.get(owner) ?? 0) - bytes;
            if (rest > 0) byOwner.set(owner, rest);
            else byOwner.delete(owner);
          }
          counted.clear();
        },
      };
    },
  };
}
