/** What usage is grouped by. */
export const USAGE_BY = ["principal", "group", "space", "tool", "client", "day"] as const;
export type UsageBy = typeof USAGE_BY[number];

/** Usage of one period, as the console shows it. Token counts are estimates. */
export interface UsageReport {
  readonly total: UsageRow;
  /** The group that was asked for, most expensive first. */
  readonly rows: readonly UsageRow[];
  /** Days (UTC) with records, oldest first. */
  readonly days: readonly UsageRow[];
  /** True: the period holds more than could be counted exactly. */
  readonly truncated: boolean;
}

/** Null: the figure does not exist for this row (nothing to divide by, or nobody reported it). */
export interface UsageRow {
  /** Name of the group, or the day as `2026-04-01`. */
  readonly key: string;
  readonly executions: number;
  readonly calls: number;
  /** Calls that were denied, hidden, or left waiting. */
  readonly refused: number;
  /** Calls that failed. */
  readonly failed: number;
  readonly successfulWrites: number;
  readonly tasks: number;
  readonly completedTasks: number;
  /** Of the completed ones, those that somebody reported to be; the others are inferred. */
  readonly completedExplicit: number;
  /** 0 to 1. */
  readonly firstTrySuccess: number | null;
  /** The same, over tasks whose first execution made two calls or more. */
  readonly firstTrySuccessMultiHop: number | null;
  readonly tokensPerCompletedTask: number | null;
  readonly costPerSuccessUsd: number | null;
  /** Milliseconds from a task's first record to the end of its last. */
  readonly finishMsP50: number | null;
  readonly finishMsP95: number | null;
  /** Milliseconds of a call. */
  readonly callMsP50: number | null;
  readonly callMsP95: number | null;
  readonly costUsd: number;
  readonly tokensReturned: number;
  readonly tokensKeptOut: number;
  /** As reported by clients, never guessed. */
  readonly modelTokens: number | null;
}

const DAY_MS = 86_400_000;

/**
 * One row for each day of a range, also for those on which nothing happened.
 *
 * @param since, until milliseconds since the epoch; whole days in UTC.
 */
export function fillDays(
  days: readonly UsageRow[],
  range: { readonly since: number; readonly until: number },
): UsageRow[] {
  const known = new Map(days.map((day) => [day.key, day]));
  const filled: UsageRow[] = [];
  for (let at = range.since; at < range.until; at += DAY_MS) {
    const key = new Date(at).toISOString().slice(0, 10);
    filled.push(known.get(key) ?? emptyRow(key));
  }
  return filled;
}

function emptyRow(key: string): UsageRow {
  return {
    key,
    executions: 0,
    calls: 0,
    refused: 0,
    failed: 0,
    successfulWrites: 0,
    tasks: 0,
    completedTasks: 0,
    completedExplicit: 0,
    firstTrySuccess: null,
    firstTrySuccessMultiHop: null,
    tokensPerCompletedTask: null,
    costPerSuccessUsd: null,
    finishMsP50: null,
    finishMsP95: null,
    callMsP50: null,
    callMsP95: null,
    costUsd: 0,
    tokensReturned: 0,
    tokensKeptOut: 0,
    modelTokens: null,
  };
}
