/** The audit log over the API: filters, the stream, exports that prove themselves. */
import assert from "node:assert/strict";
import { verifyAuditExport } from "../../src/audit/verify/verify_audit.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import { type TestApp, withApp } from "../fakes/app.ts";

interface Problem {
  readonly status: number;
  readonly message: string;
}

async function refused(test: TestApp, path: string): Promise<Problem> {
  const response = await test.ask("GET", path);
  assert.equal(response.status, 400, path);
  return await response.json();
}

const records = async (test: TestApp, query: string): Promise<readonly AuditRecord[]> =>
  (await test.json<{ records: AuditRecord[] }>("GET", `/audit?${query}`)).records;

Deno.test("a filter that cannot be meant is refused, not passed over", async () => {
  await withApp({}, async (test) => {
    assert.match((await refused(test, "/audit?principle=ada")).message, /principle/);
    assert.match((await refused(test, "/audit?effect=denied")).message, /effect.*"deny"/);
    assert.match((await refused(test, "/audit?kind=call")).message, /kind.*"call.intent"/);
    assert.match((await refused(test, "/audit?since=yesterday")).message, /since/);
    for (const path of ["/audit", "/audit/export", "/audit/calls"]) {
      const { message } = await refused(test, `${path}?since=5&until=5`);
      assert.match(message, /since is not before until/, path);
    }
    assert.match((await refused(test, "/audit/export?format=xml")).message, /format.*"parquet"/);
    assert.deepEqual(await records(test, "effect=hidden&since=5&until=6"), []);
  });
});

Deno.test("the stream takes the same filters as the list, patterns too", async () => {
  await withApp({}, async (test) => {
    const stream = await test.ask("GET", "/audit/stream?tool=orders.*&kind=call.outcome");
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert.ok(reader);
    await test.execute(`await tools.customers.list({}); return await tools.orders.list({});`);
    const { value = "" } = await reader.read();
    const record: AuditRecord = JSON.parse(value);
    assert.deepEqual([record.kind, record.tool?.server], ["call.outcome", "orders"]);
    await reader.cancel();
  });
});

Deno.test("an export of everything ends with a checkpoint, and proves itself", async () => {
  await withApp({}, async (test) => {
    await test.execute(`return await tools.orders.list({ since: "2026-04-01" })`);
    const lines = async () => {
      const text = await (await test.ask("GET", "/audit/export")).text();
      return text.trimEnd().split("\n");
    };
    const first = await lines();
    assert.equal(JSON.parse(first.at(-1) ?? "").kind, "checkpoint");
    assert.deepEqual(await lines(), first, "nothing happened, so no checkpoint was needed");
    const key = JSON.parse(first[0] ?? "").detail.key;
    const report = await verifyAuditExport(first, { verifierKeys: [key] });
    assert.deepEqual([report.ok, report.records], [true, first.length]);
    // Who has no key cannot make up what came later, nor leave out the checkpoint.
    const cut = await verifyAuditExport(first.slice(0, -1), { verifierKeys: [key] });
    assert.equal(cut.firstBad?.kind, "unsigned");
    const part = (await (await test.ask("GET", "/audit/export?kind=search")).text()).trim();
    assert.equal(part, "");
  });
});

Deno.test("who is turned away is on record, with a credential that does not reach, too", async () => {
  await withApp({ auth: "keys" }, async (test) => {
    const { key } = await test.json<{ key: string }>("POST", "/keys", {
      name: "runner",
      scopes: ["execute"],
    });
    const codes = await Promise.all([
      test.ask("GET", "/audit", undefined, "tg_wrong"),
      test.ask("GET", "/audit", undefined, key),
    ]);
    assert.deepEqual(codes.map(({ status }) => status), [401, 403]);
    for (const response of codes) await response.body?.cancel();
    const found = await records(test, "kind=auth.fail");
    assert.deepEqual(
      found.map(({ actor, err, detail }) => [err?.code, actor?.sub, detail?.path]).toSorted(),
      [
        ["ERR_FORBIDDEN", "runner", "/api/v1/audit"],
        ["ERR_UNAUTHENTICATED", undefined, "/api/v1/audit"],
      ],
    );
    const metrics = await test.app.fetch(
      new Request("http://127.0.0.1/metrics", {
        headers: { authorization: `Bearer ${test.app.localToken}` },
      }),
    );
    assert.match(await metrics.text(), /^toolgate_auth_failures_total 2$/m);
  });
});
