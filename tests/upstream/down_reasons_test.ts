import assert from "node:assert/strict";
import { listenRaw, rawAnswer, type RawListener } from "../fakes/raw_listener.ts";
import { callOf, type OpenedUpstreams, openTestUpstreams } from "../fakes/upstream_parts.ts";

const DOCUMENT = JSON.stringify({
  openapi: "3.0.3",
  info: { title: "items", version: "1" },
  paths: { "/items": { get: { operationId: "list", responses: { 200: { description: "ok" } } } } },
});

/** A place where nobody listens. */
async function deadPlace(): Promise<string> {
  const listener = listenRaw();
  await listener[Symbol.asyncDispose]();
  return `127.0.0.1:${listener.port}`;
}

async function messageOf(work: Promise<unknown>): Promise<string> {
  return await work.then(() => assert.fail("it worked"), (error) => error.message);
}

async function withSpec(use: (spec: string) => Promise<void>): Promise<void> {
  const spec = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(spec, DOCUMENT);
  await use(spec).finally(() => Deno.remove(spec));
}

Deno.test("a program and the status say why an API cannot be called, until a call works again", async () => {
  await withSpec(async (spec) => {
    const place = await deadPlace();
    await using upstreams = openTestUpstreams({
      openapi: { api: { spec, baseUrl: `http://${place}` } },
    });
    await upstreams.list("api");
    assert.equal(upstreams.status("api").status, "ready");
    assert.equal(
      await messageOf(upstreams.call(callOf("api", "list"))),
      `Cannot call "api.list": upstream "api" cannot be reached: ${place} refuses connections`,
    );
    const { status, error, down } = upstreams.status("api");
    assert.deepEqual([status, error], ["down", `${place} refuses connections`]);
    assert.ok(down !== undefined && down.since <= Date.now());
    await using server = listenAgain(place);
    await upstreams.call(callOf("api", "list"));
    assert.equal(server.requests[0]?.line, "GET /items HTTP/1.1");
    assert.equal(upstreams.status("api").status, "ready");
  });
});

function listenAgain(place: string): RawListener {
  return listenRaw({
    port: Number(place.split(":")[1]),
    answer: () => rawAnswer("200 OK", { "content-type": "application/json" }, "[]"),
  });
}

Deno.test("a document that cannot be fetched says why, to the operator and to the program", async () => {
  const place = await deadPlace();
  await using upstreams = openTestUpstreams({
    openapi: { api: { spec: `http://${place}/openapi.json?key=s3cret` } },
  });
  await assertTold(upstreams, `${place} refuses connections`);
});

Deno.test("a document that is answered with an error tells the status and the words", async () => {
  const json = { "content-type": "application/json" };
  await using server = listenRaw({
    answer: () => rawAnswer("503 Service Unavailable", json, '{"message":"closed until noon"}'),
  });
  const spec = `http://127.0.0.1:${server.port}/openapi.json`;
  await using upstreams = openTestUpstreams({ openapi: { api: { spec } } });
  const told = `Cannot use the OpenAPI document "${spec}": HTTP 503: closed until noon`;
  assert.equal(await messageOf(upstreams.list("api")), told);
  assert.equal(upstreams.status("api").error, told);
});

Deno.test("a program and the operator are told why an MCP server over HTTP gives no answer", async () => {
  const text = { "content-type": "text/plain" };
  const html = { "content-type": "text/html" };
  await using busy = listenRaw({
    answer: () => rawAnswer("503 Service Unavailable", text, "closed until noon"),
  });
  await using page = listenRaw({
    answer: () => rawAnswer("502 Bad Gateway", html, "<title>node7.internal</title>"),
  });
  const gone = await deadPlace();
  await using upstreams = openTestUpstreams({
    mcpServers: {
      busy: { url: `http://127.0.0.1:${busy.port}/mcp` },
      page: { url: `http://127.0.0.1:${page.port}/mcp` },
      gone: { url: `http://${gone}/mcp` },
      inner: { url: "http://10.1.2.3/mcp" },
    },
  });
  const cases = [
    ["busy", "HTTP 503: closed until noon", /HTTP 503: closed until noon/],
    ["page", "HTTP 502", /HTTP 502: node7\.internal/],
    ["gone", `${gone} refuses connections`, /refuses connections/],
    ["inner", "10.1.2.3 leads to a private address; set allowPrivateNetwork to call it", /private/],
  ] as const;
  for (const [server, forProgram, forOperator] of cases) {
    assert.equal(
      await messageOf(upstreams.call(callOf(server, "x"))),
      `Cannot call "${server}.x": upstream "${server}" cannot be reached: ${forProgram}`,
    );
    assert.match(upstreams.status(server).error ?? "", forOperator);
    assert.match(await messageOf(upstreams.list(server)), forOperator);
  }
});

async function assertTold(upstreams: OpenedUpstreams, reason: string): Promise<void> {
  assert.equal(await messageOf(upstreams.list("api")), `Cannot reach "api": ${reason}`);
  assert.equal(upstreams.status("api").error, reason);
  const told = await messageOf(upstreams.call(callOf("api", "list")));
  assert.equal(told, `Cannot call "api.list": upstream "api" has no readable document: ${reason}`);
}
