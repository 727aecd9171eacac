import assert from "node:assert/strict";
import { joinTo } from "../../fakes/join_to.ts";
import {
  headerOf,
  listenRaw,
  rawAnswer,
  type RawListener,
  type RawListenerOptions,
  type RawRequest,
} from "../../fakes/raw_listener.ts";
import { type ProbeInput, runProbe } from "../../fakes/wire_probe.ts";

const tls = {
  cert: await Deno.readTextFile(new URL("../../fakes/tls/certificate.pem", import.meta.url)),
  key: await Deno.readTextFile(new URL("../../fakes/tls/key.pem", import.meta.url)),
};
const NOWHERE = "http://127.0.0.1:9"; // no request may go there

/** Answers as an MCP server of 2025 at /mcp, and as an API elsewhere. */
function answer(request: RawRequest): string {
  const json = { "content-type": "application/json" };
  const [method, target = ""] = request.line.split(" ");
  if (!target.includes("/mcp")) return rawAnswer("200 OK", json, '{"seen":true}');
  if (method !== "POST") return rawAnswer("405 Method Not Allowed", {});
  const message = JSON.parse(request.body);
  if (message.id === undefined) return rawAnswer("202 Accepted", {});
  const results: { readonly [method: string]: unknown } = {
    initialize: {
      protocolVersion: "2025-06-18",
      capabilities: { tools: {} },
      serverInfo: { name: "raw", version: "1" },
    },
    "tools/list": { tools: [{ name: "look", inputSchema: { type: "object" } }] },
    "tools/call": { content: [{ type: "text", text: "seen" }] },
  };
  const result = results[message.method];
  const error = { code: -32_601, message: "Method not found" };
  const body = { jsonrpc: "2.0", id: message.id, ...(result ? { result } : { error }) };
  return rawAnswer("200 OK", json, JSON.stringify(body));
}

const DOCUMENT = {
  openapi: "3.0.3",
  info: { title: "items", version: "1" },
  paths: {
    "/items/{id}": {
      post: {
        operationId: "put",
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string" } },
          { name: "q", in: "query", schema: { type: "string" } },
          { name: "Host", in: "header", schema: { type: "string" } },
          { name: "X-Note", in: "header", schema: { type: "string" } },
        ],
        requestBody: {
          content: { "application/json": { schema: { type: "object", properties: { n: {} } } } },
        },
        responses: { 200: { description: "ok" } },
      },
    },
  },
};

