/** What servers say when they refuse, forget us or fail, and who gets to read it. */
import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import {
  INITIALIZED,
  type RawCall,
  rpcResponse,
  startRawHttpServer,
} from "../../fakes/raw_http_server.ts";
import { callOf, openTestUpstreams } from "../../fakes/upstream_parts.ts";

const withCode = (code: string, message = /./) => (error: unknown) =>
  error instanceof GateError && error.code === code && message.test(error.message);

function wordsOf(answer: { content: readonly unknown[] }): string {
  return (answer.content[0] as { text: string }).text;
}

const PLAIN = { "content-type": "text/plain" };
const EVENTS = { "content-type": "text/event-stream" };
const MISSING = { code: -32_602, message: "Parameter city is required" };

/** Ways to refuse a call that all say the same. */
const REFUSALS: { readonly [what: string]: (id: number) => Response } = {
  "400": (id) => rpcResponse(id, { error: MISSING }, { status: 400 }),
  "403": (id) => rpcResponse(id, { error: MISSING }, { status: 403 }),
  "404": (id) => rpcResponse(id, { error: MISSING }, { status: 404 }),
  "422": (id) => rpcResponse(id, { error: MISSING }, { status: 422 }),
  "429": (id) => rpcResponse(id, { error: MISSING }, { status: 429 }),
  "500": (id) => rpcResponse(id, { error: MISSING }, { status: 500 }),
  "503": (id) => rpcResponse(id, { error: MISSING }, { status: 503 }),
  "200, in the words of data": (id) =>
    rpcResponse(id, {
      error: { code: -32_602, message: "Invalid params", data: { detail: MISSING.message } },
    }),
  "400 in a list": (id) => Response.json([{ jsonrpc: "2.0", id, error: MISSING }], { status: 400 }),
  "400 without an id": () => rpcResponse(null, { error: MISSING }, { status: 400 }),
  "200 without an id": () => rpcResponse(null, { error: MISSING }),
  "400 with a text as id": (id) => rpcResponse(String(id), { error: MISSING }, { status: 400 }),
  "400 as an event stream": (id) =>
    new Response(
      `event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", id, error: MISSING })}\n\n`,
      {
        status: 400,
        headers: { "content-type": "text/event-stream" },
      },
    ),
  "500 with a result": (id) =>
    rpcResponse(id, {
      result: { isError: true, content: [{ type: "text", text: MISSING.message }] },
    }, { status: 500 }),
  "400 in plain text": () => new Response(MISSING.message, { status: 400, headers: PLAIN }),
  "422 in JSON of its own": () => Response.json({ detail: MISSING.message }, { status: 422 }),
  "400 in JSON with a text as error": () =>
    Response.json({ error: MISSING.message }, { status: 400 }),
};

for (const [what, refuse] of Object.entries(REFUSALS)) {
  Deno.test(`a refusal with HTTP ${what} is the server's answer, and locks nobody out`, async () => {
    await using server = startRawHttpServer(({ id, method, params }) =>
      method === "tools/call" && (params.arguments as { city?: string }).city === undefined
        ? refuse(id)
        : null
    );
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    for (let time = 0; time < 7; time++) {
      const refused = await upstreams.call(callOf("far", "weather"));
      assert.equal(refused.isError, true);
      assert.ok(wordsOf(refused).includes(MISSING.message), wordsOf(refused));
    }
    const good = await upstreams.call(callOf("far", "weather", { city: "Oslo" }));
    assert.equal(good.isError, false);
    assert.equal(server.seen.filter((method) => method === "initialize").length, 1);
  });
}

Deno.test("a failure that is not an answer keeps its code, and tells what the server said", async () => {
  const page = { "content-type": "text/html" };
  const cases: readonly [string, RegExp, Response][] = [
    [
      "ERR_CREDENTIAL",
      /HTTP 401\): The token has expired/,
      Response.json({
        error: "invalid_token",
        message: "The token has expired",
      }, { status: 401 }),
    ],
    ["ERR_OUTCOME_UNKNOWN", /HTTP 500\): disk full/, new Response("disk full", { status: 500 })],
    [
      "ERR_UPSTREAM_UNREACHABLE",
      /HTTP 503\): back at noon/,
      new Response("back at noon", {
        status: 503,
      }),
    ],
    [
      "ERR_OUTCOME_UNKNOWN",
      /HTTP 502\)$/,
      new Response("<html>proxy-7.internal</html>", {
        status: 502,
        headers: page,
      }),
    ],
  ];
  for (const [code, message, response] of cases) {
    await using server = startRawHttpServer(({ method }) =>
      method === "tools/call" ? response : null
    );
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    await assert.rejects(upstreams.call(callOf("far", "x")), withCode(code, message));
  }
});

