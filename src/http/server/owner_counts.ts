/** Counts the requests in progress of each owner. */
export interface OwnerCounts {
  /** @returns a function that ends the count; null if the owner is at its limit. */
  enter(owner: string): (() => void) | null;
}

export function createOwnerCounts(max: number): OwnerCounts {
  const counts = new Map<string, number>();
  return {
    enter(owner) {
      const count = counts.get(owner) ?? 0;
      if (count >= max) return null;
      counts.set(owner, count + 1);
      return () => {
        const rest = (counts.get(owner) ?? 1) - 1;
        if (rest > 0) counts.set(owner, rest);
        else counts.delete(owner);
      };
    },
  };
}
