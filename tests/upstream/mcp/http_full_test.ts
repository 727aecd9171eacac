import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { type HttpMcpKind, startHttpMcpServer } from "../../fakes/http_mcp_server.ts";
import { startSseMcpServer } from "../../fakes/sse_mcp_server.ts";
import { callOf, openTestUpstreams, until } from "../../fakes/upstream_parts.ts";

const withCode = (code: string) => (error: unknown) =>
  error instanceof GateError && error.code === code;
const KINDS: readonly HttpMcpKind[] = ["modern", "stateless", "sessions"];

function firstText(answer: { content: readonly unknown[] }): string {
  return (answer.content[0] as { text: string }).text;
}

for (const kind of KINDS) {
  Deno.test(`a ${kind} HTTP server is listed and called`, async () => {
    await using server = startHttpMcpServer(kind);
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    const listing = await upstreams.list("far");
    assert.equal(listing.title, "HTTP fake");
    assert.equal(listing.description, "Use echo.");
    assert.equal(listing.identity, server.url);
    assert.deepEqual(
      listing.tools.map((tool) => (tool as { name: string }).name),
      ["echo", "fail", "big", "hang"],
    );
    assert.equal(listing.resources.length, 2);
    assert.equal(listing.prompts.length, 1);
    const answer = await upstreams.call(
      callOf("far", "echo", { text: "hi" }, { idempotencyKey: "e:7", traceparent: "00-aa-bb-01" }),
    );
    assert.deepEqual(answer.structuredContent, { text: "hi" });
    assert.deepEqual(server.events, ["echo e:7 00-aa-bb-01"]);
    const failed = await upstreams.call(callOf("far", "fail"));
    assert.equal(failed.isError, true);
    assert.equal(firstText(failed), "It does not work");
  });

  Deno.test(`resources and prompts of a ${kind} HTTP server are read`, async () => {
    await using server = startHttpMcpServer(kind);
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    const book = await upstreams.call(callOf("far", "handbook", {}, { kind: "resource" }));
    assert.equal(firstText(book), "Be kind");
    const chapter = await upstreams.call(
      callOf("far", "chapter", { chapter: "two" }, { kind: "resource" }),
    );
    assert.equal(firstText(chapter), "Chapter two");
    await assert.rejects(
      upstreams.call(callOf("far", "demo://secret", {}, { kind: "resource" })),
      withCode("ERR_UPSTREAM_RESULT"),
    );
    const prompt = await upstreams.call(
      callOf("far", "greet", { name: "Ada" }, { kind: "prompt" }),
    );
    const { messages } = prompt.structuredContent as { messages: { content: unknown }[] };
    assert.deepEqual(messages[0]?.content, { type: "text", text: "Hi Ada" });
  });

  Deno.test(`a cancellation reaches a ${kind} HTTP server`, async () => {
    await using server = startHttpMcpServer(kind);
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    const stop = new AbortController();
    const hanging = upstreams.call(callOf("far", "hang", {}, { signal: stop.signal }));
    await until("the call arrives", () => server.events.includes("hang started"));
    stop.abort();
    await assert.rejects(hanging, withCode("ERR_CANCELLED"));
    await until("the server hears it", () => server.events.includes("hang aborted"));
  });

  Deno.test(`a change of a ${kind} HTTP server's tools is told`, async () => {
    await using server = startHttpMcpServer(kind);
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    const changed: string[] = [];
    upstreams.onListChanged((name) => changed.push(name));
    await upstreams.list("far");
    await until(
      "the server is followed",
      () =>
        kind === "sessions"
          ? server.requests.some(({ method }) => method === "GET")
          : server.requests.some(({ headers }) =>
            headers.get("mcp-method") === "subscriptions/listen"
          ),
    );
    await until("the change is told", async () => {
      if (changed.length === 0) await server.addTool(`new_${crypto.randomUUID()}`);
      return changed.length > 0;
    });
    const { tools } = await upstreams.list("far");
    assert.ok(tools.some((tool) => (tool as { name: string }).name.startsWith("new_")));
  });
}

Deno.test("a lost session is begun anew, once, and the call is made", async () => {
  await using server = startHttpMcpServer("sessions");
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  await upstreams.call(callOf("far", "echo", { text: "1" }));
  server.forget();
  const answer = await upstreams.call(callOf("far", "echo", { text: "2" }));
  assert.deepEqual(answer.structuredContent, { text: "2" });
  assert.equal(server.events.length, 2);
});

