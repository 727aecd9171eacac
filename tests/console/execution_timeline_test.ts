import assert from "node:assert/strict";
import { recordKey } from "../../src/model/record_key.ts";
import { buildTimeline } from "../../src/console/execution_timeline.ts";
import { renderReasons } from "../../src/model/verdict.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import { EXECUTIONS, shopRecords } from "./shop_records.ts";

function timelineOf(id: string, payloads: { [key: string]: object } | null = null) {
  const records = shopRecords().filter((record) => record.execution === id);
  const timeline = buildTimeline(id, {
    records,
    payloads: payloads === null ? null : new Map(
      records.map((record) => [recordKey(record), payloads[record.kind] ?? {}]),
    ),
    unopened: new Set(),
    truncated: false,
  });
  assert.ok(timeline);
  return timeline;
}

Deno.test("buildTimeline() puts calls in their order with their decisions and costs", () => {
  const timeline = timelineOf(EXECUTIONS.denied);
  assert.equal(timeline.status, "denied");
  assert.equal(timeline.totalMs, 420);
  assert.ok(Math.abs(timeline.cost - 0.004) < 1e-9);
  assert.deepEqual(
    timeline.calls.map((
      call,
    ) => [call.index, call.name, call.effect, call.status, renderReasons(call.reasons)]),
    [
      [0, "list", "allow", "ok", "rule read"],
      [1, "batchGet", "allow", "ok", "rule read"],
      [2, "update", "deny", "ERR_POLICY_DENIED", "rule no-cancelling"],
    ],
  );
  assert.equal(timeline.calls[1]?.offsetMs, 194);
  assert.equal(timeline.calls[0]?.upstreamMs, 144);
  assert.equal(timeline.codeText, null);
  assert.equal(timeline.logs, null);
});

Deno.test("buildTimeline() reads program, result, arguments and logs where they are kept", () => {
  const timeline = timelineOf(EXECUTIONS.failed, {
    "execution.start": { code: JSON.stringify("return 1;\n") },
    "execution.end": { result: "1", logs: '[{"level":"warn","text":"late"}]' },
    "call.intent": { args: '{"since":"x"}' },
    "call.outcome": { args: '{"id":"y"}', result: "[]" },
  });
  assert.equal(timeline.codeText, "return 1;\n");
  assert.equal(timeline.resultText, "1");
  assert.deepEqual(timeline.logs, [{ level: "warn", text: "late" }]);
  assert.equal(timeline.errorLine, 6);
  assert.equal(timeline.calls[0]?.argsText, '{"since":"x"}');
  assert.equal(timeline.calls[1]?.argsText, '{"id":"y"}');
});

Deno.test("a result that was too large is told with its size and whether it is kept", () => {
  const records = shopRecords().filter(({ execution }) => execution === EXECUTIONS.failed);
  const oversizeOf = (detail: { readonly [name: string]: unknown }) =>
    buildTimeline(EXECUTIONS.failed, {
      records: records.map((record) =>
        record.kind === "execution.end" ? { ...record, detail } : record
      ),
      payloads: null,
      unopened: new Set(),
      truncated: false,
    })?.oversize;
  assert.deepEqual(oversizeOf({ oversizeBytes: 2_100_000, kept: true }), {
    bytes: 2_100_000,
    isKept: true,
  });
  assert.deepEqual(oversizeOf({ oversizeBytes: 5, kept: false }), { bytes: 5, isKept: false });
  assert.equal(oversizeOf({}), null);
});

Deno.test("a program kept as plain text, or logs that are none, do no harm", () => {
  const timeline = timelineOf(EXECUTIONS.ok, {
    "execution.start": { code: "return 2;" },
    "execution.end": { logs: "{broken" },
  });
  assert.equal(timeline.codeText, "return 2;");
  assert.equal(timeline.logs, null);
});

Deno.test("an execution under way has calls without an outcome and no end", () => {
  const records = shopRecords().filter((record) =>
    record.execution === EXECUTIONS.running && record.kind !== "call.outcome"
  );
  const timeline = buildTimeline("x", {
    records,
    payloads: null,
    unopened: new Set(),
    truncated: false,
  });
  assert.equal(timeline?.isRunning, true);
  assert.equal(timeline?.status, "running");
  assert.equal(timeline?.calls[0]?.status, null);
  assert.equal(timeline?.calls[0]?.effect, "running");
});

Deno.test("a call is placed by what was measured, else by the clock of the log", () => {
  const records = shopRecords().filter((record) => record.execution === EXECUTIONS.ok);
  const measured = records.map((record) =>
    record.kind === "call.outcome" ? { ...record, ms: { ...record.ms, at: 400 } } : record
  );
  const view = { payloads: null, unopened: new Set<string>(), truncated: false };
  const byClock = buildTimeline("x", { ...view, records });
  assert.deepEqual(byClock?.calls.map((call) => call.offsetMs), [14, 230]);
  const byMeasure = buildTimeline("x", { ...view, records: measured });
  assert.deepEqual(byMeasure?.calls.map((call) => [call.index, call.offsetMs]), [
    [0, 400 - 212],
    [1, 400 - 96],
  ]);
});

Deno.test("buildTimeline() answers null without records, and takes a lone record", () => {
  assert.equal(
    buildTimeline("x", { records: [], payloads: null, unopened: new Set(), truncated: false }),
    null,
  );
  const lone = shopRecords().find((record) => record.kind === "call.outcome") as AuditRecord;
  const timeline = buildTimeline("x", {
    records: [lone],
    payloads: null,
    unopened: new Set(),
    truncated: true,
  });
  assert.equal(timeline?.calls.length, 1);
  assert.equal(timeline?.truncated, true);
});