Deno.test("a server that repeats its credential in a refusal teaches it to nobody", async () => {
  const repeats = ({ request, method }: RawCall) =>
    method === "initialize" || method === "server/discover" ? null : new Response(
      `bad ${request.headers.get("authorization")}`,
      { status: method === "tools/list" ? 500 : 401 },
    );
  await using server = startRawHttpServer(repeats);
  await using upstreams = openTestUpstreams({
    mcpServers: { far: { url: server.url, headers: { Authorization: "Bearer ${env:SECRET}" } } },
  });
  for (const attempt of [upstreams.list("far"), upstreams.call(callOf("far", "x"))]) {
    await assert.rejects(attempt, (error) => {
      assert.ok(error instanceof GateError);
      assert.match(error.message, /bad \*\*\*/);
      return !error.message.includes("s3cret");
    });
  }
});

/** A server that knows one session, and forgets it in a way of its own. */
function forgetfulServer(refuse: (call: RawCall) => Response | null) {
  let session = "";
  const calls: string[] = [];
  const server = startRawHttpServer((call) => {
    if (call.method === "server/discover") return new Response(null, { status: 405 });
    if (call.method === "initialize") {
      session = crypto.randomUUID();
      return rpcResponse(call.id, { result: INITIALIZED }, {
        headers: { "mcp-session-id": session },
      });
    }
    if (call.request.headers.get("mcp-session-id") !== session) {
      const refused = refuse(call);
      if (refused !== null) return refused;
    }
    if (call.method === "tools/call") calls.push(session);
    return null;
  });
  return { server, calls, forget: () => void (session = "") };
}

const said = (message: string, code = -32_000) => ({ error: { code, message } });
const FORGETTING: { readonly [how: string]: (call: RawCall) => Response } = {
  "400 Server not initialized": () =>
    rpcResponse(null, said("Bad Request: Server not initialized"), { status: 400 }),
  "404 Session not found": () =>
    rpcResponse(null, said("Session not found", -32_001), { status: 404 }),
  "404 as the Python SDK says it": () =>
    rpcResponse("server-error", said("Session not found", -32_600), { status: 404 }),
  "400 in plain text": () => new Response("Invalid session ID", { status: 400 }),
  "400 without a word": () => new Response(null, { status: 400 }),
  "400 with words of its own": () =>
    rpcResponse(null, said("Bad Request: who are you?"), { status: 400 }),
  "401 as the Rust SDK says it": () =>
    new Response("Unauthorized: Session not found", { status: 401 }),
  "410": () => new Response("Gone", { status: 410 }),
  "422 as the Rust SDK says it": () =>
    new Response("Unexpected message, expect initialize request", { status: 422 }),
  "an error in HTTP 200": ({ id }) => rpcResponse(id, said("Session not found", -32_001)),
  "an error in HTTP 200 without an id": () => rpcResponse(null, said("Server not initialized")),
  "the error of the Go SDK": ({ id, method }) =>
    rpcResponse(id, said(`method "${method}" is invalid during session initialization`, 0)),
  "the error of the Python SDK": ({ id }) =>
    rpcResponse(id, { error: { code: -32_602, message: "Invalid request parameters", data: "" } }),
};

for (const [how, refuse] of Object.entries(FORGETTING)) {
  Deno.test(`a session that is forgotten with ${how} is renewed, and the call made once`, async () => {
    const { server, calls, forget } = forgetfulServer(refuse);
    await using _server = server;
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    for (let time = 0; time < 3; time++) {
      const answer = await upstreams.call(callOf("far", "hello"));
      assert.equal(answer.isError, false);
      forget();
    }
    assert.equal(new Set(calls).size, 3);
    assert.equal(calls.length, 3);
    forget();
    assert.equal((await upstreams.list("far")).tools.length, 1);
  });
}

Deno.test("calls at the same time on a forgotten session are each made once", async () => {
  const { server, calls, forget } = forgetfulServer(FORGETTING["404 Session not found"]!);
  await using _server = server;
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  await upstreams.call(callOf("far", "hello"));
  forget();
  await Promise.all(Array.from({ length: 8 }, () => upstreams.call(callOf("far", "hello"))));
  assert.equal(calls.length, 9);
  assert.equal(new Set(calls).size, 2);
});

Deno.test("a server that fails on an unknown session is greeted anew for the next call", async () => {
  const crashed = "TypeError: Cannot read properties of undefined (reading 'handleRequest')";
  const { server, calls, forget } = forgetfulServer(() => new Response(crashed, { status: 500 }));
  await using _server = server;
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  await upstreams.call(callOf("far", "hello"));
  forget();
  await assert.rejects(upstreams.call(callOf("far", "hello")), withCode("ERR_OUTCOME_UNKNOWN"));
  await upstreams.call(callOf("far", "hello"));
  assert.equal(calls.length, 2);
});

