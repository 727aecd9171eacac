import assert from "node:assert/strict";
import type { AuditRecord } from "../src/model/event.ts";
import type { SearchAnswer } from "../src/model/search.ts";
import { createApp } from "../src/app.ts";
import { ConfigSchema } from "../src/config/schema.ts";
import { type TestApp, withApp } from "./fakes/app.ts";
import { rawServer, temporaryJournal, until } from "./fakes/upstream_parts.ts";

/** At the default isolation level, which the other tests of the service do without. */
const withService: typeof withApp = (config, use) =>
  withApp({ sandbox: { warm: 1 }, ...config }, use);

const JOIN = `
const orders = await tools.orders.list({ since: "2026-04-01" });
const customers = await tools.customers.batchGet({ ids: orders.map((o) => o.customerId) });
return orders.map((o) => ({ ...o, customer: customers[o.customerId] })).filter((o) => o.total > 100).slice(0, 3);`;

const POLICY = `
version: 1
name: two-teams
groups: { sales: { claim: groups, has: sales }, office: { claim: groups, has: office } }
tools:
  orders: { read: [list, get], write: [update] }
  customers: { read: ["*"] }
  invoices: { read: [list, get] }
  calendar: { read: [listEvents] }
spaces:
  shop: { for: [sales], tools: [orders.*, customers.*] }
  desk: { for: [office], tools: [calendar.*, invoices.*] }
rules:
  - { id: read, allow: read }
  - { id: small-updates, allow: write, tools: [orders.update], when: 'args.id != "ord-00001"' }
`;

async function auditOf(test: TestApp, execution: string): Promise<AuditRecord[]> {
  const { records } = await test.json<{ records: AuditRecord[] }>("GET", `/audit/${execution}`);
  return records;
}

Deno.test("the program that joins orders and customers returns three rows, fully audited", async () => {
  await withService({}, async (test) => {
    const execution = await test.execute(JOIN);
    assert.equal(execution.status, "ok", JSON.stringify(execution.error));
    const rows = execution.result as {
      total: number;
      customer: { id: string };
      customerId: string;
    }[];
    assert.equal(rows.length, 3);
    assert.ok(rows.every((row) => row.total > 100 && row.customer.id === row.customerId));
    assert.ok(execution.usage.bytesKeptOut > 10_000);

    const records = await auditOf(test, execution.executionId);
    assert.deepEqual(records.map((record) => record.kind), [
      "execution.start",
      "call.intent",
      "call.outcome",
      "call.intent",
      "call.outcome",
      "execution.end",
    ]);
    assert.match(records[0]?.code?.sha256 ?? "", /^[0-9a-f]{64}$/);
    assert.equal(records[2]?.decision?.effect, "allow");
    assert.ok((records[2]?.ms?.total ?? -1) >= 0);
  });
});

Deno.test("what policy hides is absent from search and types, and calling it says it does not exist", async () => {
  await withService({ policy: POLICY, auth: "keys" }, async (test) => {
    const key = async (group: string) =>
      (await test.json<{ key: string }>("POST", "/keys", { name: group, groups: [group] })).key;
    const [sales, office] = [await key("sales"), await key("office")];

    for (
      const [token, sees, hidden, tool] of [
        [sales, "orders", "calendar", "listEvents"],
        [office, "calendar", "orders", "list"],
      ]
    ) {
      const found = await test.json<SearchAnswer>(
        "POST",
        "/search",
        { query: `list ${hidden}`, limit: 50 },
        token,
      );
      assert.ok(found.hits.every((hit) => hit.server !== hidden));
      assert.ok(!found.declarations.includes(`${hidden}.`));
      const types = await (await test.ask("GET", "/types", undefined, token)).text();
      assert.ok(
        types.includes(`  ${sees}: {`) && !types.includes(`  ${hidden}: {`),
        types.slice(0, 300),
      );
      const known = await test.json<{ status: string; error: { code: string; message: string } }>(
        "POST",
        "/execute",
        { code: `return await tools.${hidden}.${tool}({})` },
        token,
      );
      const unknown = await test.json<typeof known>(
        "POST",
        "/execute",
        { code: `return await tools.nothing.${tool}({})` },
        token,
      );
      assert.equal(known.error.code, "ERR_TOOL_NOT_FOUND");
      assert.equal(known.status, unknown.status);
      assert.equal(
        known.error.message.replaceAll(String(hidden), "x"),
        unknown.error.message.replaceAll("nothing", "x"),
      );
    }
    const foreign = await test.ask("POST", "/search?x", { query: "", space: "desk" }, sales);
    const missing = await test.ask("POST", "/search?x", { query: "", space: "none" }, sales);
    assert.equal(foreign.status, 404);
    assert.equal(missing.status, 404);
    await foreign.body?.cancel();
    await missing.body?.cancel();
    const noAudit = await test.ask("GET", "/audit", undefined, sales);
    assert.equal(noAudit.status, 403);
    await noAudit.body?.cancel();
  });
});

