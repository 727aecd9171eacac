import type { CallQuota } from "./quota_gate.ts";

/**
 * The quota that one call has reserved. Only the first end counts, so a later failure cannot refund
 * a settled reservation.
 *
 * Neither end throws: a counter that cannot be updated must not lose the outcome of a call. The
 * reservation then stays. Both resolve with null, or with why the update failed.
 */
export interface HeldQuota {
  /** Counts what the call really used, because it happened or may have happened. */
  settle(actual: { readonly bytes: number; readonly tokens: number }): Promise<string | null>;
  /** Gives everything back, because the call certainly did not happen. */
  refund(): Promise<string | null>;
}

export function holdQuota(quota: CallQuota): HeldQuota {
  let isEnded = false;
  const end = async (work: () => Promise<void>): Promise<string | null> => {
    if (isEnded) return null;
    isEnded = true;
    try {
      await work();
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  return {
    settle: (actual) => end(() => quota.settle(actual)),
    refund: () => end(() => quota.refund()),
  };
}
