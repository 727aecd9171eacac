import assert from "node:assert/strict";
import { NO_SUCH_TOOL } from "../../src/usage/kpi.ts";
import { OTHER_GROUPS } from "../../src/usage/usage_table.ts";
import { measure, START_MS, writeLog } from "./usage_fixture.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const refund = { server: "pay", name: "refund", access: "write", pin: "p" } as const;

Deno.test("a task is the client's id, else the trace, else the session, else a pause of five minutes", async () => {
  const log = writeLog();
  log.execute(0, "a", { task: "t1", trace: `00-${TRACE}-00f067aa0ba902b7-01` });
  log.execute(10, "b", { task: "t1" });
  log.execute(20, "c", { task: "session:s1", trace: `00-${TRACE}-00f067aa0ba902b7-01` });
  log.execute(30, "d", { trace: `00-${TRACE}-1111111111111111-01` });
  log.execute(40, "e", { task: "session:s1" });
  log.execute(50, "f");
  log.execute(351, "g"); // 300 seconds after the end of "f"
  log.execute(653, "h"); // 301 seconds after the end of "g"
  log.execute(653, "i", { client: "other" });
  const { total } = await measure(log.records);
  assert.deepEqual(total.tasksBy, { task: 1, trace: 1, session: 1, gap: 3 });
  assert.equal(total.tasks, 6);
  assert.equal(total.executions, 9);
});

Deno.test("one task id of two principals is two tasks", async () => {
  const log = writeLog();
  log.execute(0, "a", { task: "t" });
  log.execute(1, "b", { task: "t", sub: "bob" });
  assert.equal((await measure(log.records)).total.tasks, 2);
});

Deno.test("first-try success needs a first execute that worked and no other", async () => {
  const log = writeLog();
  const two = [{}, {}];
  log.execute(0, "a", { task: "1", calls: two });
  log.execute(1, "b", { task: "2", calls: two, status: "error" });
  log.execute(2, "c", { task: "2", calls: two });
  log.execute(3, "d", { task: "3", calls: [{}] });
  log.execute(4, "e", { task: "4", calls: two });
  log.execute(5, "f", { task: "4" });
  log.add(6, "search", { task: "5", detail: { tokensReturned: 10 } });
  const { total } = await measure(log.records);
  assert.equal(total.tasks, 5);
  assert.equal(total.firstTrySuccess, 2 / 4);
  assert.equal(total.firstTrySuccessMultiHop, 1 / 3);
});

Deno.test("reported and inferred success are counted apart, and a report wins", async () => {
  const log = writeLog();
  log.execute(0, "a", { task: "1" });
  log.execute(1, "b", { task: "2" });
  log.execute(2, "c", { task: "3", status: "error" });
  log.execute(3, "d", { task: "4", status: "error" });
  log.add(10, "admin", { task: "2", client: "cli", detail: { type: "feedback", success: false } });
  log.add(11, "admin", { execution: "c", detail: { type: "feedback", success: true } });
  log.add(12, "admin", { task: "4", sub: "eve", detail: { type: "feedback", success: true } });
  log.add(13, "admin", { task: "9", detail: { type: "feedback", success: true } });
  const { total } = await measure(log.records);
  assert.equal(total.tasks, 4);
  assert.equal(total.completedReported, 1);
  assert.equal(total.failedReported, 1);
  assert.equal(total.completedInferred, 1);
  assert.equal(total.completedTasks, 2);
});

Deno.test("tokens of failed tasks are paid by the completed ones", async () => {
  const log = writeLog();
  log.add(0, "search", { task: "1", detail: { tokensReturned: 100 } });
  log.execute(1, "a", { task: "1", tokens: { code: 50, returned: 30, keptOut: 1_000 } });
  log.execute(2, "b", { task: "2", status: "error", tokens: { code: 20, returned: 0 } });
  log.add(3, "search", {
    task: "3",
    detail: { type: "tools.list", tokensReturned: 400, tokensDefinitions: 90_400 },
  });
  const { total } = await measure(log.records);
  assert.equal(total.tokensDefinitions, 500);
  assert.equal(total.tokensCode, 70);
  assert.equal(total.tokensReturned, 30);
  assert.equal(total.tokensPerCompletedTask, 600);
  assert.equal(total.searches, 1);
  assert.equal(total.tokensKeptOut, 90_000 + 1_000 - 100);
  assert.equal(total.classicUsdEstimate, 90_900 * 3 / 1e6);
});

