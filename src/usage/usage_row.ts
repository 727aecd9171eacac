import { createDistribution, type Distribution } from "./distribution.ts";
import { TASK_SOURCES, type TaskSource } from "./task_key.ts";

/** The ways to group usage. */
export const USAGE_BY = ["principal", "group", "space", "tool", "client", "day"] as const;
export type UsageBy = (typeof USAGE_BY)[number];

/**
 * Usage of one group over a period. Null: there is nothing to divide by, or no client reported it.
 *
 * Token counts are estimates, except those of models, which clients reported.
 */
export interface UsageFigures {
  /** Name of the group, or the day as `2026-04-01`. */
  readonly key: string;
  readonly executions: number;
  readonly searches: number;
  readonly calls: number;
  /** Calls that policy, a limit or a missing approval stopped, or whose tool is hidden. */
  readonly refused: number;
  /** Calls that were allowed and did not work. */
  readonly failed: number;
  /** Writes and destructive calls that worked. */
  readonly successfulWrites: number;
  readonly tasks: number;
  /** Numbers of tasks by how their records were recognized as one task. */
  readonly tasksBy: { readonly [source in TaskSource]: number };
  /** Completed by report, or without one by inference: the last execute (or call) worked. */
  readonly completedTasks: number;
  /** Tasks that a client reported as done. */
  readonly completedReported: number;
  /** Tasks that a client reported as not done. */
  readonly failedReported: number;
  /** Tasks without a report whose last execute (or call) worked. */
  readonly completedInferred: number;
  /** 0 to 1: the first execute worked and was the only one, of all tasks with an execute. */
  readonly firstTrySuccess: number | null;
  /** The same among tasks whose first execute made two calls or more. */
  readonly firstTrySuccessMultiHop: number | null;
  /** Milliseconds from a completed task's first record to its last. */
  readonly finishMsP50: number | null;
  readonly finishMsP95: number | null;
  /** The same without the time that people took for approvals. */
  readonly activeMsP50: number | null;
  readonly activeMsP95: number | null;
  /** Milliseconds of one call through the gate. */
  readonly callMsP50: number | null;
  readonly callMsP95: number | null;
  /** US dollars for calls, by the prices in the policy. */
  readonly toolUsd: number;
  /** US dollars that clients reported for their models; null if none did. */
  readonly modelUsd: number | null;
  /** `toolUsd` and `modelUsd` together. */
  readonly costUsd: number;
  /** `costUsd` divided by successful writes. */
  readonly costPerSuccessUsd: number | null;
  /** Tokens of definitions that models read: listed tools and search answers. */
  readonly tokensDefinitions: number;
  /** Tokens of programs that models wrote. */
  readonly tokensCode: number;
  /** Tokens of results that models read. */
  readonly tokensReturned: number;
  /** These three token counts of all tasks, divided by completed tasks. */
  readonly tokensPerCompletedTask: number | null;
  /** Tokens of inner results and definitions, less the part that models did read. */
  readonly tokensKeptOut: number;
  /** Estimated cost of the kept-out tokens, had a model read them. */
  readonly classicUsdEstimate: number;
  readonly modelInputTokens: number | null;
  readonly modelOutputTokens: number | null;
}

/** The facts that an ended task adds to its rows. */
export interface TaskFacts {
  readonly source: TaskSource;
  readonly reported: boolean | null;
  /** Null: the task has neither an execute nor a call. */
  readonly worked: boolean | null;
  readonly executions: number;
  readonly firstExecuteOk: boolean;
  readonly firstExecuteCalls: number;
  readonly wallMs: number;
  readonly waitHumanMs: number;
}

/** The sums behind one row. */
export interface UsageSums {
  executions: number;
  searches: number;
  calls: number;
  refused: number;
  failed: number;
  successfulWrites: number;
  toolUsd: number;
  tokensDefinitions: number;
  tokensCode: number;
  tokensReturned: number;
  /** Tokens of inner results and definitions, less the part that was sent; may be negative. */
  tokensKeptOut: number;
  model: { usd: number | null; inputTokens: number; outputTokens: number } | null;
  readonly callMs: Distribution;
  addTask(task: TaskFacts): void;
  figures(key: string, usdPerMillionTokens: number): UsageFigures;
}

export function createUsageSums(): UsageSums {
  const tasks = createTaskSums();
  const sums: UsageSums = {
    executions: 0,
    searches: 0,
    calls: 0,
    refused: 0,
    failed: 0,
    successfulWrites: 0,
    toolUsd: 0,
    tokensDefinitions: 0,
    tokensCode: 0,
    tokensReturned: 0,
    tokensKeptOut: 0,
    model: null,
    callMs: createDistribution(),
    addTask: tasks.add,
    figures: (key, usdPerMillionTokens) => ({
      key,
      executions: sums.executions,
      searches: sums.searches,
      calls: sums.calls,
      refused: sums.refused,
      failed: sums.failed,
      successfulWrites: sums.successfulWrites,
      ...tasks.figures(),
      callMsP50: sums.callMs.quantile(0.5),
      callMsP95: sums.callMs.quantile(0.95),
      ...costFigures(sums),
      ...tokenFigures(sums, tasks.completed(), usdPerMillionTokens),
    }),
  };
  return sums;
}

