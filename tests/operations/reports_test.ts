import assert from "node:assert/strict";
import { GateError } from "../../src/model/errors.ts";
import { reportFeedback, reportModelUsage, reportSuccess } from "../../src/operations/reports.ts";
import { ADMIN, BUYER, callerOf } from "./operation_parts.ts";
import { actorParts, recordCall, type TestAudit, withAudit } from "./audit_parts.ts";

const admit = () => Promise.resolve();

async function reported({ audit }: TestAudit): Promise<readonly unknown[]> {
  const { records } = await audit.query({ kind: "admin" });
  return records.filter(({ detail }) => ["feedback", "usage"].includes(String(detail?.type)))
    .map(({ actor, task, trace, execution, space, cost, detail }) => ({
      who: actor?.sub,
      about: task ?? trace ?? execution,
      ...(space === undefined ? {} : { space }),
      ...(cost === undefined ? {} : { cost }),
      detail,
    })).toReversed();
}

Deno.test("people report on a task and on executions of their own, and get the place in the log", async () => {
  await withAudit(async (parts) => {
    const deps = { ...parts, admit };
    await parts.audit.append({ kind: "execution.start", execution: "e1", ...actorParts(BUYER) });
    await recordCall(parts.audit, "e2:0", {});
    const report = { execution: "e1", success: true, note: "fine" };
    const { chain, seq } = await reportFeedback(deps, BUYER, report);
    assert.equal(chain, "main");
    const [newest] = (await parts.audit.query({ limit: 1 })).records;
    assert.equal(newest?.seq, seq);
    await reportFeedback(deps, BUYER, { task: "t1", success: false });
    const tokens = { model: "m", inputTokens: 1, outputTokens: 2 };
    await reportModelUsage(deps, BUYER, { ...tokens, execution: "e2", usd: 0.5, id: "r1" });
    assert.deepEqual(await reported(parts), [
      { who: "bo", about: "e1", detail: { type: "feedback", success: true, comment: "fine" } },
      { who: "bo", about: "t1", detail: { type: "feedback", success: false } },
      { who: "bo", about: "e2", cost: 0.5, detail: { type: "usage", ...tokens, report: "r1" } },
    ]);
  });
});

Deno.test("somebody else's execution answers like one that does not exist, and nothing is recorded", async () => {
  await withAudit(async (parts) => {
    const deps = { ...parts, admit };
    await recordCall(parts.audit, "e1:0", { principal: ADMIN });
    await recordCall(parts.audit, "e2:0", { principal: { ...BUYER, issuer: "another" } });
    for (const execution of ["e1", "e2", "e3"]) {
      const refused = { code: "ERR_NOT_FOUND", message: `You have no execution "${execution}"` };
      await assert.rejects(reportFeedback(deps, BUYER, { execution, success: true }), refused);
      const tokens = { model: "m", inputTokens: 1, outputTokens: 2 };
      await assert.rejects(reportModelUsage(deps, BUYER, { ...tokens, execution }), refused);
    }
    assert.deepEqual(await reported(parts), []);
  });
});

Deno.test("a used up budget refuses a report before anything is read", async () => {
  await withAudit(async (parts) => {
    const deps = {
      ...parts,
      audit: { ...parts.audit, query: () => assert.fail("read the log") },
      admit: () => Promise.reject(new GateError("ERR_BUSY", "Used up", { hint: "" })),
    };
    const report = { execution: "e1", success: true };
    await assert.rejects(reportFeedback(deps, BUYER, report), { code: "ERR_BUSY" });
  });
});

Deno.test("reportSuccess() is about the execution, else about the request's task or trace, and fails nothing", async () => {
  await withAudit(async (parts) => {
    const logged: unknown[] = [];
    const log = (...line: unknown[]) => void logged.push(line);
    const deps = { ...parts, admit, log };
    await recordCall(parts.audit, "e1:0", {});
    const caller = callerOf(BUYER, "till");
    const exchange = { task: "t1", traceparent: null };
    await reportSuccess(deps, caller, { success: true, execution: "e1" }, exchange);
    await reportSuccess(deps, caller, { success: true }, exchange);
    await reportSuccess(deps, caller, { success: false }, {
      task: null,
      traceparent: "00-aa-bb-01",
    });
    assert.deepEqual(logged, []);
    await reportSuccess(deps, caller, { success: true, execution: "e9" }, exchange);
    assert.match(JSON.stringify(logged), /Cannot record what a client reported/);
    const feedback = (success: boolean) => ({ type: "feedback", success });
    assert.deepEqual(await reported(parts), [
      { who: "bo", about: "e1", space: "till", detail: feedback(true) },
      { who: "bo", about: "t1", space: "till", detail: feedback(true) },
      { who: "bo", about: "00-aa-bb-01", space: "till", detail: feedback(false) },
    ]);
  });
});
