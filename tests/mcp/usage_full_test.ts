import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import assert from "node:assert/strict";
import type { UsageAnswer } from "../../src/operations/usage.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import { type TestApp, withApp } from "../fakes/app.ts";

async function withClient(test: TestApp, use: (client: Client) => Promise<void>): Promise<void> {
  const { url } = await test.app.listen();
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

const run = (client: Client, code: string, meta: { readonly [name: string]: unknown }) =>
  client.callTool({ name: "execute", arguments: { code }, _meta: meta });

async function reportsOf(test: TestApp): Promise<AuditRecord[]> {
  const { records } = await test.json<{ records: AuditRecord[] }>("GET", "/audit?kind=admin");
  return records.filter((record) => record.detail?.type === "feedback").toReversed();
}

/** Records that are written beside the answer come a little later. */
async function listingsOf(test: TestApp, count: number): Promise<AuditRecord[]> {
  for (let tries = 0; tries < 200; tries++) {
    const { records } = await test.json<{ records: AuditRecord[] }>("GET", "/audit?kind=search");
    const lists = records.filter((record) => record.detail?.type === "tools.list");
    if (lists.length >= count) return lists;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("The lists were not recorded");
}

Deno.test("a client reports success with a request: of its task, or of one execution", async () => {
  await withApp({}, async (test) => {
    await withClient(test, async (client) => {
      await run(client, "throw new Error('no')", { "toolgate/task": "t1" });
      await run(client, "return 1", { "toolgate/task": "t2" });
      await run(client, "return 2", { "toolgate/task": "t1", "toolgate/success": true });
      const third = await run(client, "return 3", { "toolgate/task": "t3" });
      const { executionId: execution } = third.structuredContent as { executionId: string };
      await run(client, "return 4", {
        "toolgate/task": "t2",
        "toolgate/success": { execution, success: false },
      });
      const reports = await reportsOf(test);
      assert.deepEqual(
        reports.map(({ task, execution, detail }) => [task, execution, detail?.success]),
        [["t1", undefined, true], [undefined, execution, false]],
      );
      const { total } = await test.json<UsageAnswer>("GET", "/usage?by=space");
      assert.equal(total.tasksBy.task, 3);
      assert.deepEqual(
        [total.completedReported, total.failedReported, total.completedInferred],
        [1, 1, 1],
      );
    });
  });
});

Deno.test("a report of another form, or of nobody's execution, fails nothing and counts for nothing", async () => {
  await withApp({}, async (test) => {
    await withClient(test, async (client) => {
      const wrong = ["yes", 1, null, {}, { success: "yes", execution: "x" }, { success: true }, {
        success: true,
        execution: "x".repeat(201),
      }, { success: true, execution: "not-mine" }];
      for (const report of wrong) {
        const answer = await run(client, "return 1", { "toolgate/success": report });
        assert.equal(answer.isError, false, JSON.stringify(report));
      }
      assert.deepEqual(await reportsOf(test), []);
    });
  });
});

Deno.test("a list of tools is recorded with what it cost and what all definitions would have cost", async () => {
  await withApp({}, async (test) => {
    await test.json("GET", "/tools"); // the catalog is there
    await withClient(test, async (client) => {
      await client.listTools();
      const [list] = await listingsOf(test, 1);
      const detail = list?.detail as { readonly [name: string]: number };
      assert.equal(detail.tools, 2);
      assert.ok((detail.definitions ?? 0) > 10);
      assert.ok((detail.tokensDefinitions ?? 0) > 1_000);
      const { total } = await test.json<UsageAnswer>("GET", "/usage");
      assert.equal(total.searches, 0);
      assert.equal(total.tokensDefinitions, detail.tokensReturned);
      assert.equal(
        total.tokensKeptOut,
        Math.max(0, (detail.tokensDefinitions ?? 0) - (detail.tokensReturned ?? 0)),
      );
    });
  });
  await withApp({ spaces: { default: { mode: "classic" } } }, async (test) => {
    await withClient(test, async (client) => {
      await client.listTools();
      await client.callTool({ name: "orders__get", arguments: { id: "ord-00001" } });
      await listingsOf(test, 1);
      const { total } = await test.json<UsageAnswer>("GET", "/usage");
      assert.ok(total.tokensDefinitions > 1_000);
      assert.ok(total.tokensKeptOut < 100, `${total.tokensKeptOut}`);
      assert.ok(total.tokensReturned > 0);
      assert.equal(total.completedInferred, 1);
    });
  });
});
