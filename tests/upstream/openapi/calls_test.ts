import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { documentOf, startEchoApi } from "../../fakes/echo_api.ts";
import { callOf, openTestUpstreams } from "../../fakes/upstream_parts.ts";

const withCode = (code: string) => (error: unknown) =>
  error instanceof GateError && error.code === code;
const GET_X = documentOf("/x", "get", {});

Deno.test("list() gives an MCP definition for each operation", async () => {
  const document = documentOf("/users/{id}", "delete", {
    operationId: "users/delete",
    summary: "Delete a user",
    description: "For ever.",
    tags: ["users"],
    parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
  }, { servers: [{ url: "https://api.example.com/v1?key=abc" }] });
  await using api = await startEchoApi(document, { baseUrl: undefined });
  const listing = await api.upstreams.list("api");
  assert.equal(listing.title, "Test API");
  assert.equal(listing.identity, "https://api.example.com/v1");
  assert.deepEqual(listing.tools, [{
    name: "users/delete",
    title: "Delete a user",
    description: "Delete a user\nFor ever.",
    inputSchema: {
      type: "object",
      properties: { id: { type: "string" } },
      required: ["id"],
      additionalProperties: false,
    },
    annotations: {
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: true,
      openWorldHint: true,
    },
    _meta: {
      "toolgate/http": { method: "DELETE", path: "/users/{id}" },
      "toolgate/tags": ["users"],
    },
  }]);
  assert.equal(api.upstreams.status("api").status, "ready");
});

Deno.test("list() refuses a document without operations, with the reason", async () => {
  for (const more of [{ paths: {} }, { paths: undefined }, { paths: { "x-y": {} } }]) {
    await using api = await startEchoApi({ ...GET_X, ...more });
    await assert.rejects(api.upstreams.list("api"), /it describes no operations \(paths\)/);
    assert.equal(api.upstreams.status("api").status, "down");
  }
});

Deno.test("answers become values: JSON, text, nothing, files and errors", async () => {
  let next: () => Response = () => new Response();
  await using api = await startEchoApi(GET_X, {}, () => next());
  const call = () => api.upstreams.call(callOf("api", "op"));
  const typed = (body: BodyInit, type: string) =>
    new Response(body, { headers: { "content-type": type } });

  next = () => Response.json([{ a: 1 }]);
  assert.deepEqual((await call()).structuredContent, [{ a: 1 }]);
  next = () => typed('{"b":2}', "application/problem+json; charset=utf-8");
  assert.deepEqual((await call()).structuredContent, { b: 2 });
  next = () => typed("plain", "text/plain");
  assert.deepEqual((await call()).content, [{ type: "text", text: "plain" }]);
  next = () => typed("{broken", "application/json");
  assert.deepEqual((await call()).content, [{ type: "text", text: "{broken" }]);
  next = () => new Response(null, { status: 204 });
  assert.equal((await call()).structuredContent, null);
  next = () => typed(new Uint8Array([1, 2, 3]), "image/png");
  assert.deepEqual((await call()).content, [{
    type: "resource",
    resource: { uri: "response:", mimeType: "image/png", blob: "AQID" },
  }]);
  next = () => Response.json({ message: "no such user" }, { status: 404 });
  const failed = await call();
  assert.equal(failed.isError, true);
  assert.match(JSON.stringify(failed.content), /HTTP 404 Not Found: .*no such user/);
});

Deno.test("an answer over the call's limit is refused, one at it is not", async () => {
  await using api = await startEchoApi(GET_X, {}, () => new Response("x".repeat(1_000)));
  const call = (resultBytesMax: number) =>
    api.upstreams.call(callOf("api", "op", {}, { resultBytesMax }));
  assert.equal((await call(1_000)).bytes, 1_000);
  await assert.rejects(call(999), withCode("ERR_UPSTREAM_RESULT"));
});

Deno.test("a refused credential, a timeout and a closed door are told apart", async () => {
  await using api = await startEchoApi(GET_X, {}, () => new Response("no", { status: 401 }));
  await assert.rejects(api.upstreams.call(callOf("api", "op")), withCode("ERR_CREDENTIAL"));

  const stuck = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    await stuck.promise;
    return new Response();
  });
  await using slow = await startEchoApi(GET_X, {
    baseUrl: `http://127.0.0.1:${server.addr.port}`,
    timeoutMs: 200,
  });
  await assert.rejects(slow.upstreams.call(callOf("api", "op")), withCode("ERR_UPSTREAM_TIMEOUT"));
  const stop = new AbortController();
  const cancelled = slow.upstreams.call(callOf("api", "op", {}, { signal: stop.signal }));
  stop.abort();
  await assert.rejects(cancelled, withCode("ERR_CANCELLED"));
  stuck.resolve();
  await server.shutdown();
  await assert.rejects(
    slow.upstreams.call(callOf("api", "op")),
    withCode("ERR_UPSTREAM_UNREACHABLE"),
  );
});