Deno.test("a call denied for its arguments names the rule, and both refusals are in the audit", async () => {
  await withService({ policy: POLICY, auth: "keys" }, async (test) => {
    const { key } = await test.json<{ key: string }>("POST", "/keys", {
      name: "s",
      groups: ["sales"],
    });
    const execution = await test.json<
      { executionId: string; status: string; error: { code: string; message: string } }
    >(
      "POST",
      "/execute",
      { code: `await tools.orders.update({ id: "ord-00001", note: "x" })` },
      key,
    );
    assert.equal(execution.status, "denied");
    assert.equal(execution.error.code, "ERR_POLICY_DENIED");
    const records = await auditOf(test, execution.executionId);
    assert.equal(records[1]?.decision?.effect, "deny");
    assert.equal(records.at(-1)?.result?.status, "denied");
  });
});

Deno.test("a revoked or expired key is refused from the next request on", async () => {
  await withService({ auth: "keys" }, async (test) => {
    const created = await test.json<{ id: string; key: string }>("POST", "/keys", { name: "k" });
    const search = () => test.ask("POST", "/search", { query: "orders" }, created.key);
    assert.equal((await search()).status, 200);
    await test.json("DELETE", `/keys/${created.id}`);
    const refused = await search();
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get("content-type") ?? "", /problem\+json/);
    assert.equal((await test.ask("GET", "/keys", undefined, "tg_0_x")).status, 401);
    const listed = await test.json<{ keys: unknown[] }>("GET", "/keys");
    assert.ok(!JSON.stringify(listed).includes("secret"));
  });
});

Deno.test("a result over its limit is kept as a resource for the same principal only", async () => {
  await withService({ limits: { resultBytesMax: 2_000 } }, async (test) => {
    const execution = await test.execute(`return "x".repeat(5000)`);
    assert.equal(execution.status, "error");
    assert.equal(execution.error?.code, "ERR_SANDBOX_RESULT_SIZE");
    assert.match(execution.handle?.uri ?? "", /^toolgate:\/\/executions\/.+\/result$/);
    assert.equal(execution.handle?.bytes, 5_002);
  });
});

Deno.test("a dry run plans writes, makes none, and says so", async () => {
  await withService({ policies: "open" }, async (test) => {
    const before = await test.execute(`return (await tools.orders.get({ id: "ord-00001" })).note`);
    const dry = await test.execute(
      `await tools.orders.update({ id: "ord-00001", note: "changed" }); return "done"`,
      { dryRun: true },
    );
    assert.equal(dry.status, "ok", JSON.stringify(dry.error));
    assert.deepEqual(dry.planned, [{
      tool: "orders.update",
      args: { id: "ord-00001", note: "changed" },
    }]);
    const after = await test.execute(`return (await tools.orders.get({ id: "ord-00001" })).note`);
    assert.equal(after.result, before.result);
  });
});

Deno.test("programs find tools by themselves, within what their caller may see", async () => {
  await withService({}, async (test) => {
    const execution = await test.execute(`
      const hits = await tools.$search("list orders");
      const docs = await tools.$describe(hits[0].name);
      return { first: hits[0].name, docs: docs.includes("list"), servers: Object.keys(tools).sort() };`);
    assert.equal(execution.status, "ok", JSON.stringify(execution.error));
    assert.deepEqual(execution.result, {
      first: "orders.list",
      docs: true,
      servers: ["calendar", "customers", "invoices", "orders"],
    });
  });
});

Deno.test("a hundred parallel calls wait for their turn instead of failing", async () => {
  await withService({ limits: { concurrentCallsMax: 4 } }, async (test) => {
    const execution = await test.execute(`
      const all = await Promise.all(Array.from({ length: 100 }, () => tools.orders.get({ id: "ord-00001" })));
      return all.length;`);
    assert.equal(execution.result, 100, JSON.stringify(execution.error));
    assert.equal(execution.usage.toolCalls, 100);
  });
});

