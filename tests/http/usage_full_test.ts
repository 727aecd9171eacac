import assert from "node:assert/strict";
import type { UsageAnswer } from "../../src/operations/usage.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import { type TestApp, withApp } from "../fakes/app.ts";

const LIST = `return (await tools.orders.list({ since: "2026-04-01" })).length`;

async function makeKey(test: TestApp, name: string, scopes?: readonly string[]): Promise<string> {
  const made = await test.json<{ key: string }>("POST", "/keys", { name, scopes });
  return made.key;
}

async function status(response: Response): Promise<number> {
  await response.body?.cancel();
  return response.status;
}

Deno.test("usage counts what ran, and what it would have cost with classic tools", async () => {
  await withApp({ pricing: { usdPerMillionTokens: 10 } }, async (test) => {
    const { usage } = await test.execute(LIST);
    await test.execute(`return await tools.orders.nothing({})`);
    const answer = await test.json<UsageAnswer>("GET", "/usage?by=tool");
    assert.equal(answer.total.executions, 2);
    assert.deepEqual([answer.total.calls, answer.total.refused], [2, 1]);
    assert.equal(answer.total.tokensKeptOut, usage.tokensKeptOut);
    assert.ok(usage.tokensKeptOut > 1_000);
    assert.equal(answer.total.classicUsdEstimate, usage.tokensKeptOut * 10 / 1e6);
    assert.deepEqual(answer.rows.map((row) => row.key), ["(no such tool)", "orders.list"]);
    assert.equal(answer.days.length, 31);
    assert.equal(answer.days.at(-1)?.executions, 2);
    const none = await test.json<UsageAnswer>("GET", "/usage?since=1000&until=2000");
    assert.equal(none.total.executions, 0);
  });
});

Deno.test("usage as CSV keeps a name that looks like a formula a text", async () => {
  await withApp({ auth: "keys" }, async (test) => {
    const key = await makeKey(test, `=HYPERLINK("x"),1`);
    assert.equal(await status(await test.ask("POST", "/execute", { code: LIST }, key)), 200);
    const response = await test.ask("GET", "/usage?by=principal&format=csv");
    assert.match(response.headers.get("content-type") ?? "", /^text\/csv/);
    const [head, ...rows] = (await response.text()).trimEnd().split("\r\n");
    assert.match(head ?? "", /^principal,cost_usd,.*classic_usd_estimate/);
    assert.equal(rows.length, 1);
    assert.ok(rows[0]?.startsWith(`"'=HYPERLINK(""x""),1",0,`), rows[0]);
  });
});

Deno.test("usage needs scope audit, a known grouping, and a period that begins before it ends", async () => {
  await withApp({ auth: "keys" }, async (test) => {
    const runner = await makeKey(test, "runner", ["execute"]);
    assert.equal(await status(await test.ask("GET", "/usage", undefined, runner)), 403);
    const reader = await makeKey(test, "reader", ["audit"]);
    assert.equal(await status(await test.ask("GET", "/usage", undefined, reader)), 200);
    assert.equal(await status(await test.ask("GET", "/usage?by=planet")), 400);
    assert.equal(await status(await test.ask("GET", "/usage?from=5")), 400);
    assert.equal(await status(await test.ask("GET", "/usage?since=5&until=5")), 400);
    assert.equal(await status(await test.ask("GET", "/usage?since=5&until=6")), 200);
    const feedback = { task: "t", success: true };
    assert.equal(await status(await test.ask("POST", "/feedback", feedback, reader)), 403);
  });
});

Deno.test("clients report success and model tokens of their own executions, and nobody else's", async () => {
  await withApp({ auth: "keys" }, async (test) => {
    const [ada, bob] = [await makeKey(test, "ada"), await makeKey(test, "bob")];
    const { executionId: execution } = await test.json<{ executionId: string }>(
      "POST",
      "/execute",
      { code: `throw new Error("half done")` },
      ada,
    );
    const feedback = { execution, success: true, note: "it was enough" };
    const foreign = await test.ask("POST", "/feedback", feedback, bob);
    const missing = await test.ask("POST", "/feedback", { ...feedback, execution: "none" }, bob);
    assert.deepEqual([foreign.status, missing.status], [404, 404]);
    assert.equal(
      (await foreign.text()).replaceAll(execution, "none"),
      await missing.text(),
    );
    const recorded = await test.json<{ seq: number }>("POST", "/feedback", feedback, ada);
    const used = { execution, model: "m", inputTokens: 1_200, outputTokens: 80, usd: 0.01 };
    assert.equal(await status(await test.ask("POST", "/usage", used, bob)), 404);
    await test.json("POST", "/usage", used, ada);
    const { records } = await test.json<{ records: AuditRecord[] }>("GET", "/audit?kind=admin");
    const [usage, found] = records;
    assert.equal(found?.seq, recorded.seq);
    assert.equal(found?.detail?.type, "feedback");
    assert.equal(found?.execution, execution);
    assert.equal(usage?.detail?.type, "usage");
    const { rows, total } = await test.json<UsageAnswer>("GET", "/usage");
    assert.equal(total.completedReported, 1);
    assert.equal(total.completedInferred, 0);
    const row = rows.find(({ key }) => key === "ada");
    assert.deepEqual([row?.modelUsd, row?.modelInputTokens, row?.modelOutputTokens], [
      0.01,
      1200,
      80,
    ]);
  });
});

Deno.test("a report is about exactly one thing, and its fields have bounds", async () => {
  await withApp({}, async (test) => {
    const used = { task: "t", model: "m", inputTokens: 1, outputTokens: 1 };
    assert.equal(await status(await test.ask("POST", "/usage", used)), 201);
    assert.equal(await status(await test.ask("POST", "/usage", { ...used, execution: "e" })), 400);
    assert.equal(await status(await test.ask("POST", "/feedback", { success: true })), 400);
    assert.equal(await status(await test.ask("POST", "/usage", { ...used, inputTokens: -1 })), 400);
    const feedback = (length: number) =>
      test.ask("POST", "/feedback", { task: "t", success: true, note: "x".repeat(length) });
    assert.equal(await status(await feedback(1_000)), 201);
    assert.equal(await status(await feedback(1_001)), 400);
  });
});
