import { createDistribution, type Distribution } from "./distribution.ts";
import { TASK_SOURCES, type TaskSource } from "./task_key.ts";

/** What usage is grouped by. */
export const USAGE_BY = ["principal", "group", "space", "tool", "client", "day"] as const;
export type UsageBy = (typeof USAGE_BY)[number];

/**
 * Usage of one group over a period. Null: there is nothing to divide by, or nobody reported it.
 *
 * Token counts are estimates, except those of models, which are what clients reported.
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
  /** What made the tasks one each. */
  readonly tasksBy: { readonly [source in TaskSource]: number };
  /** As reported where somebody did, else as inferred: the last execute (or call) worked. */
  readonly completedTasks: number;
  /** Tasks that somebody reported as done. */
  readonly completedReported: number;
  /** Tasks that somebody reported as not done. */
  readonly failedReported: number;
  /** Tasks nobody reported on whose last execute (or call) worked. */
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
  /** Prices of the policy, US dollars. */
  readonly toolUsd: number;
  /** US dollars that clients reported for their models; null if none did. */
  readonly modelUsd: number | null;
  /** Both together. */
  readonly costUsd: number;
  /** Cost of everything, by successful writes. */
  readonly costPerSuccessUsd: number | null;
  /** Definitions that models read: of listed tools and of search answers. */
  readonly tokensDefinitions: number;
  /** Programs that models wrote. */
  readonly tokensCode: number;
  /** Results that models read. */
  readonly tokensReturned: number;
  /** All three, of all tasks, by completed tasks. */
  readonly tokensPerCompletedTask: number | null;
  /** Inner results and definitions that no model read, less what models did read of them. */
  readonly tokensKeptOut: number;
  /** What those would have cost as input of the model: an estimate. */
  readonly classicUsdEstimate: number;
  readonly modelInputTokens: number | null;
  readonly modelOutputTokens: number | null;
}

/** What a task adds to its rows once it is over. */
export interface TaskFacts {
  readonly source: TaskSource;
  readonly reported: boolean | null;
  /** Null: it has neither an execute nor a call. */
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
  /** Inner results and definitions, less what was sent of them; may be negative. */
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

/** The tasks of one row that are over. */
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

/** A sum of cents in binary ends in noise, which a showback must not show. */
function roundUsd<T extends number | null>(usd: T): T {
  return (usd === null ? null : Math.round(usd * 1e9) / 1e9) as T;
}