Deno.test("a server that forgets every session at once is down, not ready", async () => {
  await using server = startRawHttpServer(({ id, method }) =>
    method === "server/discover"
      ? new Response(null, { status: 405 })
      : method === "initialize"
      ? rpcResponse(id, { result: INITIALIZED }, { headers: { "mcp-session-id": "one" } })
      : rpcResponse(null, said("Bad Request: Server not initialized"), { status: 400 })
  );
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  const call = await upstreams.call(callOf("far", "hello")).catch((error) => error);
  assert.ok(call instanceof GateError || call.isError);
  assert.equal(upstreams.status("far").status, "down");
  assert.match(upstreams.status("far").error ?? "", /Server not initialized/);
  assert.ok(server.seen.length < 12, server.seen.join(" "));
});

Deno.test("an operator reads what a server says when it cannot list", async () => {
  const words = "Database is not reachable: check ACME_DSN";
  const cases: readonly [RegExp, (id: number) => Response][] = [
    [new RegExp(words), (id) => rpcResponse(id, said(words, -32_603))],
    [new RegExp(words), (id) => rpcResponse(id, said(words, -32_603), { status: 500 })],
    [new RegExp(words), () => rpcResponse(null, said(words, -32_603), { status: 400 })],
    [new RegExp(`HTTP 500: ${words}`), () => new Response(words, { status: 500 })],
    [new RegExp(`HTTP 401: ${words}`), () => Response.json({ message: words }, { status: 401 })],
    [
      /HTTP 502: Bad gateway/,
      () => new Response("<html><title>Bad gateway</title></html>", { status: 502 }),
    ],
    [
      new RegExp(words),
      (id) =>
        rpcResponse(id, {
          error: { code: -32_603, message: "Internal error", data: { reason: words } },
        }),
    ],
    [/"tools" is not a list but null/, (id) => rpcResponse(id, { result: { tools: null } })],
    [/"tools" is not a list but missing/, (id) => rpcResponse(id, { result: {} })],
    [/"tools" is not a list but an object/, (id) => rpcResponse(id, { result: { tools: {} } })],
  ];
  for (const [message, answer] of cases) {
    await using server = startRawHttpServer(({ id, method }) =>
      method === "tools/list" ? answer(id) : null
    );
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    await assert.rejects(upstreams.list("far"), (error) => {
      assert.ok(error instanceof GateError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("why a server cannot list its prompts is noted beside the tools", async () => {
  await using server = startRawHttpServer(({ id, method }) =>
    method === "initialize"
      ? rpcResponse(id, { result: { ...INITIALIZED, capabilities: { tools: {}, prompts: {} } } })
      : method === "prompts/list"
      ? rpcResponse(id, said("The prompt folder is gone"))
      : null
  );
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  const { tools, skipped } = await upstreams.list("far");
  assert.equal(tools.length, 1);
  assert.match(skipped[0]?.reason ?? "", /The prompt folder is gone/);
});

Deno.test("content in any form reaches the program, and an answer that is none says what is wrong", async () => {
  const answers: readonly [object, unknown][] = [
    [{ content: null, structuredContent: { a: 1 } }, []],
    [{ structuredContent: { a: 1 } }, []],
    [{ content: "hi" }, [{ type: "text", text: "hi" }]],
    [{ content: { type: "text", text: "hi" } }, [{ type: "text", text: "hi" }]],
  ];
  for (const [result, content] of answers) {
    await using server = startRawHttpServer(({ id, method }) =>
      method === "tools/call" ? rpcResponse(id, { result }) : null
    );
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    const answer = await upstreams.call(callOf("far", "x"));
    assert.deepEqual(answer.content, content);
  }
  await using server = startRawHttpServer(({ id, method }) =>
    method === "tools/call"
      ? rpcResponse(id, { result: { isError: true, error: "no disk" } })
      : null
  );
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  assert.deepEqual((await upstreams.call(callOf("far", "x"))).structuredContent, {
    error: "no disk",
  });
});

Deno.test("an answer over HTTP with the id of another request fails at once", async () => {
  for (const id of [999, "other", null, undefined]) {
    await using server = startRawHttpServer(({ method }) =>
      method === "tools/call" ? rpcResponse(id, { result: { content: [] } }) : null
    );
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    await assert.rejects(
      upstreams.call(callOf("far", "x")),
      withCode("ERR_UPSTREAM_RESULT", /not a JSON-RPC message/),
    );
  }
});

Deno.test("a JSON answer is read whatever its content type says", async () => {
  for (
    const type of ["text/plain", "text/json", "application/json-rpc", "APPLICATION/JSON", null]
  ) {
    await using server = startRawHttpServer(({ id, method }) => {
      if (method !== "tools/call") return null;
      const result = { content: [{ type: "text", text: "hi" }] };
      const body = new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", id, result }));
      return new Response(body, { headers: type === null ? {} : { "content-type": type } });
    });
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    assert.equal(wordsOf(await upstreams.call(callOf("far", "x"))), "hi", String(type));
  }
});

Deno.test("a server over HTTP that is busy says how long to wait", async () => {
  const soon = { "retry-after": "7" };
  const cases: readonly [what: string, Response, retryAfterMs: number, hint: RegExp][] = [
    [
      "429 with an answer",
      Response.json({ jsonrpc: "2.0", id: 1, error: MISSING }, {
        status: 429,
        headers: soon,
      }),
      7_000,
      /server takes this call again in 7 s/,
    ],
    [
      "429 alone",
      new Response(null, { status: 429, headers: { "x-ratelimit-reset": "20" } }),
      20_000,
      /in 20 s/,
    ],
    ["503 with a page", new Response("<html>", { status: 503, headers: soon }), 7_000, /in 7 s/],
  ];
  for (const [what, response, retryAfterMs, hint] of cases) {
    await using server = startRawHttpServer(({ method }) =>
      method === "tools/call" ? response : null
    );
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    const told = await upstreams.call(callOf("far", "x")).catch((error) => error as GateError);
    assert.equal(told.retryAfterMs, retryAfterMs, what);
    assert.match(told.hint ?? "", hint, what);
  }
  await using server = startRawHttpServer(() => new Response("", { status: 503, headers: soon }));
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  await assert.rejects(
    upstreams.call(callOf("far", "x")),
    (error) => error instanceof GateError && error.retryAfterMs === 7_000,
  );
});

Deno.test("a limit of one caller locks nobody out, and a date says how long to wait", async () => {
  const at = new Date(Date.now() + 60_000).toUTCString();
  await using server = startRawHttpServer(({ method, params }) =>
    method === "tools/call" && (params.arguments as { city?: string }).city === undefined
      ? new Response(null, { status: 429, headers: { "retry-after": at } })
      : null
  );
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  for (let time = 0; time < 7; time++) {
    const { isError, retryAfterMs = 0 } = await upstreams.call(callOf("far", "weather"));
    assert.ok(isError && retryAfterMs > 30_000 && retryAfterMs <= 60_000, String(retryAfterMs));
  }
  assert.equal((await upstreams.call(callOf("far", "weather", { city: "Oslo" }))).isError, false);
});

Deno.test("a request that is taken with HTTP 202 and not answered fails at once", async () => {
  const bodies: readonly (() => Response)[] = [
    () => new Response(null, { status: 202 }),
    () => new Response("Accepted", { status: 202, headers: PLAIN }),
    () => new Response("", { status: 202, headers: { "content-type": "application/json" } }),
  ];
  for (const body of bodies) {
    await using server = startRawHttpServer(({ method }) =>
      method === "tools/call" ? body() : null
    );
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    await assert.rejects(
      upstreams.call(callOf("far", "x")),
      withCode("ERR_UPSTREAM_RESULT", /took the request \(HTTP 202\) and gave no answer/),
    );
  }
});

Deno.test("an answer that comes with HTTP 202, or later on the stream of the session, is read", async () => {
  const result = { content: [{ type: "text", text: "hi" }] };
  const event = (id: unknown) => `data: ${JSON.stringify({ jsonrpc: "2.0", id, result })}\n\n`;
  const answers: readonly ((id: number) => Response)[] = [
    (id) => rpcResponse(id, { result }, { status: 202 }),
    (id) => new Response(JSON.stringify({ jsonrpc: "2.0", id, result }), { status: 202 }),
    (id) => new Response(event(id), { status: 202, headers: EVENTS }),
  ];
  for (const answer of answers) {
    await using server = startRawHttpServer(({ id, method }) =>
      method === "tools/call" ? answer(id) : null
    );
    await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
    assert.equal(wordsOf(await upstreams.call(callOf("far", "x"))), "hi");
  }

  let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  const open = new Response(
    new ReadableStream({ start: (controller) => void (stream = controller) }),
    { headers: EVENTS },
  );
  await using server = startRawHttpServer(({ id, method }) => {
    if (method !== "tools/call") return null;
    stream?.enqueue(new TextEncoder().encode(event(id)));
    return new Response(null, { status: 202 });
  }, () => open);
  await using upstreams = openTestUpstreams({ mcpServers: { far: { url: server.url } } });
  await upstreams.list("far");
  assert.equal(wordsOf(await upstreams.call(callOf("far", "x"))), "hi");
});
