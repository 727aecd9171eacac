/** What usage is grouped by. */
export const USAGE_BY = ["principal", "group", "space", "tool", "client", "day"] as const;
export type UsageBy = typeof USAGE_BY[number];

/** Usage of one period, as the console shows it. Token counts are estimates. */
export interface UsageReport {
  readonly total: UsageRow;
  /** The group that was asked for, most expensive first. */
  readonly rows: readonly UsageRow[];
  /** Each day of the period (UTC), oldest first. */
  readonly days: readonly UsageRow[];
  /** True: the period holds more records than were read. */
  readonly truncated: boolean;
}

/** Null: the figure does not exist for this row (nothing to divide by). */
export interface UsageRow {
  /** Name of the group, or the day as `2026-04-01`. */
  readonly key: string;
  readonly executions: number;
  readonly calls: number;
  /** Calls that were denied or hidden. */
  readonly refused: number;
  /** Calls that failed. */
  readonly failed: number;
  readonly tasks: number;
  readonly completedTasks: number;
  /** 0 to 1. */
  readonly firstTrySuccess: number | null;
  readonly tokensPerCompletedTask: number | null;
  readonly costPerSuccessUsd: number | null;
  /** Milliseconds from a task's first record to its last. */
  readonly finishMsP50: number | null;
  readonly finishMsP95: number | null;
  readonly costUsd: number;
  readonly tokensReturned: number;
  readonly tokensKeptOut: number;
}