Deno.test("security schemes take their values from the configuration", async () => {
  const secured = (security: unknown, scheme: unknown) =>
    documentOf("/x", "get", { security }, { components: { securitySchemes: { s: scheme } } });
  const seen = async (scheme: unknown, value: string, security: unknown = [{ s: [] }]) => {
    await using api = await startEchoApi(secured(security, scheme), { security: { s: value } });
    const answer = await api.upstreams.call(callOf("api", "op"));
    assert.ok(!api.upstreams.logged.some((line) => line.includes("s3cret")));
    return { ...api.seen(), credential: answer.credential };
  };
  const bearer = await seen({ type: "http", scheme: "bearer" }, "${env:SECRET}");
  assert.equal(bearer.headers.authorization, "Bearer s3cret-value-1234");
  assert.equal(bearer.credential, "scheme:s");
  const basic = await seen({ type: "http", scheme: "basic" }, "ada:pass");
  assert.equal(basic.headers.authorization, `Basic ${btoa("ada:pass")}`);
  const header = await seen({ type: "apiKey", in: "header", name: "X-Key" }, "k1");
  assert.equal(header.headers["x-key"], "k1");
  const query = await seen({ type: "apiKey", in: "query", name: "api key" }, "a&b");
  assert.equal(query.query, "api%20key=a%26b");
  const cookie = await seen({ type: "apiKey", in: "cookie", name: "sid" }, "c1");
  assert.equal(cookie.headers.cookie, "sid=c1");
  const optional = await seen({ type: "oauth2", flows: {} }, "t", [{}, { s: ["read"] }]);
  assert.equal(optional.headers.authorization, "Bearer t");
  const other = await seen({ type: "http", scheme: "bearer" }, "t", [{ another: [] }]);
  assert.equal(other.headers.authorization, undefined);
});

Deno.test("an error of the API is shown without the secrets that it repeats", async () => {
  const document = documentOf("/x", "get", {});
  const headers = { "X-Key": "${env:SECRET}" };
  await using api = await startEchoApi(
    document,
    { headers },
    (request) => new Response(`bad key ${request.headers["x-key"]}`, { status: 403 }),
  );
  const answer = await api.upstreams.call(callOf("api", "op"));
  assert.deepEqual(answer.content, [{ type: "text", text: "HTTP 403 Forbidden: bad key ***" }]);
});

Deno.test("a document cannot send calls to this machine, the operator can", async () => {
  const document = documentOf("/x", "get", {}, { servers: [{ url: "http://127.0.0.1:1/" }] });
  await using api = await startEchoApi(document, { baseUrl: undefined });
  await assert.rejects(
    api.upstreams.call(callOf("api", "op")),
    (error) =>
      withCode("ERR_UPSTREAM_UNREACHABLE")(error) &&
      /not called/.test((error as GateError).message),
  );
  await using nowhere = await startEchoApi(GET_X, { baseUrl: undefined });
  await assert.rejects(
    nowhere.upstreams.call(callOf("api", "op")),
    (error) => /baseUrl/.test((error as GateError).message),
  );
});

Deno.test("a document is read again when the file has changed", async () => {
  const spec = await Deno.makeTempFile({ prefix: "toolgate-openapi-", suffix: ".json" });
  await Deno.writeTextFile(spec, JSON.stringify(documentOf("/x", "get", { operationId: "first" })));
  {
    await using upstreams = openTestUpstreams({ openapi: { api: { spec } } });
    const names = async () =>
      (await upstreams.list("api")).tools.map((tool) => (tool as { name: string }).name);
    assert.deepEqual(await names(), ["first"]);
    await Deno.writeTextFile(
      spec,
      JSON.stringify(documentOf("/x", "get", { operationId: "second_one" })),
    );
    assert.deepEqual(await names(), ["second_one"]);
    await Deno.writeTextFile(spec, "{ broken");
    await assert.rejects(names(), withCode("ERR_CONFIG"));
    assert.equal(upstreams.status("api").status, "down");
  }
  await Deno.remove(spec);
});

Deno.test("a missing document is an error that names it", async () => {
  await using upstreams = openTestUpstreams({ openapi: { api: { spec: "/no/such/file.yaml" } } });
  await assert.rejects(upstreams.list("api"), /\/no\/such\/file\.yaml.*no such file/);
});

Deno.test("what a document or an answer says is never a reference to a secret", async () => {
  const text = "${env:SECRET}";
  const document = documentOf("/x", "get", {
    summary: text,
    security: [{ [text]: [] }],
    parameters: [
      { name: `q${text}`, in: "query", schema: { type: "string", default: text } },
      { name: "h", in: "header", required: true, schema: { const: text } },
    ],
  }, { components: { securitySchemes: { [text]: { type: "apiKey", in: "query", name: text } } } });
  await using api = await startEchoApi(
    document,
    { security: { [text]: "k1" } },
    () => Response.json({ next: text }),
  );
  const answer = await api.upstreams.call(callOf("api", "op", { [`q${text}`]: text, h: text }));
  assert.deepEqual(answer.structuredContent, { next: text });
  const { query, headers } = api.seen();
  assert.equal(headers.h, text);
  assert.ok(decodeURIComponent(query).includes(`${text}=k1`));
  assert.ok(!JSON.stringify([query, headers]).includes("s3cret"));
});
