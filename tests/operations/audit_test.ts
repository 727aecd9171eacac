/** What is read of the log: records, exports, calls, executions. In one file, since each loads a whole log. */
import assert from "node:assert/strict";
import type { AuditRecord } from "../../src/model/event.ts";
import { recordKey } from "../../src/model/record_key.ts";
import { findRecords, showRecords, streamRecords } from "../../src/operations/audit.ts";
import { exportRecords } from "../../src/operations/export_records.ts";
import { readCalls } from "../../src/operations/read_calls.ts";
import { openRecordedCall } from "../../src/operations/recorded_call.ts";
import { showExecution } from "../../src/operations/show_execution.ts";
import { adminActs, recordCall, withAudit } from "./audit_parts.ts";
import { ADMIN } from "./operation_parts.ts";

Deno.test("findRecords() pages, and says so where a place in the log is none", async () => {
  await withAudit(async ({ audit }) => {
    await recordCall(audit, "e1:0", {});
    await recordCall(audit, "e1:1", {});
    const first = await findRecords({ audit }, { kind: "call.outcome", limit: 1 });
    assert.deepEqual(first.records.map(({ call }) => call), ["e1:1"]);
    const next = {
      kind: "call.outcome",
      ...(first.next === undefined ? {} : { after: first.next }),
    };
    const second = await findRecords({ audit }, next);
    assert.deepEqual(second.records.map(({ call }) => call), ["e1:0"]);
    await assert.rejects(findRecords({ audit }, { after: "nowhere" }), {
      code: "ERR_BAD_REQUEST",
      message: /^Cannot read the audit log: /,
    });
  });
});

Deno.test("findRecords() passes on what is not the reader's mistake", async () => {
  const audit = { query: () => Promise.reject(new TypeError("broken")) };
  await assert.rejects(findRecords({ audit }, {}), TypeError);
});

Deno.test("showRecords() shows an execution or one call of it, oldest first and without payloads", async () => {
  await withAudit(async ({ audit }) => {
    await recordCall(audit, "e1:0", { args: '{"secret":"hunter2"}' });
    await recordCall(audit, "e1:1", {});
    await recordCall(audit, "e2:0", {});
    const kinds = async (id: string) =>
      (await showRecords({ audit }, id)).records.map(({ kind, call }) => `${call} ${kind}`);
    assert.deepEqual(await kinds("e1:0"), ["e1:0 call.intent", "e1:0 call.outcome"]);
    assert.equal((await kinds("e1")).length, 4);
    assert.equal(JSON.stringify(await showRecords({ audit }, "e1")).includes("hunter2"), false);
    assert.deepEqual(await adminActs(audit), [], "what holds no payload is not recorded");
    for (const id of ["e3", "e1:7", ":0"]) {
      await assert.rejects(showRecords({ audit }, id), { code: "ERR_NOT_FOUND" }, id);
    }
  });
});

Deno.test("streamRecords() sends what matches, and ends with the reader or the service", async () => {
  for (const who of ["reader", "service"] as const) {
    await withAudit(async ({ audit }) => {
      const ends = { reader: new AbortController(), service: new AbortController() };
      const deps = { audit, closing: ends.service.signal };
      const stream = streamRecords(deps, { tool: "shop.pay" }, ends.reader.signal);
      const lines = stream.pipeThrough(new TextDecoderStream()).getReader();
      await recordCall(audit, "e1:0", { tool: "list" });
      await recordCall(audit, "e1:1", {});
      const { value = "" } = await lines.read();
      assert.equal((JSON.parse(value.split("\n")[0] ?? "") as AuditRecord).call, "e1:1");
      ends[who].abort();
      let end = await lines.read();
      while (!end.done) end = await lines.read();
      assert.equal(end.done, true);
    });
  }
});

Deno.test("streamRecords() gives up a reader that is ten thousand records behind, not one before", () => {
  let hear: (record: AuditRecord) => void = () => {};
  const audit = { follow: (listener: typeof hear) => (hear = listener, () => {}) };
  const never = new AbortController().signal;
  const stream = streamRecords({ audit, closing: never }, {}, never);
  const record = { v: 1, chain: "main", seq: 0, ts: "2026-04-01T00:00:00.000Z", prev: "" } as const;
  // One is wanted before the reader reads at all.
  for (let count = 0; count < 10_002; count++) hear({ ...record, kind: "search" });
  const reader = stream.getReader();
  return reader.read().then(async () => {
    hear({ ...record, kind: "search" });
    hear({ ...record, kind: "search" });
    await assert.rejects(reader.read(), /Too slow/);
  });
});

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

Deno.test("readCalls() gives calls with arguments and results, newest first, and records who read them", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", { args: '{"amount":5}' });
    await recordCall(deps.audit, "e1:1", { args: '{"amount":50}', result: '"paid"' });
    await recordCall(deps.audit, "e1:2", { args: '{"amount":500}', tool: "list" });
    const question = { tool: "shop.pay", where: "args.amount > 10", limit: 10 };
    const { calls, ...counts } = await readCalls(deps, ADMIN, question);
    assert.deepEqual(counts, { examined: 2, withoutArguments: 0, more: false });
    assert.deepEqual(
      calls.map(({ call, principal, tool, args, result, effect, because }) => [
        ...[call, principal, tool, args, result, effect],
        ...because,
      ]),
      [["e1:1", "bo", "shop.pay", '{"amount":50}', '"paid"', "allow", "pay"]],
    );
    assert.deepEqual(await adminActs(deps.audit), [
      ["ada", { action: "payloads.read", calls: 1, tool: "shop.pay", where: "args.amount > 10" }],
    ]);
  });
});

Deno.test("readCalls() says of how many calls nobody knows the arguments, and cuts long texts", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", {});
    await recordCall(deps.audit, "e1:1", { args: JSON.stringify({ text: "x".repeat(5_000) }) });
    const matching = await readCalls(deps, ADMIN, { where: "args.amount > 1", limit: 10 });
    assert.deepEqual(matching, { calls: [], examined: 2, withoutArguments: 1, more: false });
    const all = await readCalls(deps, ADMIN, { limit: 10 });
    assert.deepEqual(all.calls.map(({ args }) => args?.length), [4_001, undefined]);
    assert.equal(all.calls[1]?.args, null);
  });
});

Deno.test("readCalls() says whether there may be more than the limit", async () => {
  await withAudit(async (deps) => {
    for (const index of [0, 1, 2]) await recordCall(deps.audit, `e1:${index}`, {});
    const moreAt = async (limit: number) => (await readCalls(deps, ADMIN, { limit })).more;
    assert.deepEqual([await moreAt(2), await moreAt(3), await moreAt(4)], [true, false, false]);
  });
});

Deno.test("readCalls() refuses a condition that cannot be read, and has read nothing then", async () => {
  await withAudit(async (deps) => {
    await assert.rejects(readCalls(deps, ADMIN, { where: "args.amount >", limit: 1 }), {
      code: "ERR_BAD_REQUEST",
      message: /^Cannot read the condition: /,
    });
    assert.deepEqual(await adminActs(deps.audit), []);
  });
});

Deno.test("readCalls() gives nothing without its record", async () => {
  await withAudit(async (deps) => {
    await recordCall(deps.audit, "e1:0", {});
    const append = () => Promise.reject(new Error("The log is full"));
    const broken = { ...deps, audit: { ...deps.audit, append } };
    await assert.rejects(readCalls(broken, ADMIN, { limit: 1 }), /The log is full/);
  });
});

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
