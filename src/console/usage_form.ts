import { USAGE_BY, type UsageBy } from "../usage/usage_row.ts";

/** The usage page's choices. */
export interface UsageForm {
  readonly period: UsagePeriod;
  readonly by: UsageBy;
}

export const USAGE_PERIODS = { "1d": 1, "7d": 7, "30d": 30, "90d": 90 } as const;
export type UsagePeriod = keyof typeof USAGE_PERIODS;

const DAY_MS = 86_400_000;

export function readUsageForm(field: (name: string) => string): UsageForm {
  const period = field("period");
  const by = field("by");
  return {
    period: Object.hasOwn(USAGE_PERIODS, period) ? period as UsagePeriod : "7d",
    by: USAGE_BY.find((known) => known === by) ?? "principal",
  };
}

/** The range of a period: whole days in UTC, up to now. */
export function usageRange(
  period: UsagePeriod,
  now: number,
): { readonly since: number; readonly until: number } {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  return { since: today - (USAGE_PERIODS[period] - 1) * DAY_MS, until: now + 1 };
}
