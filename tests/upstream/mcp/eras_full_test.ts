/** Servers of 2025 that answer the question for 2026 with anything, and the setting that names the era. */
import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { type RawCall, rpcResponse, startRawHttpServer } from "../../fakes/raw_http_server.ts";
import { startHttpMcpServer } from "../../fakes/http_mcp_server.ts";
import {
  callOf,
  openTestUpstreams,
  rawServer,
  temporaryJournal,
} from "../../fakes/upstream_parts.ts";

const json = { "content-type": "application/json" };

/** What servers were seen to answer to a method that they have never heard of. */
const ANSWERS: { readonly [what: string]: (call: RawCall) => Response | Promise<Response> } = {
  "the error that JSON-RPC has for it": ({ id }) =>
    rpcResponse(id, { error: { code: -32_601, message: "Method not found" } }),
  "the same with HTTP 404": ({ id }) =>
    rpcResponse(id, { error: { code: -32_601, message: "Method not found" } }, { status: 404 }),
  "401": () => new Response("Unauthorized: Session ID is required", { status: 401 }),
  "401 with a challenge": () =>
    new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } }),
  "403": () => new Response("Forbidden", { status: 403 }),
  "404": () => new Response(null, { status: 404 }),
  "405": () => new Response(null, { status: 405 }),
  "406": () => new Response(null, { status: 406 }),
  "422": () => new Response("expect initialize request", { status: 422 }),
  "429": () => new Response("slow down", { status: 429 }),
  "500": () => new Response("Internal Server Error", { status: 500 }),
  "500 with an error": ({ id }) =>
    rpcResponse(id, { error: { code: -32_603, message: "Internal error" } }, { status: 500 }),
  "501": () => new Response(null, { status: 501 }),
  "503": () => new Response(null, { status: 503 }),
  "an error without an id": () => rpcResponse(null, { error: { code: -32_601, message: "no" } }),
  "a parse error": () => rpcResponse(null, { error: { code: -32_700, message: "Parse error" } }),
  "an error with another id": () =>
    rpcResponse("server-error", { error: { code: -32_600, message: "Missing session ID" } }),
  "an error without a message": ({ id }) => rpcResponse(id, { error: { code: -32_601 } }),
  "an error with a text as code": ({ id }) =>
    rpcResponse(id, { error: { code: "E_METHOD", message: "no" } }),
  "400 for want of a session": () =>
    rpcResponse(
      null,
      { error: { code: -32_000, message: "Bad Request: Server not initialized" } },
      {
        status: 400,
      },
    ),
  "a code that 2026 has given another meaning": ({ id }) =>
    rpcResponse(id, { error: { code: -32_020, message: "no" } }),
  "an empty result": ({ id }) => rpcResponse(id, { result: {} }),
  "a result that is a list": ({ id }) => rpcResponse(id, { result: [] }),
  "the versions of 2025": ({ id }) =>
    rpcResponse(id, {
      result: {
        supportedVersions: ["2025-06-18"],
        capabilities: {},
        ttlMs: 0,
        cacheScope: "private",
      },
    }),
  "a page": () => new Response("<html>hi</html>", { headers: { "content-type": "text/html" } }),
  "a page as JSON": () => new Response("<html>hi</html>", { headers: json }),
  "an empty body": () => new Response("", { headers: json }),
  "202": () => new Response(null, { status: 202 }),
  "204": () => new Response(null, { status: 204 }),
  "an event stream that ends": () =>
    new Response(": hi\n\n", { headers: { "content-type": "text/event-stream" } }),
  "a redirect": () => new Response(null, { status: 302, headers: { location: "/login" } }),
};

for (const [what, answer] of Object.entries(ANSWERS)) {
  Deno.test(`a server of 2025 is reached that answers server/discover with ${what}`, async () => {
    await using server = startRawHttpServer((call) =>
      call.method === "server/discover" ? answer(call) : null
    );
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    const { tools } = await upstreams.list("far");
    assert.equal(tools.length, 1);
    const answered = await upstreams.call(callOf("far", "hello"));
    assert.deepEqual(answered.content, [{ type: "text", text: "hi" }]);
    assert.deepEqual(server.seen.slice(0, 2), ["server/discover", "initialize"]);
  });
}