type TaskFigures = Pick<
  UsageFigures,
  | "tasks"
  | "tasksBy"
  | "completedTasks"
  | "completedReported"
  | "completedInferred"
  | "failedReported"
  | "firstTrySuccess"
  | "firstTrySuccessMultiHop"
  | "finishMsP50"
  | "finishMsP95"
  | "activeMsP50"
  | "activeMsP95"
>;

/** The ended tasks of one row. */
interface TaskSums {
  add(task: TaskFacts): void;
  completed(): number;
  figures(): TaskFigures;
}

function createTaskSums(): TaskSums {
  const tasksBy = { task: 0, trace: 0, session: 0, gap: 0 };
  const finishMs = createDistribution();
  const activeMs = createDistribution();
  const tries = { all: 0, first: 0, multiHop: 0, multiHopFirst: 0 };
  const counts = { reported: 0, inferred: 0, failedReported: 0 };
  const completed = () => counts.reported + counts.inferred;
  return {
    completed,
    add(task) {
      tasksBy[task.source]++;
      if (task.reported === true) counts.reported++;
      else if (task.reported === false) counts.failedReported++;
      else if (task.worked) counts.inferred++;
      if (task.reported ?? task.worked) {
        finishMs.add(task.wallMs);
        activeMs.add(task.wallMs - task.waitHumanMs);
      }
      if (task.executions === 0) return;
      const isFirstTry = task.executions === 1 && task.firstExecuteOk;
      tries.all++;
      if (isFirstTry) tries.first++;
      if (task.firstExecuteCalls < 2) return;
      tries.multiHop++;
      if (isFirstTry) tries.multiHopFirst++;
    },
    figures: () => ({
      tasks: TASK_SOURCES.reduce((sum, source) => sum + tasksBy[source], 0),
      tasksBy: { ...tasksBy },
      completedTasks: completed(),
      completedReported: counts.reported,
      failedReported: counts.failedReported,
      completedInferred: counts.inferred,
      firstTrySuccess: divide(tries.first, tries.all),
      firstTrySuccessMultiHop: divide(tries.multiHopFirst, tries.multiHop),
      finishMsP50: finishMs.quantile(0.5),
      finishMsP95: finishMs.quantile(0.95),
      activeMsP50: activeMs.quantile(0.5),
      activeMsP95: activeMs.quantile(0.95),
    }),
  };
}

type CostFigures = Pick<UsageFigures, "toolUsd" | "modelUsd" | "costUsd" | "costPerSuccessUsd">;

function costFigures(sums: UsageSums): CostFigures {
  const toolUsd = roundUsd(sums.toolUsd);
  const modelUsd = roundUsd(sums.model?.usd ?? null);
  const costUsd = roundUsd(toolUsd + (modelUsd ?? 0));
  const costPerSuccessUsd = roundUsd(divide(costUsd, sums.successfulWrites));
  return { toolUsd, modelUsd, costUsd, costPerSuccessUsd };
}

type TokenFigures = Pick<
  UsageFigures,
  | "tokensDefinitions"
  | "tokensCode"
  | "tokensReturned"
  | "tokensPerCompletedTask"
  | "tokensKeptOut"
  | "classicUsdEstimate"
  | "modelInputTokens"
  | "modelOutputTokens"
>;

function tokenFigures(
  sums: UsageSums,
  completedTasks: number,
  usdPerMillionTokens: number,
): TokenFigures {
  const { tokensDefinitions, tokensCode, tokensReturned } = sums;
  const tokensKeptOut = Math.max(0, sums.tokensKeptOut);
  const tokens = tokensDefinitions + tokensCode + tokensReturned;
  return {
    tokensDefinitions,
    tokensCode,
    tokensReturned,
    tokensPerCompletedTask: divide(tokens, completedTasks),
    tokensKeptOut,
    classicUsdEstimate: roundUsd((tokensKeptOut * usdPerMillionTokens) / 1e6),
    modelInputTokens: sums.model?.inputTokens ?? null,
    modelOutputTokens: sums.model?.outputTokens ?? null,
  };
}

function divide(amount: number, by: number): number | null {
  return by === 0 ? null : amount / by;
}

/** Removes the binary rounding noise of a sum of cents before it is shown. */
function roundUsd<T extends number | null>(usd: T): T {
  return (usd === null ? null : Math.round(usd * 1e9) / 1e9) as T;
}
