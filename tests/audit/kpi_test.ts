import assert from "node:assert/strict";
import fc from "fast-check";
import { createHistogram } from "../../src/audit/histogram.ts";
import {
  computeUsage,
  createUsageMeter,
  USAGE_DIMENSIONS,
  type UsageDimension,
  type UsageReport,
} from "../../src/audit/kpi.ts";
import { renderUsageCsv } from "../../src/audit/usage_csv.ts";
import {
  feedbackEvent,
  FeedbackSchema,
  modelUsageEvent,
  ModelUsageSchema,
} from "../../src/audit/feedback.ts";
import type { AuditActor, AuditEvent, AuditRecord } from "../../src/model/event.ts";

/** Writes records with a clock, as a log would. */
class Recorder {
  readonly records: AuditRecord[] = [];
  #ms = Date.parse("2026-04-01T10:00:00Z");

  wait(ms: number): this {
    this.#ms += ms;
    return this;
  }

  add(event: AuditEvent): this {
    const seq = this.records.length;
    const ts = new Date(this.#ms).toISOString();
    this.records.push({ ...event, v: 1, chain: "main", seq, ts, prev: "" });
    return this;
  }
}

function who(sub: string, client = "cli", groups: string[] = []): AuditActor {
  return { sub, iss: "keys", client, groups, scopes: [] };
}

interface Run {
  actor: AuditActor;
  id: string;
  status?: string;
  calls?: number;
  task?: string;
  trace?: string;
  tool?: string;
  ms?: number;
}

/** One execution that takes `ms`, with calls of a write tool that cost 0.10 each. */
function execute(recorder: Recorder, run: Run): void {
  const { actor, id, status = "ok", calls = 0, tool = "pay.refund", ms = 1_000 } = run;
  const base = {
    actor,
    space: "default",
    execution: id,
    ...(run.task === undefined ? {} : { task: run.task }),
    ...(run.trace === undefined ? {} : { trace: run.trace }),
  };
  recorder.add({ ...base, kind: "execution.start" });
  const [server = "", name = ""] = tool.split(".");
  for (let index = 0; index < calls; index++) {
    recorder.add({
      ...base,
      kind: "call.outcome",
      call: `${id}:${index}`,
      tool: { server, name, access: "write" },
      decision: { effect: "allow", because: [], bundle: "b" },
      result: { status: "ok" },
      cost: 0.1,
      ms: { total: 100 },
    });
  }
  recorder.wait(ms).add({
    ...base,
    kind: "execution.end",
    result: { status, tokensKeptOut: 1_000 },
    detail: { calls, tokensReturned: 50, codeTokens: 30 },
  });
}

async function usage(
  records: AuditRecord[],
  by: UsageDimension = "principal",
): Promise<UsageReport> {
  return await computeUsage(records, { by, usdPerMillionTokens: 3 });
}

Deno.test("a task is the client's id, else the trace, else work without a pause of five minutes", async () => {
  const ada = who("ada");
  const recorder = new Recorder();
  execute(recorder, { actor: ada, id: "a", task: "t1" });
  recorder.wait(3_600_000);
  execute(recorder, { actor: ada, id: "b", task: "t1" });
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  execute(recorder, { actor: ada, id: "c", trace: `00-${trace}-00f067aa0ba902b7-01` });
  execute(recorder, { actor: ada, id: "d", trace: `00-${trace}-11f067aa0ba902b7-01` });
  execute(recorder, { actor: ada, id: "e" });
  recorder.wait(299_000);
  execute(recorder, { actor: ada, id: "f" });
  recorder.wait(301_000);
  execute(recorder, { actor: ada, id: "g" });
  execute(recorder, { actor: who("ada", "console"), id: "h" });
  execute(recorder, { actor: who("bob"), id: "i", task: "t1" });
  const { total } = await usage(recorder.records);
  assert.equal(total.executions, 9);
  assert.equal(total.tasks, 6);
});

Deno.test("first-try success needs one execution that is ok", async () => {
  const recorder = new Recorder();
  execute(recorder, { actor: who("a"), id: "a1", task: "1", calls: 2 });
  execute(recorder, { actor: who("a"), id: "b1", task: "2", status: "error", calls: 2 });
  execute(recorder, { actor: who("a"), id: "b2", task: "2" });
  execute(recorder, { actor: who("a"), id: "c1", task: "3", calls: 3 });
  execute(recorder, { actor: who("a"), id: "c2", task: "3" });
  execute(recorder, { actor: who("a"), id: "d1", task: "4", calls: 1 });
  recorder.add({ kind: "search", actor: who("a"), task: "5", detail: { tokensReturned: 10 } });
  const { total } = await usage(recorder.records);
  assert.equal(total.tasks, 5);
  assert.equal(total.firstTrySuccess, 2 / 4);
  assert.equal(total.firstTrySuccessMultiHop, 1 / 3);
  assert.equal(total.completedTasks, 4);
});

Deno.test("tokens per completed task make failed tasks pay, too", async () => {
  const recorder = new Recorder();
  const a = who("a");
  recorder.add({
    kind: "search",
    actor: a,
    task: "1",
    detail: { tokensReturned: 900 },
    result: { status: "ok", tokensKeptOut: 5_000 },
  });
  execute(recorder, { actor: a, id: "1", task: "1" });
  execute(recorder, { actor: a, id: "2", task: "2", status: "timeout" });
  const { total } = await usage(recorder.records);
  assert.equal(total.gatewayTokens, 900 + 80 + 80);
  assert.equal(total.tokensPerCompletedTask, 1_060);
  assert.equal(total.tokensKeptOut, 5_000 + 1_000 + 1_000);
  assert.equal(total.tokensReturned, 900 + 50 + 50);
  assert.equal(total.modelTokens, null);
});

Deno.test("success is what was reported, else what the last execution says; both are told apart", async () => {
  const recorder = new Recorder();
  const a = who("a");
  execute(recorder, { actor: a, id: "1", task: "1" });
  execute(recorder, { actor: a, id: "2", task: "2" });
  execute(recorder, { actor: a, id: "3", task: "3", status: "error" });
  execute(recorder, { actor: a, id: "4", task: "4", status: "approval_required" });
  execute(recorder, { actor: a, id: "5", task: "5", status: "denied" });
  recorder.add({ kind: "execution.start", actor: a, task: "6", execution: "6" });
  recorder.add(feedbackEvent({ task: "2", success: false }, a));
  recorder.add(feedbackEvent({ execution: "3", success: true, comment: "by hand" }, a));
  const { total } = await usage(recorder.records);
  assert.equal(total.tasks, 6);
  assert.equal(total.completedTasks, 2);
  assert.equal(total.completedExplicit, 1);
});

Deno.test("time to finish ends with the last success, wall and without waiting for people", async () => {
  const recorder = new Recorder();
  const a = who("a");
  recorder.add({ kind: "search", actor: a, task: "1" });
  execute(recorder, { actor: a, id: "1", task: "1", ms: 4_000 });
  recorder.add({
    kind: "approval.decide",
    actor: who("lead"),
    execution: "1",
    ms: { waitHuman: 3_000 },
  });
  execute(recorder, { actor: a, id: "1b", task: "1", status: "error", ms: 90_000 });
  execute(recorder, { actor: a, id: "2", task: "2", ms: 10_000 });
  execute(recorder, { actor: a, id: "3", task: "3", ms: 99_000, status: "error" });
  const { total } = await usage(recorder.records);
  assert.deepEqual([total.finishMsP50, total.finishMsP95], [4_000, 10_000]);
  assert.deepEqual([total.activeMsP50, total.activeMsP95], [1_000, 10_000]);
});

Deno.test("cost per success counts all cost, and only writes that succeeded", async () => {
  const recorder = new Recorder();
  const a = who("a");
  execute(recorder, { actor: a, id: "1", task: "1", calls: 2 });
  const call = {
    kind: "call.outcome" as const,
    actor: a,
    execution: "1",
    call: "1:7",
    tool: { server: "pay", name: "refund", access: "write" as const },
    decision: { effect: "allow" as const, because: [], bundle: "b" },
  };
  recorder.add({ ...call, result: { status: "ERR_UPSTREAM" }, cost: 0.1 });
  recorder.add({ ...call, result: { status: "planned" } });
  recorder.add({ ...call, tool: { ...call.tool, access: "read" }, result: { status: "ok" } });
  recorder.add(
    modelUsageEvent({ task: "1", model: "m", inputTokens: 90_000, outputTokens: 10_000 }, a),
  );
  recorder.add(
    modelUsageEvent({ task: "1", model: "m", inputTokens: 5, outputTokens: 5, usd: 0.4 }, a),
  );
  const { total } = await usage(recorder.records);
  assert.equal(total.successfulWrites, 2);
  assert.ok(Math.abs(total.costUsd - (0.3 + 0.3 + 0.4)) < 1e-9, `${total.costUsd}`);
  assert.ok(Math.abs((total.costPerSuccessUsd ?? 0) - 0.5) < 1e-9);
  assert.ok(Math.abs((total.costPerCompletedTaskUsd ?? 0) - 1) < 1e-9);
  assert.equal(total.modelTokens, 100_010);
});

Deno.test("calls are counted as refused, failed or successful", async () => {
  const recorder = new Recorder();
  const call = (effect: "allow" | "ask" | "deny" | "hidden", status: string): AuditEvent => ({
    kind: "call.outcome",
    actor: who("a"),
    execution: "1",
    tool: { server: "pay", name: "refund", access: "write" },
    decision: { effect, because: [], bundle: "b" },
    result: { status },
    ms: { total: 8 },
  });
  recorder.add(call("allow", "ok")).add(call("allow", "ERR_UPSTREAM"))
    .add(call("allow", "unknown")).add(call("deny", "ERR_POLICY_DENIED"))
    .add(call("hidden", "ERR_TOOL_NOT_FOUND")).add(call("ask", "ERR_APPROVAL_REQUIRED"))
    .add(call("allow", "ERR_LIMIT_REACHED")).add(call("allow", "planned"))
    .add({ ...call("ask", "ok"), approval: "ap" });
  const { rows } = await usage(recorder.records, "tool");
  assert.deepEqual(rows.map(({ key }) => key), ["pay.refund"]);
  assert.deepEqual([rows[0]?.calls, rows[0]?.refused, rows[0]?.failed], [9, 4, 2]);
  assert.ok(Math.abs((rows[0]?.callMsP50 ?? 0) - 8) < 8 * 0.044);
});

Deno.test("a report groups by principal, group, space, tool, client and day", async () => {
  const recorder = new Recorder();
  execute(recorder, { actor: who("ada", "cli", ["fin", "eng"]), id: "1", task: "1", calls: 3 });
  recorder.wait(86_400_000);
  execute(recorder, {
    actor: who("bob", "ide", ["eng"]),
    id: "2",
    task: "2",
    calls: 1,
    tool: "mail.send",
  });
  const keys = async (by: UsageDimension) =>
    (await usage(recorder.records, by)).rows.map((row) => [row.key, row.calls, row.tasks]);
  assert.deepEqual(await keys("principal"), [["ada", 3, 1], ["bob", 1, 1]]);
  assert.deepEqual(await keys("group"), [["eng", 4, 2], ["fin", 3, 1]]);
  assert.deepEqual(await keys("space"), [["default", 4, 2]]);
  assert.deepEqual(await keys("tool"), [["pay.refund", 3, 1], ["mail.send", 1, 1], [
    "(none)",
    0,
    0,
  ]]);
  assert.deepEqual(await keys("client"), [["cli", 3, 1], ["ide", 1, 1]]);
  assert.deepEqual(await keys("day"), [["2026-04-01", 3, 1], ["2026-04-02", 1, 1]]);
  for (const by of USAGE_DIMENSIONS) {
    const report = await usage(recorder.records, by);
    assert.equal(report.total.calls, 4);
    assert.deepEqual(report.days.map(({ key }) => key), ["2026-04-01", "2026-04-02"]);
    assert.equal(report.truncated, false);
  }
});

Deno.test("a report without records has nothing to divide by, and one can be asked for twice", async () => {
  const { total, rows, days } = await usage([]);
  assert.deepEqual([rows, days], [[], []]);
  assert.equal(total.firstTrySuccess, null);
  assert.equal(total.tokensPerCompletedTask, null);
  assert.equal(total.finishMsP50, null);
  const recorder = new Recorder();
  execute(recorder, { actor: who("a"), id: "1", calls: 2 });
  const meter = createUsageMeter({ by: "group", usdPerMillionTokens: 3 });
  for (const record of recorder.records) meter.see(record);
  assert.deepEqual(meter.report(), meter.report());
});

Deno.test("a rehearsal is no try, but its tokens count", async () => {
  const recorder = new Recorder();
  const base = { actor: who("a"), task: "1", execution: "dry" };
  recorder.add({ ...base, kind: "execution.start" });
  recorder.add({
    ...base,
    kind: "execution.end",
    result: { status: "ok" },
    detail: { dryRun: true, tokensReturned: 5, codeTokens: 5 },
  });
  execute(recorder, { actor: who("a"), id: "real", task: "1" });
  const { total } = await usage(recorder.records);
  assert.equal(total.firstTrySuccess, 1);
  assert.equal(total.gatewayTokens, 90);
});

Deno.test("renderUsageCsv() writes a line per row and a total, with formulas disarmed", async () => {
  const recorder = new Recorder();
  execute(recorder, { actor: who("=cmd|x"), id: "1", calls: 1 });
  const csv = renderUsageCsv(await usage(recorder.records));
  const lines = csv.trimEnd().split("\r\n");
  assert.equal(lines.length, 3);
  assert.match(lines[0] ?? "", /^key,searches,executions,calls,/);
  assert.match(lines[1] ?? "", /^'=cmd\|x,0,1,1,/);
  assert.match(lines[2] ?? "", /^total,0,1,1,/);
  assert.equal(new Set(lines.map((line) => line.split(",").length)).size, 1);
});

Deno.test("reports of clients must say what they are about, and nothing unknown", () => {
  assert.equal(FeedbackSchema.safeParse({ success: true }).success, false);
  assert.equal(FeedbackSchema.safeParse({ success: true, task: "t" }).success, true);
  assert.equal(FeedbackSchema.safeParse({ success: 1, task: "t" }).success, false);
  assert.equal(FeedbackSchema.safeParse({ success: true, task: "t", more: 1 }).success, false);
  const usage = { model: "m", inputTokens: 1, outputTokens: 2 };
  assert.equal(ModelUsageSchema.safeParse({ ...usage, trace: "t" }).success, true);
  assert.equal(ModelUsageSchema.safeParse(usage).success, false);
  assert.equal(
    ModelUsageSchema.safeParse({ ...usage, trace: "t", inputTokens: -1 }).success,
    false,
  );
});

Deno.test("createHistogram() has percentiles that are right to 4.4 %", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: 0.02, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 200 }),
    fc.constantFrom(0, 0.5, 0.95, 1),
    (values, share) => {
      const histogram = createHistogram();
      for (const value of values) histogram.add(value);
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] as number;
      const found = histogram.percentile(share) as number;
      assert.ok(Math.abs(found - exact) <= exact * 0.0445, `${found} for ${exact}`);
    },
  ));
  assert.equal(createHistogram().percentile(0.5), null);
});
