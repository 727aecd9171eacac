import assert from "node:assert/strict";
import { openAuditLog } from "../../src/audit/audit_log.ts";
import { loadExecution } from "../../src/audit/load_execution.ts";
import { GateError } from "../../src/model/errors.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { CONFIG, intent, outcome } from "./audit_fixture.ts";

Deno.test("loadExecution() reads the program, its calls in order, and the outcome", async () => {
  const log = await openAuditLog({ store: createMemoryStore(), chain: "main", config: CONFIG });
  const actor = intent("x:0").actor;
  await log.append(
    { kind: "execution.start", execution: "x", space: "s", ...(actor ? { actor } : {}) },
    { code: JSON.stringify("return await tools.pay.get({})") },
  );
  await log.append(intent("x:1", "pay.get"), { args: '{"id":1}' });
  await log.append(intent("x:0", "pay.get"), { args: '{"id":0}' });
  await log.append(outcome("x:1", "pay.get"), { result: '{"n":1}' });
  await log.append({
    ...outcome("x:2", "pay.delete"),
    decision: { effect: "deny", because: ["no"], bundle: "b" },
    result: { status: "ERR_POLICY_DENIED" },
    err: { code: "ERR_POLICY_DENIED", message: "no" },
  }, { args: '{"id":2}' });
  await log.append(outcome("x:0", "pay.get"), { result: '{"n":0}' });
  await log.append(outcome("y:0", "pay.get"), { result: "other" });
  const running = await loadExecution(log, "x");
  assert.equal(running.outcome, null);
  await log.append({ kind: "execution.end", execution: "x", result: { status: "ok" } }, {
    result: "[0,1]",
  });
  const found = await loadExecution(log, "x");
  assert.equal(found.code, "return await tools.pay.get({})");
  assert.equal(found.space, "s");
  assert.deepEqual(found.actor, actor);
  assert.deepEqual(found.outcome, {
    status: "ok",
    result: "[0,1]",
    error: null,
    totalMs: null,
  });
  assert.deepEqual(found.settings, { seed: null, timeoutMs: null, dryRun: false });
  assert.deepEqual(found.missing, []);
  assert.deepEqual(
    found.calls.map((call) => [call.index, call.tool, call.args, call.result, call.completion]),
    [
      [0, "get", '{"id":0}', '{"n":0}', 2],
      [1, "get", '{"id":1}', '{"n":1}', 0],
      [2, "delete", '{"id":2}', null, 1],
    ],
  );
  assert.equal(found.calls[2]?.error?.code, "ERR_POLICY_DENIED");
  assert.equal(found.calls[2]?.effect, "deny");
  assert.match(found.calls[0]?.argsCommit ?? "", /^[0-9a-f]{64}$/);
  await log.close();
});

Deno.test("loadExecution() says what is not kept any more, and knows no other executions", async () => {
  const log = await openAuditLog({ store: createMemoryStore(), chain: "main", config: CONFIG });
  const start = await log.append({ kind: "execution.start", execution: "x" }, { code: '"1"' });
  const called = await log.append(intent("x:0"), { args: "{}" });
  const done = await log.append(outcome("x:0"), { result: "1" });
  for (const record of [start, called, done]) await log.erase(record, undefined);
  const found = await loadExecution(log, "x");
  assert.deepEqual(found.missing, [
    "The program is not kept any more",
    "The arguments of pay.refund (call 0) are not kept",
    "The result of pay.refund (call 0) is not kept",
  ]);
  await assert.rejects(loadExecution(log, "nothing"), (error) => {
    return error instanceof GateError && error.code === "ERR_NOT_FOUND";
  });
  await log.close();
});