Deno.test("the service answers health, and 404 and 413 as problem documents", async () => {
  await withService({}, async ({ app }) => {
    const get = (path: string) => app.fetch(new Request(`http://127.0.0.1${path}`));
    assert.equal((await (await get("/healthz")).json()).status, "ok");
    // Red until the sandbox has opened.
    let ready = await get("/readyz");
    for (let tries = 0; ready.status !== 200 && tries < 600; tries++) {
      assert.equal(ready.status, 503);
      assert.equal((await ready.json()).ready, false);
      await new Promise((resolve) => setTimeout(resolve, 50));
      ready = await get("/readyz");
    }
    assert.equal((await ready.json()).ready, true);
    const missing = await get("/nothing");
    assert.equal(missing.status, 404);
    assert.equal((await missing.json()).code, "ERR_NOT_FOUND");
    const post = (bytes: number) =>
      app.fetch(
        new Request("http://127.0.0.1/mcp", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: `"${"x".repeat(bytes - 2)}"`,
        }),
      );
    assert.equal((await post(4 * 1_048_576 + 1)).status, 413);
    assert.notEqual((await post(4 * 1_048_576)).status, 413);
  });
});

Deno.test("metrics count what the audit log says, by server and status", async () => {
  await withService({}, async (test) => {
    await test.execute(JOIN);
    await test.execute(`await tools.orders.nothing({})`);
    const response = await test.app.fetch(new Request("http://127.0.0.1/metrics"));
    const text = await response.text();
    assert.match(text, /toolgate_executions_total\{status="ok"\} 1/);
    assert.match(text, /toolgate_executions_total\{status="error"\} 1/);
    assert.match(text, /toolgate_calls_total\{server="orders",effect="allow",status="ok"\} 1/);
    assert.match(
      text,
      /toolgate_calls_total\{server="",effect="hidden",status="ERR_TOOL_NOT_FOUND"\} 1/,
    );
    assert.match(text, /toolgate_audit_ok 1/);
    assert.ok(!text.includes("nothing"));
  });
  await withService({ auth: "keys" }, async ({ app }) => {
    const response = await app.fetch(new Request("http://127.0.0.1/metrics"));
    assert.equal(response.status, 401);
    await response.body?.cancel();
  });
});

Deno.test("a service that starts asks its upstreams again what it knew of them", async () => {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-app-" });
  const open = () =>
    createApp({
      config: ConfigSchema.parse({
        server: { port: 0, drainMs: 200 },
        store: `kv:${folder}/toolgate.kv`,
        sandbox: { warm: 0 },
      }),
      source: "demo",
      baseDir: folder,
      log: () => {},
    });
  const statuses = async (app: Awaited<ReturnType<typeof open>>) => {
    const headers = { authorization: `Bearer ${app.localToken}` };
    const request = new Request("http://127.0.0.1/api/v1/tools", { headers });
    const { servers } = await (await app.fetch(request)).json();
    return [...new Set(servers.map(({ status }: { status: string }) => status))].join();
  };
  try {
    const first = await open();
    assert.equal(await statuses(first), "ready");
    await first.close();
    const second = await open();
    assert.equal(await statuses(second), "stale");
    await second.listen();
    await until("all are listed", async () => await statuses(second) === "ready");
    await second.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an upstream's error names the tool as programs do, whatever the server calls it", async () => {
  using journal = temporaryJournal();
  const mcpServers = { "my-raw": rawServer(journal.path) };
  await withService({ mcpServers, policies: "open" }, async ({ execute }) => {
    const { result, status } = await execute(
      `try { await tools["my-raw"].crash({}); } catch (e) { return [e.tool, e.code, e.message]; }`,
    );
    assert.equal(status, "ok");
    const [tool, code, message] = result as string[];
    assert.deepEqual([tool, code], ["my_raw.crash", "ERR_OUTCOME_UNKNOWN"]);
    assert.match(message ?? "", /"my-raw\.crash"/);
  });
});

Deno.test("readyz tells strangers where a rejected policy is wrong, and not what is in it", async () => {
  const policy = (tool: string) =>
    `version: 1\nname: p\nrules:\n  - { id: r, allow: read, tools: [orders.${tool}] }\n`;
  for (const auth of ["none", "keys"]) {
    await withService({ auth, policy: policy("list") }, async ({ app, folder, json }) => {
      await Deno.writeTextFile(`${folder}/policy.yaml`, policy("lisd"));
      await json("POST", "/policy/reload");
      const response = await app.fetch(new Request("http://127.0.0.1/readyz"));
      const { rejected } = (await response.json()).policy;
      assert.match(rejected, /policy\.yaml:4/);
      assert.equal(rejected.includes("orders"), auth === "none", rejected);
      assert.equal(rejected.includes(folder), auth === "none", rejected);
    });
  }
});