Deno.test("a server of 2025 is reached that never answers server/discover", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using server = startRawHttpServer(({ method }) =>
    method === "server/discover" ? promise : null
  );
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  assert.equal((await upstreams.list("far")).tools.length, 1);
  resolve(new Response(null, { status: 404 }));
});

Deno.test("when initialize fails too, that is the reason that is told", async () => {
  await using server = startRawHttpServer(({ id, method }) =>
    method === "server/discover"
      ? new Response(null, { status: 401 })
      : rpcResponse(id, { error: { code: -32_000, message: "The licence has expired" } }, {
        status: 500,
      })
  );
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  await assert.rejects(upstreams.list("far"));
  assert.match(upstreams.status("far").error ?? "", /The licence has expired/);
});

Deno.test("a server of 2026 that refuses us is not asked in vain: its own reason is told", async () => {
  await using server = startRawHttpServer(({ id, method }) =>
    rpcResponse(
      id,
      method === "server/discover"
        ? { error: { code: -32_021, message: "Clients must support elicitation" } }
        : { error: { code: -32_601, message: "Method not found" } },
      { status: method === "server/discover" ? 400 : 404 },
    )
  );
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  await assert.rejects(upstreams.list("far"));
  assert.match(upstreams.status("far").error ?? "", /Clients must support elicitation/);
});

Deno.test("era: 2025 starts with initialize, era: 2026 never sends it", async () => {
  await using old = startRawHttpServer(() => null);
  await using modern = startHttpMcpServer("modern");
  await using upstreams = openTestUpstreams({
    mcpServers: {
      old: { url: old.url, era: 2025 },
      wrong: { url: old.url, era: "2026" },
      modern: { url: modern.url, era: 2026 },
    },
  });
  assert.equal((await upstreams.list("old")).tools.length, 1);
  assert.ok(!old.seen.includes("server/discover"));
  const before = old.seen.length;
  await assert.rejects(upstreams.list("wrong"));
  assert.match(upstreams.status("wrong").error ?? "", /does not speak MCP 2026-07-28/);
  assert.ok(old.seen.slice(before).every((method) => method === "server/discover"));
  assert.equal((await upstreams.list("modern")).tools.length, 4);
});

Deno.test("era: 2026 is refused by a stdio server of 2025, and era: 2025 is not", async () => {
  using journal = temporaryJournal();
  await using upstreams = openTestUpstreams({
    mcpServers: {
      modern: rawServer(journal.path, { era: 2026 }),
      old: rawServer(journal.path, { era: 2025 }),
    },
  });
  await assert.rejects(upstreams.list("modern"), (error) => error instanceof GateError);
  assert.ok((await upstreams.list("old")).tools.length > 0);
});

/** A server of 2026 or 2025 whose pages follow one another as a test says. */
function pagedServer(isModern: boolean, pages: (cursor: unknown) => object) {
  const more = isModern ? { resultType: "complete", ttlMs: 0, cacheScope: "private" } : {};
  return startRawHttpServer(({ id, method, params }) => {
    if (method === "tools/list") {
      return rpcResponse(id, { result: { ...pages(params.cursor), ...more } });
    }
    if (method !== "server/discover" || !isModern) return null;
    const result = { supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, ...more };
    return rpcResponse(id, { result });
  });
}

const tool = (name: string) => ({ name, inputSchema: { type: "object" } });

