import type { CallQuota } from "./quota_gate.ts";

/**
 * What one call has reserved, for the rest of its way. The first end counts, so that a reservation which
 * was settled is not given back by a later failure.
 *
 * Neither end throws: a counter that could not be brought up to date is not a reason to lose the outcome of
 * a call, and what was reserved stays reserved then. The answer is null, or why it failed.
 */
export interface HeldQuota {
  /** The call happened, or may have: what it really used. */
  settle(actual: { readonly bytes: number; readonly tokens: number }): Promise<string | null>;
  /** The call certainly did not happen. */
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
