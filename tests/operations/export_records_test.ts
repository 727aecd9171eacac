import assert from "node:assert/strict";
import type { AuditRecord } from "../../src/model/event.ts";
import { exportRecords } from "../../src/operations/export_records.ts";
import { recordCall, withAudit } from "./audit_parts.ts";

async function linesOf(response: Response): Promise<readonly AuditRecord[]> {
  return (await response.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("exportRecords() ends a whole export with a checkpoint, and a part of the log with none", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", {});
    const whole = await linesOf(await exportRecords(deps, {}, "jsonl"));
    assert.deepEqual(whole.map(({ kind }) => kind).slice(-3), [
      "call.intent",
      "call.outcome",
      "checkpoint",
    ]);
    const since = await linesOf(await exportRecords(deps, { since: 0 }, "jsonl"));
    assert.equal(since.at(-1)?.kind, "checkpoint");
    const part = await linesOf(await exportRecords(deps, { kind: "call.intent" }, "jsonl"));
    assert.deepEqual(part.map(({ kind }) => kind), ["call.intent"]);
    const first = await linesOf(await exportRecords(deps, { tool: "shop.pay", limit: 1 }, "jsonl"));
    assert.deepEqual(first.map(({ kind }) => kind), ["call.intent"]);
  });
});

Deno.test("exportRecords() leaves out what came after its checkpoint", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", {});
    const response = await exportRecords(deps, {}, "jsonl");
    await recordCall(deps.audit, "e2:0", {});
    const records = await linesOf(response);
    assert.equal(records.some(({ execution }) => execution === "e2"), false);
  });
});

Deno.test("exportRecords() names the type of what it sends", async () => {
  await withAudit(async (deps) => {
    const response = await exportRecords(deps, { kind: "search" }, "csv");
    assert.match(response.headers.get("content-type") ?? "", /^text\/csv/);
    assert.match(await response.text(), /^\w+(,\w+)+/);
  });
});
