import assert from "node:assert/strict";
import { createUsageSums, type TaskFacts } from "../../src/usage/usage_row.ts";

const TASK: TaskFacts = {
  source: "task",
  reported: null,
  worked: true,
  executions: 1,
  firstExecuteOk: true,
  firstExecuteCalls: 2,
  wallMs: 1_000,
  waitHumanMs: 400,
};

Deno.test("a row without anything has no rates: there is nothing to divide by", () => {
  const figures = createUsageSums().figures("k", 3);
  assert.equal(figures.key, "k");
  assert.equal(figures.tasks, 0);
  const nulls = [
    figures.firstTrySuccess,
    figures.firstTrySuccessMultiHop,
    figures.finishMsP50,
    figures.activeMsP95,
    figures.callMsP50,
    figures.modelUsd,
    figures.costPerSuccessUsd,
    figures.tokensPerCompletedTask,
    figures.modelInputTokens,
  ];
  assert.deepEqual(nulls, nulls.map(() => null));
  assert.deepEqual([figures.toolUsd, figures.costUsd, figures.classicUsdEstimate], [0, 0, 0]);
});

Deno.test("a report outweighs what was inferred, and only completed tasks have a time", () => {
  const sums = createUsageSums();
  sums.addTask(TASK);
  sums.addTask({ ...TASK, reported: false, wallMs: 9_000 });
  sums.addTask({ ...TASK, source: "gap", reported: true, worked: false, wallMs: 3_000 });
  sums.addTask({ ...TASK, worked: null, executions: 0 });
  const figures = sums.figures("", 3);
  assert.equal(figures.tasks, 4);
  assert.deepEqual(figures.tasksBy, { task: 3, trace: 0, session: 0, gap: 1 });
  assert.deepEqual(
    [figures.completedTasks, figures.completedReported, figures.completedInferred],
    [2, 1, 1],
  );
  assert.equal(figures.failedReported, 1);
  assert.deepEqual([figures.finishMsP50, figures.finishMsP95], [1_000, 3_000]);
  assert.deepEqual([figures.activeMsP50, figures.activeMsP95], [600, 2_600]);
});

Deno.test("the first try counts where there was one, and more calls count apart", () => {
  const sums = createUsageSums();
  sums.addTask(TASK);
  sums.addTask({ ...TASK, executions: 2 });
  sums.addTask({ ...TASK, firstExecuteOk: false });
  sums.addTask({ ...TASK, firstExecuteCalls: 1 });
  sums.addTask({ ...TASK, executions: 0 });
  const { firstTrySuccess, firstTrySuccessMultiHop } = sums.figures("", 3);
  assert.equal(firstTrySuccess, 2 / 4);
  assert.equal(firstTrySuccessMultiHop, 1 / 3);
});

Deno.test("money is the sum of tools and models, without the noise of binary cents", () => {
  const sums = createUsageSums();
  for (let n = 0; n < 3; n++) sums.toolUsd += 0.1;
  sums.successfulWrites = 3;
  sums.model = { usd: 0.3, inputTokens: 7, outputTokens: 8 };
  const figures = sums.figures("", 3);
  assert.deepEqual(
    [figures.toolUsd, figures.modelUsd, figures.costUsd, figures.costPerSuccessUsd],
    [0.3, 0.3, 0.6, 0.2],
  );
  assert.deepEqual([figures.modelInputTokens, figures.modelOutputTokens], [7, 8]);
  sums.model = { usd: null, inputTokens: 1, outputTokens: 1 };
  assert.equal(sums.figures("", 3).modelUsd, null, "tokens without a price cost nothing known");
});

Deno.test("tokens that were kept out are never less than none, and cost what a model would", () => {
  const sums = createUsageSums();
  sums.tokensKeptOut = -5;
  assert.equal(sums.figures("", 3).tokensKeptOut, 0);
  sums.tokensKeptOut = 2_000_000;
  sums.tokensCode = 10;
  sums.tokensReturned = 20;
  sums.tokensDefinitions = 30;
  sums.addTask(TASK);
  const figures = sums.figures("", 3);
  assert.equal(figures.classicUsdEstimate, 6);
  assert.equal(figures.tokensPerCompletedTask, 60);
});
