import type { UsageFigures } from "../usage/usage_row.ts";

/** Figures that every row has. */
type RowNames =
  | "key"
  | "executions"
  | "calls"
  | "refused"
  | "failed"
  | "tasks"
  | "completedTasks"
  | "firstTrySuccess"
  | "tokensPerCompletedTask"
  | "costPerSuccessUsd"
  | "finishMsP50"
  | "finishMsP95"
  | "costUsd"
  | "tokensReturned"
  | "tokensKeptOut";

/** One row of usage; what else was measured is shown where it is given. */
export type UsageRow = Pick<UsageFigures, RowNames> & Partial<UsageFigures>;

/** Usage of one period; a `Usage` is one. Token counts are estimates. */
export interface UsageReport {
  readonly total: UsageRow;
  /** The group that was asked for, most expensive first. */
  readonly rows: readonly UsageRow[];
  /** Each day of the period (UTC), oldest first. */
  readonly days: readonly UsageRow[];
  /** True: more tasks ran at once than are remembered, so that some count as two. */
  readonly tasksAreCut?: boolean;
  /** The same. */
  readonly truncated?: boolean;
}
