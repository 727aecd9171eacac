import assert from "node:assert/strict";
import type { AuditRecord } from "../../src/model/event.ts";
import { findRecords, showRecords, streamRecords } from "../../src/operations/audit.ts";
import { adminActs, recordCall, withAudit } from "./audit_parts.ts";

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