Deno.test("a server that forgets every session fails the call instead of looping", async () => {
  await using server = startHttpMcpServer("sessions", {
    accept: (request) =>
      request.method === "POST" && request.headers.has("mcp-session-id")
        ? Response.json({
          jsonrpc: "2.0",
          id: null,
          error: { code: -32_001, message: "Session not found" },
        }, {
          status: 404,
        })
        : null,
  });
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  await assert.rejects(
    upstreams.call(callOf("far", "echo", { text: "1" })),
    withCode("ERR_UPSTREAM_UNREACHABLE"),
  );
  assert.ok(server.requests.length < 20, `${server.requests.length} requests`);
});

Deno.test("an answer of 20 MB comes through over HTTP, and one over the limit does not", async () => {
  await using server = startHttpMcpServer("stateless");
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } }, {
    resultBytesMax: 24_000_000,
  });
  const answer = await upstreams.call(callOf("far", "big", { bytes: 20_000_000 }));
  assert.equal(firstText(answer).length, 20_000_000);
  await assert.rejects(
    upstreams.call(callOf("far", "big", { bytes: 30_000_000 })),
    withCode("ERR_UPSTREAM_RESULT"),
  );
});

Deno.test("headers carry resolved secrets, and no error or log line does", async () => {
  await using server = startHttpMcpServer("stateless", {
    accept: (request) =>
      request.headers.get("authorization") === "Bearer s3cret-value-1234"
        ? null
        : new Response("no", { status: 401 }),
  });
  const headers = { Authorization: "Bearer ${env:SECRET}" };
  await using upstreams = openTestUpstreams({
    mcpServers: { good: { url: server.url, headers }, bad: { url: server.url } },
  });
  const answer = await upstreams.call(callOf("good", "echo", { text: "in" }));
  assert.equal(answer.credential, "header");
  await assert.rejects(upstreams.list("bad"), withCode("ERR_CREDENTIAL"));
  await assert.rejects(
    upstreams.call(callOf("bad", "echo", { text: "out" })),
    withCode("ERR_CREDENTIAL"),
  );
  assert.ok(!upstreams.logged.some((line) => line.includes("s3cret")));
});

Deno.test("a server that repeats its credential teaches it to nobody", async () => {
  await using server = startHttpMcpServer("sessions", {
    accept: (request) =>
      request.headers.get("mcp-method") === "server/discover"
        ? null
        : new Response(`bad ${request.headers.get("authorization")}`, { status: 500 }),
  });
  await using upstreams = openTestUpstreams({
    mcpServers: {
      far: { url: server.url, headers: { Authorization: "Bearer ${env:SECRET}" } },
    },
  });
  await assert.rejects(upstreams.list("far"));
  const { error } = upstreams.status("far");
  assert.match(error ?? "", /bad \*\*\*/);
  assert.ok(upstreams.logged.length > 0);
  assert.ok(!upstreams.logged.some((line) => line.includes("s3cret")));
});

Deno.test("an HTTP server that is not there is down, and found once it is", async () => {
  const place = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = place.addr;
  place.close();
  const url = `http://127.0.0.1:${port}/mcp`;
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url } } });
  await assert.rejects(upstreams.list("far"), withCode("ERR_UPSTREAM_UNREACHABLE"));
  assert.equal(upstreams.status("far").status, "down");
});

/** A server that answers each POST with what a test says. */
function startRawServer(answer: (message: { id: number; method: string }) => Response) {
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    const message = await request.json();
    if (message.id === undefined) return new Response(null, { status: 202 });
    if (message.method === "initialize") {
      const result = {
        protocolVersion: "2025-06-18",
        capabilities: { tools: {} },
        serverInfo: { name: "raw", version: "0" },
      };
      return Response.json({ jsonrpc: "2.0", id: message.id, result });
    }
    return answer(message);
  });
  return {
    url: `http://127.0.0.1:${http.addr.port}/mcp`,
    [Symbol.asyncDispose]: () => http.shutdown(),
  };
}

