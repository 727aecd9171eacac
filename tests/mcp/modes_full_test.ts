import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { type TestApp, withApp } from "../fakes/app.ts";

const POLICY = `
version: 1
name: modes
tools: { orders: { read: [list, get], write: [update] }, customers: { read: ["*"] } }
rules:
  - { id: read, allow: read }
  - { id: update, allow: write, tools: [orders.update], when: 'args.id != "ord-00001"' }
`;

async function withClient(
  test: TestApp,
  use: (client: Client) => Promise<void>,
  options: { readonly path?: string; readonly mode?: "auto" | "legacy" } = {},
): Promise<void> {
  const { url } = await test.app.listen();
  const client = new Client({ name: "test", version: "1" }, {
    versionNegotiation: { mode: options.mode ?? "auto" },
  });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}${options.path ?? "/mcp"}`)),
  );
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

const namesOf = async (client: Client) =>
  (await client.listTools()).tools.map((tool) => tool.name).sort();

for (const mode of ["auto", "legacy"] as const) {
  Deno.test(`a space in classic mode offers the visible tools as they are (${mode})`, async () => {
    await withApp({ policy: POLICY, spaces: { default: { mode: "classic" } } }, async (test) => {
      await withClient(test, async (client) => {
        assert.deepEqual(
          await namesOf(client),
          [
            "customers__batchGet",
            "customers__delete_",
            "customers__get",
            "customers__list",
            "customers__update",
            "orders__get",
            "orders__list",
            "orders__update",
          ].filter((name) => !/delete_|customers__update/.test(name) || POLICY.includes('["*"]')),
        );
        const { tools } = await client.listTools();
        const list = tools.find((tool) => tool.name === "orders__list");
        assert.equal(list?.annotations?.readOnlyHint, true);

        const order = await client.callTool({
          name: "orders__get",
          arguments: { id: "ord-00002" },
        });
        assert.equal((order.structuredContent as { id: string }).id, "ord-00002");
        const denied = await client.callTool({
          name: "orders__update",
          arguments: { id: "ord-00001", note: "x" },
        });
        assert.equal(denied.isError, true);
        assert.match(JSON.stringify(denied.content), /ERR_POLICY_DENIED/);
        await assert.rejects(
          client.callTool({ name: "orders__refund", arguments: {} }),
          /Unknown tool/,
        );
        await assert.rejects(
          client.callTool({ name: "execute", arguments: { code: "1" } }),
          /Unknown tool/,
        );
      }, { mode });
      const { records } = await test.json<{ records: { decision: { effect: string } }[] }>(
        "GET",
        "/audit?kind=call.outcome",
      );
      assert.deepEqual(records.map((record) => record.decision.effect).sort(), ["allow", "deny"]);
    });
  });
}

Deno.test("a hybrid space offers named tools beside search and execute", async () => {
  const spaces = { default: { mode: "hybrid", classic: ["orders.get"] } };
  await withApp({ policy: POLICY, spaces }, async (test) => {
    await withClient(test, async (client) => {
      assert.deepEqual(await namesOf(client), ["execute", "orders__get", "search"]);
      const ran = await client.callTool({
        name: "execute",
        arguments: { code: `return (await tools.customers.list({ limit: 1 })).length` },
      });
      assert.equal((ran.structuredContent as { result: unknown }).result, 1);
    });
  });
});

Deno.test("a pass space offers one upstream under its own names, through the gate", async () => {
  const spaces = { default: { mode: "pass", upstream: "orders" } };
  await withApp({ policy: POLICY, spaces }, async (test) => {
    await withClient(test, async (client) => {
      assert.deepEqual(await namesOf(client), ["get", "list", "update"]);
      const denied = await client.callTool({
        name: "update",
        arguments: { id: "ord-00001", note: "x" },
      });
      assert.match(JSON.stringify(denied.content), /ERR_POLICY_DENIED/);
    });
  });
});

Deno.test("in code mode a hidden tool, a visible one and a missing one are equally unknown to tools/call", async () => {
  await withApp({ policy: POLICY }, async (test) => {
    await withClient(test, async (client) => {
      assert.deepEqual(await namesOf(client), ["execute", "search"]);
      for (const name of ["orders__get", "orders__delete_", "nothing"]) {
        await assert.rejects(client.callTool({ name, arguments: {} }), /Unknown tool/);
      }
    });
  });
});

Deno.test("a client that goes away ends its program", async () => {
  await withApp({}, async (test) => {
    await withClient(test, async (client) => {
      const gone = new AbortController();
      const call = client.callTool({
        name: "execute",
        arguments: { code: `await tools.orders.list({}); /* ${"x".repeat(2_000)} */ for (;;) {}` },
      }, { signal: gone.signal });
      const stopped = assert.rejects(call);
      await waitFor(async () => (await auditKinds(test)).includes("call.outcome"));
      gone.abort();
      await stopped;
      await waitFor(async () => (await auditKinds(test)).includes("execution.end"));
      const { records } = await test.json<
        { records: { kind: string; result?: { status: string } }[] }
      >(
        "GET",
        "/audit?kind=execution.end",
      );
      assert.equal(records[0]?.result?.status, "cancelled");
    });
  });
});

Deno.test("progress is reported while a program runs, if the client asks for it", async () => {
  await withApp({}, async (test) => {
    await withClient(test, async (client) => {
      const progress: number[] = [];
      await client.callTool({
        name: "execute",
        arguments: {
          code: `for (let i = 0; i < 3; i++) await tools.orders.get({ id: "ord-00001" }); return 1`,
        },
      }, { onprogress: (report) => progress.push(report.progress) });
      assert.deepEqual(progress, [1, 2, 3]);
    });
  });
});

async function auditKinds(test: TestApp): Promise<string[]> {
  const { records } = await test.json<{ records: { kind: string }[] }>("GET", "/audit?limit=100");
  return records.map((record) => record.kind);
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 15_000;
  while (!await condition()) {
    assert.ok(Date.now() < until, "waited too long");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
