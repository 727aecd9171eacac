import assert from "node:assert/strict";
import { createHostGuard } from "../../src/http/host_guard.ts";
import { withApp } from "../fakes/app.ts";

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

async function problemOf(response: Response | null): Promise<Problem> {
  assert.ok(response !== null, "let through");
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const problem = await response.json() as Problem;
  assert.equal(problem.status, response.status);
  return problem;
}

Deno.test("a foreign Host or Origin is refused with a problem document", async () => {
  const request = (headers: HeadersInit) => new Request("http://127.0.0.1/healthz", { headers });
  const local = createHostGuard("127.0.0.1", undefined);
  const host = await problemOf(local(request({ host: "evil.example" })));
  assert.deepEqual([host.status, host.code], [403, "ERR_FORBIDDEN"]);
  assert.match(host.message, /host "evil\.example"/);
  const foreign = { host: "127.0.0.1:1", origin: "https://evil.example" };
  assert.match(
    (await problemOf(local(request(foreign)))).message,
    /origin "https:\/\/evil\.example"/,
  );
  assert.equal(local(request({ host: "127.0.0.1:1", origin: "http://localhost:3" })), null);
  const other = createHostGuard("127.0.0.2", undefined);
  assert.equal(other(request({ host: "127.0.0.2:1" })), null);
  assert.equal((await problemOf(other(request({ host: "127.0.0.3:1" })))).status, 403);
  const bound = createHostGuard("fd00::5", "https://tools.acme.com");
  assert.equal(bound(request({ host: "[fd00::5]:1" })), null);
  const open = createHostGuard("0.0.0.0", undefined);
  assert.equal((await problemOf(open(request({ ...foreign, host: "gate:1" })))).status, 403);
  assert.equal(open(request({ host: "gate:1", origin: "http://gate:1" })), null);
});

Deno.test("behind a public name, probes may call the address of the machine, nothing else may", async () => {
  const guard = createHostGuard("0.0.0.0", "https://tools.acme.com");
  const request = (path: string, host: string, more: HeadersInit = {}) =>
    new Request(`http://10.0.0.5:8484${path}`, { headers: { host, ...more } });
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    assert.equal(guard(request(path, "10.0.0.5:8484")), null);
    const page = request(path, "10.0.0.5:8484", { origin: "https://evil.example" });
    assert.equal((await problemOf(guard(page))).status, 403);
  }
  for (const path of ["/mcp", "/api/v1/tools", "/console", "/healthz/x"]) {
    assert.equal((await problemOf(guard(request(path, "10.0.0.5:8484")))).status, 403);
    assert.equal(guard(request(path, "tools.acme.com")), null);
  }
});

Deno.test("what the MCP endpoint does not allow is a problem document that says what it allows", async () => {
  await withApp({}, async ({ app }) => {
    for (const method of ["GET", "DELETE", "PUT"]) {
      const response = await app.fetch(new Request("http://127.0.0.1/mcp", { method }));
      assert.equal(response.headers.get("allow"), "POST");
      const { status, message } = await problemOf(response);
      assert.deepEqual([status, message], [405, `${method} is not allowed here`]);
    }
  });
});

Deno.test("a filter that audit does not know is refused, not left out", async () => {
  await withApp({}, async ({ ask }) => {
    for (
      const [query, place] of [
        ["effect=denied", /effect.*"deny"/],
        ["kind=call", /kind.*"call\.intent"/],
        ["efect=deny", /"efect"/],
        ["after=nonsense", /"nonsense"/],
        ["since=yesterday", /since/],
      ] as const
    ) {
      const { status, message } = await problemOf(await ask("GET", `/audit?${query}`));
      assert.equal(status, 400, query);
      assert.match(message, place);
    }
    const exported = await ask("GET", "/audit/export?effect=deny&format=csv");
    assert.match(await exported.text(), /^chain,seq,/);
    const explained = await ask("POST", "/policy/explain", { call: "orders.list", args: [] });
    assert.match((await problemOf(explained)).message, /args/);
  });
});

Deno.test("a stream of records takes the same patterns of tools as a query", async () => {
  await withApp({}, async ({ ask, execute }) => {
    const stream = await ask("GET", "/audit/stream?tool=orders.*");
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    await execute(
      "await tools.customers.list({ limit: 1 }); await tools.orders.list({ limit: 1 })",
    );
    const first = JSON.parse(((await reader?.read())?.value ?? "").split("\n")[0] ?? "");
    assert.deepEqual([first.kind, first.tool.server], ["call.intent", "orders"]);
    await reader?.cancel();
  });
});

Deno.test("an operator whom the policy gives no tool sees what waits", async () => {
  const policy = [
    "version: 1",
    "name: closed",
    "groups: { eng: { claim: groups, has: eng } }",
    "spaces: { engineering: { for: [eng], tools: [orders.*] } }",
    "rules: [{ id: read, allow: read }]",
  ].join("\n");
  await withApp({ policy }, async ({ ask, json }) => {
    const { diff } = await json<{ diff: { pin: string } }>("GET", "/tools/orders.list/diff");
    await ask("POST", "/tools/orders.list/block", { pin: diff.pin });
    const { tools, quarantined } = await json<
      { tools: unknown[]; quarantined: { server: string; name: string }[] }
    >("GET", "/tools");
    assert.deepEqual(tools, []);
    assert.ok(quarantined.some(({ server, name }) => server === "orders" && name === "list"));
    const named = await problemOf(await ask("GET", "/tools?space=engineering"));
    assert.deepEqual([named.status, named.code], [404, "ERR_NOT_FOUND"]);
  });
});

Deno.test("a body with numbers that nobody can read is refused, and says where they are", async () => {
  const policy = [
    "version: 1",
    "name: numbers",
    'tools: { orders: { read: ["*"] } }',
    "rules: [{ id: read, allow: read }]",
  ].join("\n");
  await withApp({ policy, spaces: { default: { mode: "classic" } } }, async ({ app, json }) => {
    const send = (path: string, body: string) =>
      app.fetch(
        new Request(`http://127.0.0.1${path}`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${app.localToken}`,
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            "mcp-protocol-version": "2025-06-18",
          },
          body,
        }),
      );
    const explain = (number: string) =>
      send("/api/v1/policy/explain", `{"call":"orders.list","args":{"limit":[0,${number}]}}`);
    const infinite = await problemOf(await explain("1e400"));
    assert.match(infinite.message, /args\.limit\[1\]/);
    const inexact = await problemOf(await explain("9007199254740993"));
    assert.match(inexact.message, /body\.args\.limit\[1\] is 9007199254740993, which no number/);
    assert.equal((await explain("9007199254740994")).status, 200);

    const call = (number: string) =>
      send(
        "/mcp",
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"orders__list",` +
          `"arguments":{"limit":1,"other":{"deep":${number}}}}}`,
      );
    assert.match(await (await call("-1e400")).text(), /args\.other\.deep is not a finite number/);
    assert.match(
      await (await call("9007199254740993")).text(),
      /body\.params\.arguments\.other\.deep is 9007199254740993/,
    );
    const { records } = await json<{ records: { err?: { message: string } }[] }>("GET", "/audit");
    assert.ok(records.some(({ err }) => /args\.other\.deep/.test(err?.message ?? "")));
  });
});