/** An MCP server and an API at each origin, with one call of each. Every call must be answered. */
async function probeOrigins(
  origins: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<void> {
  const spec = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(spec, JSON.stringify(DOCUMENT));
  const args = { id: "a/b \u20ac", q: "x y", Host: "evil.example", "X-Note": "n", n: 1 };
  const input: ProbeInput = {
    config: {
      mcpServers: Object.fromEntries(origins.map((origin, index) => [
        `far${index}`,
        { url: `${origin}/mcp?key=a%20b`, allowPrivateNetwork: true },
      ])),
      openapi: Object.fromEntries(origins.map((origin, index) => [
        `api${index}`,
        { spec, baseUrl: `${origin}/v1`, allowPrivateNetwork: true },
      ])),
    },
    calls: origins.flatMap((_, index) => [
      { server: `far${index}`, name: "look", args: {} },
      { server: `api${index}`, name: "put", args },
    ]),
  };
  try {
    const { answers, left } = await runProbe(input, env);
    assert.equal(answers.length, origins.length * 2);
    for (const text of answers) assert.match(text, /seen/);
    assert.deepEqual(left, []);
  } finally {
    await Deno.remove(spec);
  }
}

function assertDirect(server: RawListener, host: string): void {
  assert.deepEqual(server.garbage, []);
  const lines = new Set(server.requests.map(({ line }) => line));
  assert.ok(lines.has("POST /mcp?key=a%20b HTTP/1.1"), [...lines].join("\n"));
  assert.ok(lines.has("POST /v1/items/a%2Fb%20%E2%82%AC?q=x%20y HTTP/1.1"), [...lines].join("\n"));
  for (const request of server.requests) {
    assert.match(request.line, /^(GET|POST|DELETE) \/[^ ]* HTTP\/1\.1$/);
    assert.equal(headerOf(request, "host"), host);
    if (request.line.startsWith("POST")) assert.equal(request.framing, "content-length");
    const names = request.headers.map(([name]) => name.toLowerCase());
    assert.equal(new Set(names).size, names.length, names.join());
    assert.ok(!names.some((name) => name.startsWith("proxy-")), names.join());
  }
  const call = server.requests.find(({ line }) => line.includes("/v1/"));
  assert.equal(call?.headers.find(([name]) => name === "x-note")?.[1], "n");
  assert.equal(call?.body, '{"n":1}');
}

const PLACES: readonly { scheme: string; host: string; listen: RawListenerOptions }[] = [
  { scheme: "http", host: "127.0.0.1", listen: {} },
  { scheme: "http", host: "localhost", listen: {} },
  { scheme: "http", host: "[::1]", listen: { hostname: "::1" } },
  { scheme: "https", host: "127.0.0.1", listen: { tls } },
  { scheme: "https", host: "[::1]", listen: { hostname: "::1", tls } },
];
const ENVIRONMENTS: readonly { name: string; env: { readonly [name: string]: string } }[] = [
  { name: "without proxies", env: {} },
  { name: "with exceptions from proxies", env: { NO_PROXY: "*", no_proxy: "127.0.0.1,localhost" } },
  {
    name: "with proxies, which loopback does not use",
    env: { HTTP_PROXY: NOWHERE, https_proxy: NOWHERE, ALL_PROXY: NOWHERE, REQUEST_METHOD: "GET" },
  },
];

for (const { name, env } of ENVIRONMENTS) {
  Deno.test(`MCP and OpenAPI requests over http and https are right on the wire, ${name}`, async () => {
    await using stack = new AsyncDisposableStack();
    const places = PLACES.map(({ scheme, host, listen }) => {
      const server = stack.use(listenRaw({ ...listen, answer }));
      const authority = `${host}:${server.port}`;
      return { server, authority, origin: `${scheme}://${authority}` };
    });
    await probeOrigins(places.map(({ origin }) => origin), env);
    for (const { server, authority } of places) assertDirect(server, authority);
  });
}

Deno.test("a proxy of the site gets the absolute form over http, with its own credential alone", async () => {
  await using proxy = listenRaw({ answer });
  const env = { http_proxy: `http://us%40er:pa%3Ass@127.0.0.1:${proxy.port}`, NO_PROXY: ".other" };
  await probeOrigins(["http://far.test:8080"], env);
  const lines = new Set(proxy.requests.map(({ line }) => line));
  assert.ok(lines.has("POST http://far.test:8080/mcp?key=a%20b HTTP/1.1"), [...lines].join("\n"));
  for (const request of proxy.requests) {
    assert.match(request.line, /^(GET|POST|DELETE) http:\/\/far\.test:8080\/[^ ]* HTTP\/1\.1$/);
    assert.equal(headerOf(request, "host"), "far.test:8080");
    assert.equal(headerOf(request, "proxy-authorization"), `Basic ${btoa("us@er:pa:ss")}`);
  }
});

Deno.test("a proxy of the site is asked for a tunnel over https, and the server sees origin-form", async () => {
  await using server = listenRaw({ tls, answer });
  await using proxy = listenRaw({
    connect: joinTo(server.port),
  });
  await probeOrigins(["https://pinned.test:8443"], {
    HTTPS_PROXY: `me:s3cret@127.0.0.1:${proxy.port}`,
    HTTP_PROXY: NOWHERE,
  });
  for (const request of proxy.requests) {
    assert.equal(request.line, "CONNECT pinned.test:8443 HTTP/1.1");
    assert.equal(headerOf(request, "proxy-authorization"), `Basic ${btoa("me:s3cret")}`);
  }
  assertDirect(server, "pinned.test:8443");
});

Deno.test("an exception from the proxy is called directly, at the address that was checked", async () => {
  await using server = listenRaw({ answer });
  await probeOrigins([`http://localhost:${server.port}`], {
    HTTP_PROXY: NOWHERE,
    NO_PROXY: "localhost",
  });
  assertDirect(server, `localhost:${server.port}`);
});

Deno.test("no variable of the environment undoes the pin of a checked address", async () => {
  const probe = new URL("../../fakes/rebind_probe.ts", import.meta.url).pathname;
  const environments: { readonly [name: string]: string }[] = [
    {},
    { NO_PROXY: "*" },
    { no_proxy: "localhost", HTTP_PROXY: NOWHERE, https_proxy: NOWHERE },
    { REQUEST_METHOD: "GET", HTTP_PROXY: NOWHERE, ALL_PROXY: NOWHERE },
  ];
  await Promise.all(environments.map(async (env) => {
    const { stdout, code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--cached-only", "--no-prompt", "--no-check", "-A", probe],
      env,
      stderr: "inherit",
    }).output();
    assert.equal(code, 0);
    assert.equal(new TextDecoder().decode(stdout).trim(), "0", JSON.stringify(env));
  }));
});

Deno.test("issuers and receivers are called through the proxy too, and see nothing of its password", async () => {
  await using server = listenRaw({ tls, answer });
  await using proxy = listenRaw({ answer, connect: joinTo(server.port) });
  const site = {
    urls: ["http://far.test:8080/jwks", "https://pinned.test:8443/jwks"],
    command: 'printf %s "$HTTP_PROXY"',
  };
  const url = `http://me:s3cret@127.0.0.1:${proxy.port}`;
  const env = { HTTP_PROXY: url, https_proxy: url };
  const { fetched, printed, left } = await runProbe({ config: {}, calls: [], site }, env);
  assert.deepEqual(fetched, ['{"seen":true}', '{"seen":true}']);
  assert.deepEqual([printed, left], [url, []]);
  assert.deepEqual(proxy.requests.map(({ line }) => line), [
    "GET http://far.test:8080/jwks HTTP/1.1",
    "CONNECT pinned.test:8443 HTTP/1.1",
  ]);
  for (const request of proxy.requests) {
    assert.equal(headerOf(request, "proxy-authorization"), `Basic ${btoa("me:s3cret")}`);
  }
  assert.equal(server.requests[0]?.line, "GET /jwks HTTP/1.1");
  assert.ok(!JSON.stringify(server.requests).includes("proxy-authorization"));
});