for (const isModern of [true, false]) {
  const era = isModern ? "2026" : "2025";
  const listOf = async (pages: (cursor: unknown) => object) => {
    await using server = pagedServer(isModern, pages);
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    const { tools, skipped } = await upstreams.list("far");
    return { names: tools.map((each) => (each as { name: string }).name), skipped };
  };

  Deno.test(`an empty cursor of a server of ${era} leads to the next page`, async () => {
    const { names, skipped } = await listOf((cursor) =>
      cursor === undefined
        ? { tools: [tool("first")], nextCursor: "" }
        : { tools: [tool("second")], nextCursor: null }
    );
    assert.deepEqual([names, skipped], [["first", "second"], []]);
  });

  Deno.test(`an empty cursor of a server of ${era} that means the end is the end`, async () => {
    const same = () => ({ tools: [tool("first")], nextCursor: "" });
    assert.deepEqual(await listOf(same), { names: ["first"], skipped: [] });
  });

  Deno.test(`a cursor of a server of ${era} that is a number is followed`, async () => {
    const { names } = await listOf((cursor) => {
      const page = Number(cursor ?? 0);
      return { tools: [tool(`t${page}`)], ...(page < 2 ? { nextCursor: page + 1 } : {}) };
    });
    assert.deepEqual(names, ["t0", "t1", "t2"]);
  });
}

Deno.test("a server that knows no empty cursor, though it wrote one, loses no tool", async () => {
  await using server = startRawHttpServer(({ id, method, params }) => {
    if (method !== "tools/list") return null;
    return params.cursor === undefined
      ? rpcResponse(id, { result: { tools: [tool("first")], nextCursor: "" } })
      : rpcResponse(id, { error: { code: -32_602, message: "Invalid cursor" } });
  });
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  assert.equal((await upstreams.list("far")).tools.length, 1);
});

Deno.test("tools are found that the handshake did not announce, and nothing is lost by asking", async () => {
  const cases: readonly [number, object, (call: RawCall) => Response | Promise<Response> | null][] =
    [
      [1, {}, () => null],
      [1, { tools: null, prompts: null, logging: null }, () => null],
      [
        0,
        {},
        ({ id }) => rpcResponse(id, { error: { code: -32_601, message: "Method not found" } }),
      ],
    ];
  for (const [count, capabilities, answer] of cases) {
    await using server = startRawHttpServer((call) => {
      if (call.method === "tools/list") return answer(call);
      if (call.method !== "initialize") return null;
      const result = {
        protocolVersion: "2025-06-18",
        capabilities,
        serverInfo: { name: "raw", version: "0", title: null },
        instructions: null,
        _meta: null,
      };
      return rpcResponse(call.id, { result });
    });
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    assert.equal((await upstreams.list("far")).tools.length, count);
  }
});

Deno.test("one odd tool, block or missing member of a server of 2026 costs only itself", async () => {
  const tools = [tool("good"), {
    name: "bad",
    inputSchema: null,
    annotations: { readOnlyHint: "yes" },
  }];
  await using server = startRawHttpServer(({ id, method }) => {
    const result = method === "server/discover"
      ? {
        supportedVersions: ["2026-07-28"],
        capabilities: { tools: {} },
        resultType: "complete",
        ttlMs: 0,
        cacheScope: "private",
      }
      : method === "tools/list"
      ? { tools, nextCursor: null } // no resultType, no ttlMs
      : { resultType: "complete", content: [{ type: "json", json: 1 }, "bare"], isError: null };
    return rpcResponse(id, { result });
  });
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  assert.deepEqual((await upstreams.list("far")).tools, tools);
  const answer = await upstreams.call(callOf("far", "good"));
  assert.deepEqual(answer.content, [{ type: "json", json: 1 }, "bare"]);
  assert.equal(answer.isError, false);
  assert.ok(!server.seen.includes("initialize"));
});

Deno.test("a server of 2026 that refuses our revision and lists it is asked once more", async () => {
  let asked = 0;
  const data = { supported: ["2026-07-28"], requested: "2026-07-28" };
  await using server = startRawHttpServer(({ id, method }) => {
    const rest = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
    if (method === "tools/list") return rpcResponse(id, { result: { tools: [], ...rest } });
    if (++asked > 1) {
      const supportedVersions = ["2026-07-28"];
      return rpcResponse(id, {
        result: { supportedVersions, capabilities: { tools: {} }, ...rest },
      });
    }
    const error = { code: -32_022, message: "Unsupported protocol version", data };
    return rpcResponse(id, { error }, { status: 400 });
  });
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  await upstreams.list("far");
  assert.deepEqual(server.seen, ["server/discover", "server/discover", "tools/list"]);
});
