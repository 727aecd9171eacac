import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import type { Tool } from "../../../src/model/tool.ts";
import { runPolicyTests } from "../../../src/policy/check/policy_tests.ts";
import { parsePolicy } from "../../../src/policy/file/parse_policy.ts";
import { compilePolicy } from "../../../src/policy/policy.ts";
import { createDemoRows } from "../../../src/upstream/demo/demo_rows.ts";
import { callOf, openTestUpstreams } from "../../fakes/upstream_parts.ts";

const DEMO = { demo: true };

interface Order {
  readonly id: string;
  readonly customerId: string;
  readonly date: string;
  readonly total: number;
}

async function value(upstreams: ReturnType<typeof openTestUpstreams>, name: string, args = {}) {
  const [server = "", tool = ""] = name.split(".");
  const answer = await upstreams.call(callOf(server, tool, args));
  assert.equal(answer.isError, false, JSON.stringify(answer.content));
  return answer.structuredContent;
}

/** The demo's tools as the catalog would name them, without its pins and identifiers. */
async function demoTools(): Promise<Tool[]> {
  await using upstreams = openTestUpstreams({}, DEMO);
  const tools: Tool[] = [];
  for (const server of upstreams.servers) {
    for (const raw of (await upstreams.list(server)).tools) {
      const definition = raw as Pick<Tool, "name" | "title" | "description" | "inputSchema"> & {
        outputSchema: Tool["outputSchema"];
        annotations: { readOnlyHint: boolean };
      };
      tools.push({
        id: `${server}.${definition.name}`,
        server,
        name: definition.name,
        serverIdentifier: server,
        identifier: definition.name,
        kind: "tool",
        title: definition.title,
        description: definition.description,
        inputSchema: definition.inputSchema,
        outputSchema: definition.outputSchema,
        hints: { readOnly: definition.annotations.readOnlyHint },
        tags: [],
        http: null,
        pin: "0".repeat(64),
      });
    }
  }
  return tools;
}

Deno.test("the demo joins orders with customers, and at least three are over 100", async () => {
  await using upstreams = openTestUpstreams({}, DEMO);
  assert.deepEqual(upstreams.servers, ["customers", "orders", "invoices", "calendar"]);
  const orders = await value(upstreams, "orders.list", { since: "2026-04-01" }) as Order[];
  assert.ok(Array.isArray(orders));
  assert.ok(orders.every(({ date }) => date >= "2026-04-01"));
  const all = await value(upstreams, "orders.list") as Order[];
  assert.equal(all.length, 4_000);
  assert.ok(orders.length > 500 && orders.length < 2_000, `${orders.length} orders`);
  const customers = await value(upstreams, "customers.batchGet", {
    ids: orders.map((order) => order.customerId),
  }) as { [id: string]: { name: string } };
  const joined = orders.map((order) => ({ ...order, customer: customers[order.customerId] }))
    .filter((order) => order.total > 100).slice(0, 3);
  assert.equal(joined.length, 3);
  assert.ok(joined.every(({ customer }) => typeof customer?.name === "string"));
});

Deno.test("the demo's rows are the same every time", () => {
  const first = createDemoRows();
  const second = createDemoRows();
  assert.deepEqual([...first.orders.values()], [...second.orders.values()]);
  assert.deepEqual([...first.invoices.values()], [...second.invoices.values()]);
  assert.equal(first.orders.get("ord-04000")?.date, "2026-06-30");
});

Deno.test("what the demo writes lasts, and what it hands out is a copy", async () => {
  await using upstreams = openTestUpstreams({}, DEMO);
  const before = await value(upstreams, "orders.get", { id: "ord-00001" }) as { note: string };
  before.note = "changed by the caller";
  await value(upstreams, "orders.update", { id: "ord-00001", note: "call back" });
  const after = await value(upstreams, "orders.get", { id: "ord-00001" }) as { note: string };
  assert.equal(after.note, "call back");
  const created = await value(upstreams, "calendar.createEvent", {
    title: "Tea",
    start: "2026-04-01T15:00:00Z",
    end: "2026-04-01T15:30:00Z",
  }) as { id: string };
  const events = await value(upstreams, "calendar.listEvents", { from: "2026-04-01" }) as {
    id: string;
  }[];
  assert.ok(events.some(({ id }) => id === created.id));
  await using fresh = openTestUpstreams({}, DEMO);
  const untouched = await value(fresh, "orders.get", { id: "ord-00001" }) as { note: string };
  assert.equal(untouched.note, "");
});

Deno.test("a demo tool answers with an error of its own", async () => {
  await using upstreams = openTestUpstreams({}, DEMO);
  const answer = await upstreams.call(callOf("orders", "get", { id: "ord-99999" }));
  assert.equal(answer.isError, true);
  assert.deepEqual(answer.content, [{ type: "text", text: 'There is no order "ord-99999"' }]);
  const refund = await upstreams.call(
    callOf("orders", "refund", { id: "ord-00001", amount: 1e6, reason: "all" }),
  );
  assert.equal(refund.isError, true);
  await assert.rejects(
    upstreams.call(callOf("orders", "list", {}, { resultBytesMax: 10_000 })),
    (error) => error instanceof GateError && error.code === "ERR_UPSTREAM_RESULT",
  );
});

Deno.test("the demo's policy has no problem with the demo's tools, and its tests pass", async () => {
  const path = new URL("../../../policies/demo.yaml", import.meta.url);
  const document = parsePolicy([{ path: "demo.yaml", text: await Deno.readTextFile(path) }]);
  const { policy, problems } = compilePolicy(document, await demoTools());
  assert.deepEqual(problems, []);
  const report = runPolicyTests(policy, await demoTools());
  assert.deepEqual(report.failures, []);
  assert.equal(report.passed, document.tests.length);
});