Deno.test("time to finish is a completed task's, and its active time is without people", async () => {
  const log = writeLog();
  log.execute(0, "a", { task: "1", seconds: 2 });
  log.execute(10, "b", {
    task: "2",
    seconds: 60,
    calls: [{ ms: { total: 50_000, waitHuman: 50_000 } }],
  });
  log.execute(100, "c", { task: "3", seconds: 500, status: "error" });
  const { total } = await measure(log.records);
  assert.equal(total.finishMsP50, 2_000);
  assert.equal(total.finishMsP95, 60_000);
  assert.equal(total.activeMsP95, 10_000);
});

Deno.test("sums of cents are cents", async () => {
  const log = writeLog();
  log.execute(0, "a", { calls: Array(3).fill({ tool: refund, cost: 0.1 }) });
  const { total } = await measure(log.records);
  assert.deepEqual([total.toolUsd, total.costUsd, total.costPerSuccessUsd], [0.3, 0.3, 0.1]);
});

Deno.test("cost is what tools and reported models cost, by successful writes", async () => {
  const log = writeLog();
  log.execute(0, "a", {
    calls: [
      { tool: refund, cost: 0.02 },
      { tool: refund, cost: 0.02, status: "ERR_UPSTREAM" },
      { tool: refund, status: "ERR_POLICY_DENIED" },
      { tool: refund, status: "planned" },
      { cost: 0.01 },
    ],
  });
  const before = await measure(log.records);
  assert.equal(before.total.modelUsd, null);
  assert.equal(before.total.modelInputTokens, null);
  log.add(5, "admin", {
    execution: "a",
    cost: 0.05,
    detail: { type: "usage", model: "m", inputTokens: 900, outputTokens: 100 },
  });
  log.add(6, "admin", { detail: { type: "usage", model: "m", inputTokens: 5, outputTokens: 1 } });
  const { total } = await measure(log.records);
  assert.ok(Math.abs(total.toolUsd - 0.05) < 1e-12);
  assert.equal(total.modelUsd, 0.05);
  assert.equal(total.successfulWrites, 1);
  assert.ok(Math.abs((total.costPerSuccessUsd ?? 0) - 0.1) < 1e-12);
  assert.deepEqual([total.modelInputTokens, total.modelOutputTokens], [905, 101]);
  assert.deepEqual([total.calls, total.refused, total.failed], [5, 1, 1]);
});

Deno.test("what a limit stopped is refused, and a report that is sent again counts once", async () => {
  const log = writeLog();
  log.execute(0, "a", {
    calls: [
      { tool: refund, status: "ERR_LIMIT_REACHED" },
      // A limit that cannot read the amount.
      { tool: refund, status: "ERR_INVALID_ARGUMENTS", detail: { limit: "refunds" } },
      { tool: refund, status: "ERR_UPSTREAM" },
    ],
  });
  const report = (at: number, id: string | null, sub = "ada") =>
    log.add(at, "admin", {
      sub,
      execution: "a",
      cost: 0.1,
      detail: {
        type: "usage",
        model: "m",
        inputTokens: 10,
        outputTokens: 1,
        ...(id === null ? {} : { report: id }),
      },
    });
  for (const at of [3, 4, 5]) report(at, "r1");
  report(6, "r2");
  report(7, "r1", "bob");
  report(8, null);
  report(9, null);
  const { total } = await measure(log.records);
  assert.deepEqual([total.refused, total.failed], [2, 1]);
  assert.deepEqual([total.modelInputTokens, total.modelUsd], [50, 0.5]);
});

Deno.test("rows by tool say which tool fails most; names that do not exist are one row", async () => {
  const log = writeLog();
  log.execute(0, "a", {
    tokens: { returned: 5, code: 7 },
    calls: [
      { tool: refund, status: "ERR_UPSTREAM", ms: { total: 30 } },
      { tool: refund, ms: { total: 10 }, result: { status: "ok", bytes: 400 } },
      { tool: { server: "no", name: "x1" }, status: "ERR_TOOL_NOT_FOUND" },
      { tool: { server: "no", name: "x2" }, status: "ERR_TOOL_NOT_FOUND" },
    ],
  });
  const { rows, total } = await measure(log.records, { by: "tool" });
  const row = (key: string) => rows.find((entry) => entry.key === key);
  assert.deepEqual([row("pay.refund")?.calls, row("pay.refund")?.failed], [2, 1]);
  assert.deepEqual([row("pay.refund")?.executions, row("pay.refund")?.tasks], [1, 1]);
  assert.deepEqual([row("pay.refund")?.callMsP50, row("pay.refund")?.callMsP95], [10, 30]);
  assert.equal(row("pay.refund")?.tokensKeptOut, 100);
  assert.equal(row("pay.refund")?.tokensReturned, 0);
  assert.deepEqual([row(NO_SUCH_TOOL)?.calls, row(NO_SUCH_TOOL)?.refused], [2, 2]);
  assert.equal(total.tokensReturned, 5);
});

