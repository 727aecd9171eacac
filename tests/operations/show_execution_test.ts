import assert from "node:assert/strict";
import { recordKey } from "../../src/model/record_key.ts";
import { openRecordedCall } from "../../src/operations/recorded_call.ts";
import { showExecution } from "../../src/operations/show_execution.ts";
import { ADMIN } from "./operation_parts.ts";
import { adminActs, recordCall, withAudit } from "./audit_parts.ts";

Deno.test("showExecution() opens payloads only when it is asked to, and records that", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", { args: '{"amount":5}' });
    const plain = await showExecution(deps, ADMIN, "e1", null);
    assert.equal(plain?.payloads, null);
    assert.deepEqual(plain?.records.map(({ kind }) => kind), ["call.intent", "call.outcome"]);
    assert.deepEqual(await adminActs(deps.audit), []);
    const full = await showExecution(deps, ADMIN, "e1", { call: null });
    const [intent] = full?.records ?? [];
    assert.ok(intent);
    assert.equal(full?.payloads?.get(recordKey(intent))?.args, '{"amount":5}');
    await showExecution(deps, ADMIN, "e1", { call: "e1:0" });
    const read = { action: "payloads.read", execution: "e1" };
    assert.deepEqual(await adminActs(deps.audit), [
      ["ada", { ...read, call: "e1:0" }],
      ["ada", read],
    ]);
  });
});

Deno.test("showExecution() knows no execution that the log does not know, and records nothing of it", async () => {
  await withAudit(async (deps) => {
    assert.equal(await showExecution(deps, ADMIN, "e1", { call: null }), null);
    assert.deepEqual(await adminActs(deps.audit), []);
  });
});

Deno.test("openRecordedCall() gives arguments only when it may open them, and records that", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", { args: '{"amount":5}' });
    const closed = await openRecordedCall(deps, ADMIN, "e1:0", false);
    assert.deepEqual([closed?.tool, closed?.sub, closed?.argsText], ["shop.pay", "bo", null]);
    assert.equal(await openRecordedCall(deps, ADMIN, "e1:9", true), null);
    assert.deepEqual(await adminActs(deps.audit), []);
    const opened = await openRecordedCall(deps, ADMIN, "e1:0", true);
    assert.equal(opened?.argsText, '{"amount":5}');
    assert.deepEqual(await adminActs(deps.audit), [
      ["ada", { action: "payloads.read", execution: "e1", call: "e1:0" }],
    ]);
  });
});
