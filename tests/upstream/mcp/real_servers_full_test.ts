import assert from "node:assert/strict";
import { nodeScript, type RealServerOptions, startRealServer } from "../../fakes/real_server.ts";
import { callOf, openTestUpstreams } from "../../fakes/upstream_parts.ts";

const UVICORN: RealServerOptions = {
  command: "/usr/bin/python3",
  args: [new URL("../../servers/uvicorn_starlette.py", import.meta.url).pathname, "PORT"],
};

/** Each offers a tool that adds two numbers. */
const ADDERS: readonly { readonly name: string; readonly options: RealServerOptions }[] = [
  { name: "uvicorn with Starlette and h11", options: UVICORN },
  { name: "the v1 SDK on Express", options: nodeScript("sdk_v1_express.mjs") },
  { name: "the v2 SDK's Node adapter", options: nodeScript("sdk_v2_node.mjs") },
  { name: "fastmcp", options: nodeScript("fastmcp.mjs") },
];

function namesOf(tools: readonly unknown[]): string[] {
  return tools.map((tool) => (tool as { name: string }).name);
}

for (const { name, options } of ADDERS) {
  Deno.test(`a server on ${name} is listed and called over HTTP`, async () => {
    await using server = await startRealServer(options);
    await using upstreams = openTestUpstreams({
      mcpServers: { far: { url: `${server.origin}/mcp` } },
    });
    assert.deepEqual(namesOf((await upstreams.list("far")).tools), ["add"], server.output());
    for (const [a, b] of [[2, 3], [40, 2]] as const) {
      const { content, isError } = await upstreams.call(callOf("far", "add", { a, b }));
      assert.equal(isError, false, JSON.stringify(content));
      assert.deepEqual(content, [{ type: "text", text: String(a + b) }]);
    }
    assert.deepEqual([upstreams.status("far").status, upstreams.status("far").error], [
      "ready",
      null,
    ]);
  });
}

Deno.test("Context7 is listed over HTTP", async () => {
  await using server = await startRealServer({
    command: "node",
    args: [
      "node_modules/@upstash/context7-mcp/dist/index.js",
      "--transport",
      "http",
      "--port",
      "PORT",
    ],
  });
  await using upstreams = openTestUpstreams({
    mcpServers: { context7: { url: `${server.origin}/mcp` } },
  });
  const names = namesOf((await upstreams.list("context7")).tools);
  assert.ok(names.includes("resolve-library-id") && names.length >= 2, names.join());
});

Deno.test("the reference server of the protocol is listed and called over HTTP", async () => {
  await using server = await startRealServer({
    command: "node",
    args: ["node_modules/@modelcontextprotocol/server-everything/dist/index.js", "streamableHttp"],
    env: { PORT: "PORT" },
  });
  await using upstreams = openTestUpstreams({
    mcpServers: { everything: { url: `${server.origin}/mcp` } },
  });
  const names = namesOf((await upstreams.list("everything")).tools);
  assert.ok(names.includes("get-sum") && names.length >= 8, names.join());
  const { content } = await upstreams.call(callOf("everything", "get-sum", { a: 2, b: 3 }));
  assert.match(JSON.stringify(content), /5/);
});

Deno.test("the git server is listed and called over HTTP", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startRealServer({
    command: "node",
    args: ["node_modules/@cyanheads/git-mcp-server/dist/index.js"],
    env: {
      MCP_TRANSPORT_TYPE: "http",
      MCP_HTTP_HOST: "127.0.0.1",
      MCP_HTTP_PORT: "PORT",
      GIT_BASE_DIR: folder,
      LOGS_DIR: `${folder}/logs`,
    },
  });
  await using upstreams = openTestUpstreams({
    mcpServers: { git: { url: `${server.origin}/mcp` } },
  });
  const names = namesOf((await upstreams.list("git")).tools);
  assert.ok(names.includes("git_init") && names.length >= 20, names.join());
  const path = `${folder}/new`;
  await Deno.mkdir(path);
  const answer = await upstreams.call(callOf("git", "git_init", { path }));
  assert.equal(answer.isError, false, JSON.stringify(answer));
  assert.ok((await Deno.stat(`${path}/.git`)).isDirectory);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an API on uvicorn sees the path, the query and the host that were meant", async () => {
  await using server = await startRealServer(UVICORN);
  const spec = await Deno.makeTempFile({ suffix: ".json" });
  const parameters = [
    { name: "id", in: "path", required: true, schema: { type: "string" } },
    { name: "q", in: "query", schema: { type: "string" } },
  ];
  const responses = { 200: { description: "ok" } };
  const body = {
    content: { "application/json": { schema: { type: "object", properties: { n: {} } } } },
  };
  await Deno.writeTextFile(
    spec,
    JSON.stringify({
      openapi: "3.1.0",
      info: { title: "items", version: "1" },
      paths: {
        "/items/{id}": {
          parameters,
          get: { operationId: "get", responses },
          post: { operationId: "post", requestBody: body, responses },
        },
      },
    }),
  );
  try {
    await using upstreams = openTestUpstreams({
      openapi: { api: { spec, baseUrl: server.origin } },
    });
    await upstreams.list("api");
    const args = { id: "a b\u20ac", q: "x&y" };
    const seen = {
      id: "a b\u20ac",
      raw_path: "/items/a%20b%E2%82%AC",
      query: "q=x%26y",
      host: new URL(server.origin).host,
      body: "",
    };
    const read = await upstreams.call(callOf("api", "get", args));
    assert.deepEqual(read.structuredContent, seen);
    const written = await upstreams.call(callOf("api", "post", { ...args, n: 1 }));
    assert.deepEqual(written.structuredContent, { ...seen, body: '{"n":1}' });
  } finally {
    await Deno.remove(spec);
  }
});