Deno.test("what a classic call answers is returned to the model, and kept out of nothing", async () => {
  const log = writeLog();
  log.add(0, "call.outcome", {
    task: "t",
    execution: "x",
    call: "x:0",
    tool: refund,
    result: { status: "ok", bytes: 401 },
    detail: { classic: true },
  });
  const { total } = await measure(log.records);
  assert.equal(total.tokensReturned, 101);
  assert.equal(total.tokensKeptOut, 0);
  assert.equal(total.completedInferred, 1);
  assert.equal(total.firstTrySuccess, null);
});

Deno.test("what a program searches reaches no model", async () => {
  const log = writeLog();
  log.add(0, "search", { execution: "x", call: "x:0", detail: { tokensReturned: 50 } });
  const { total } = await measure(log.records);
  assert.deepEqual([total.searches, total.tokensDefinitions], [0, 0]);
});

Deno.test("rows follow each grouping; who is in two groups counts in both", async () => {
  const log = writeLog();
  log.execute(0, "a", { groups: ["finance", "leads"], space: "shop" });
  log.execute(1, "b", { sub: "bob", client: "ci", groups: [] });
  log.execute(86_400, "c", { sub: "bob", client: "ci", groups: [] });
  const options = { until: START_MS + 3 * 86_400_000 };
  const keys = async (by: "principal" | "group" | "space" | "client" | "day") =>
    (await measure(log.records, { ...options, by })).rows.map((row) => [row.key, row.executions]);
  assert.deepEqual(await keys("principal"), [["bob", 2], ["ada", 1]]);
  assert.deepEqual(await keys("group"), [["", 2], ["finance", 1], ["leads", 1]]);
  assert.deepEqual(await keys("space"), [["default", 2], ["shop", 1]]);
  assert.deepEqual(await keys("client"), [["ci", 2], ["desk", 1]]);
  assert.deepEqual(await keys("day"), [
    ["2026-04-01", 2],
    ["2026-04-02", 1],
    ["2026-04-03", 0],
    ["2026-04-04", 0],
  ]);
});

Deno.test("groups have rows of their own up to the bound; one more shares a row", async () => {
  const log = writeLog();
  for (const sub of ["a", "b", "c"]) log.execute(0, sub, { sub });
  const at = await measure(log.records, { groupsMax: 3 });
  assert.deepEqual(at.rows.map((row) => row.key), ["a", "b", "c"]);
  const above = await measure(log.records, { groupsMax: 2 });
  assert.deepEqual(above.rows.map((row) => row.key), [OTHER_GROUPS, "a", "b"]);
});

Deno.test("as many tasks at once as are remembered, and one above: the quietest ends, and the report says so", async () => {
  const log = writeLog();
  for (const task of ["1", "2", "3", "1"]) log.execute(0, `e${log.records.length}`, { task });
  const at = await measure(log.records, { tasksMax: 3 });
  assert.deepEqual([at.total.tasks, at.tasksAreCut], [3, false]);
  const above = await measure(log.records, { tasksMax: 2 });
  assert.deepEqual([above.total.tasks, above.tasksAreCut], [4, true]);
});

Deno.test("what operators do and who approves is nobody's task", async () => {
  const log = writeLog();
  log.add(0, "admin", { detail: { action: "keys.create" } });
  log.add(1, "approval.decide", { sub: "lead" });
  log.add(2, "auth.fail");
  assert.equal((await measure(log.records)).total.tasks, 0);
});

Deno.test("other work goes on while many records are measured", async () => {
  const log = writeLog();
  for (let n = 0; n < 20_000; n++) log.execute(n, `e${n}`, { calls: [{}, {}] });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const { total } = await measure(log.records);
  clearInterval(timer);
  assert.equal(total.executions, 20_000);
  assert.ok(turns >= 3, `${turns} turns`);
});