Deno.test("a server that puts its credential into its definitions teaches it to nobody", async () => {
  const secret = "s3cret-value-1234";
  const tool = {
    name: "query",
    description: `Reads pg://app:${secret}@db/shop`,
    inputSchema: { type: "object", properties: { dsn: { type: "string", default: secret } } },
  };
  await using server = startRawServer(({ id, method }) =>
    Response.json(
      method === "tools/list"
        ? { jsonrpc: "2.0", id, result: { tools: [tool, { name: "ok" }] } }
        : { jsonrpc: "2.0", id, error: { code: -32_601, message: "no" } },
    )
  );
  await using upstreams = openTestUpstreams({
    mcpServers: { raw: { url: server.url, headers: { "x-api-key": "${env:SECRET}" } } },
  });
  const listing = await upstreams.list("raw");
  assert.equal(listing.tools.length, 2);
  assert.ok(!JSON.stringify(listing).includes("s3cret"), JSON.stringify(listing));
  assert.match(JSON.stringify(listing), /pg:\/\/app:\*\*\*@db\/shop/);
});

async function callRaw(answer: (message: { id: number; method: string }) => Response) {
  await using server = startRawServer((message) =>
    message.method === "server/discover"
      ? Response.json({ jsonrpc: "2.0", id: message.id, error: { code: -32_601, message: "no" } })
      : answer(message)
  );
  await using upstreams = openTestUpstreams({
    mcpServers: { raw: { url: server.url, timeoutMs: 400 } },
  });
  return await upstreams.call(callOf("raw", "x"));
}

Deno.test("odd answers over HTTP end in an error that says so", async () => {
  const cases: readonly [string, (message: { id: number }) => Response][] = [
    [
      "ERR_UPSTREAM_RESULT",
      () => new Response("{not json", { headers: { "content-type": "application/json" } }),
    ],
    ["ERR_UPSTREAM_RESULT", () => Response.json({ hello: 1 })],
    [
      "ERR_UPSTREAM_RESULT",
      () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    ],
    [
      "ERR_UPSTREAM_RESULT",
      ({ id }) => Response.json({ jsonrpc: "2.0", id, result: { content: 7 } }),
    ],
    [
      "ERR_UPSTREAM_RESULT",
      ({ id }) => Response.json({ jsonrpc: "2.0", id: id + 99, result: { content: [] } }),
    ],
    ["ERR_OUTCOME_UNKNOWN", () => new Response("boom", { status: 500 })],
    ["ERR_UPSTREAM_UNREACHABLE", () => new Response("busy", { status: 503 })],
    [
      "ERR_OUTCOME_UNKNOWN",
      () => new Response(": hi\n\n", { headers: { "content-type": "text/event-stream" } }),
    ],
    [
      "ERR_UPSTREAM_UNREACHABLE",
      () => new Response(null, { status: 302, headers: { location: "http://example.com/" } }),
    ],
  ];
  for (const [code, answer] of cases) {
    await assert.rejects(callRaw(answer), withCode(code), code);
  }
});

Deno.test("pages that go round in a circle end, and a broken definition costs only itself", async () => {
  await using server = startRawServer(({ id, method }) => {
    if (method === "server/discover") {
      return Response.json({ jsonrpc: "2.0", id, error: { code: -32_601, message: "no" } });
    }
    return Response.json({
      jsonrpc: "2.0",
      id,
      result: { tools: [{ name: "a" }, 7, null], nextCursor: "same" },
    });
  });
  await using upstreams = openTestUpstreams({ mcpServers: { raw: { url: server.url } } });
  const listing = await upstreams.list("raw");
  assert.deepEqual(listing.tools, [{ name: "a" }, 7, null, { name: "a" }, 7, null]);
  assert.match(listing.skipped[0]?.reason ?? "", /circle/);
});

Deno.test("a server of 2024 is reached over HTTP and SSE", async () => {
  await using server = startSseMcpServer();
  {
    await using upstreams = openTestUpstreams({ mcpServers: { old: { url: server.url } } });
    assert.equal((await upstreams.list("old")).tools.length, 1);
    assert.equal(firstText(await upstreams.call(callOf("old", "old_tool"))), "from 2024");
  }
  await until("the server sees the stream end", () => server.streams() === 0);
});

for (const [name, lineEnd] of [["CR LF", "\r\n"], ["CR", "\r"]] as const) {
  Deno.test(`a server of 2024 whose lines end with ${name} is listed and called`, async () => {
    await using server = startSseMcpServer(lineEnd);
    await using upstreams = openTestUpstreams({ mcpServers: { old: { url: server.url } } });
    assert.equal((await upstreams.list("old")).tools.length, 1);
    assert.equal(firstText(await upstreams.call(callOf("old", "old_tool"))), "from 2024");
  });
}
