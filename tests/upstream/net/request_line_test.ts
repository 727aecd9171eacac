import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import { OutboundRefusedError } from "../../../src/upstream/net/address_guard.ts";
import { createOutbound, type OutboundOptions } from "../../../src/upstream/net/outbound_fetch.ts";
import { headerOf, listenRaw, rawAnswer, type RawRequest } from "../../fakes/raw_listener.ts";

const pem = (name: string) =>
  Deno.readTextFile(new URL(`../../fakes/tls/${name}.pem`, import.meta.url));

/** Every name leads to this machine. */
function open(options: Partial<OutboundOptions> = {}) {
  const outbound = createOutbound({
    configured: [],
    allowPrivateNetwork: true,
    responseBytesMax: 100_000,
    env: () => ({}),
    lookup: () => Promise.resolve(["127.0.0.1"]),
    ...options,
  });
  return { ...outbound, [Symbol.asyncDispose]: () => outbound.close() };
}

function last(requests: readonly RawRequest[]): RawRequest {
  return requests.at(-1) ?? assert.fail("nothing came");
}

Deno.test("a server over http gets a request line in origin-form and the name in Host", async () => {
  await using server = listenRaw();
  await using outbound = open();
  const { port } = server;
  const cases = [
    [`http://127.0.0.1:${port}`, "/", `127.0.0.1:${port}`],
    [`http://127.0.0.1:${port}/mcp?x=1&y=a%20b`, "/mcp?x=1&y=a%20b", `127.0.0.1:${port}`],
    [
      `http://shop.example:${port}/a%2Fb/%E2%82%AC;v=1`,
      "/a%2Fb/%E2%82%AC;v=1",
      `shop.example:${port}`,
    ],
    [`http://shop.example:${port}/p?`, "/p?", `shop.example:${port}`],
    [
      `http://shop.example:${port}?q=http://other.example/`,
      "/?q=http://other.example/",
      `shop.example:${port}`,
    ],
    [`http://shop.example:${port}//double/../up?q#part`, "//up?q", `shop.example:${port}`],
    [`http://b\u00fccher.example:${port}/`, "/", `xn--bcher-kva.example:${port}`],
    [`http://SHOP.example.:${port}/`, "/", `shop.example.:${port}`],
    [`http://2130706433:${port}/`, "/", `127.0.0.1:${port}`],
  ] as const;
  for (const [url, target, host] of cases) {
    assert.equal(await (await outbound.fetch(url)).text(), "ok");
    const request = last(server.requests);
    assert.equal(request.line, `GET ${target} HTTP/1.1`, url);
    assert.equal(headerOf(request, "host"), host, url);
    assert.equal(request.framing, "none");
  }
});

Deno.test("a server over http and IPv6 gets its address in brackets", async () => {
  await using server = listenRaw({ hostname: "::1" });
  await using outbound = open({ lookup: () => Promise.resolve(["::1"]) });
  const { port } = server;
  for (const host of [`[::1]:${port}`, `six.example:${port}`]) {
    const response = await outbound.fetch(`http://${host}/mcp`, { method: "POST", body: "{}" });
    assert.equal(await response.text(), "ok");
    const request = last(server.requests);
    assert.equal(request.line, "POST /mcp HTTP/1.1");
    assert.equal(headerOf(request, "host"), host);
  }
});

Deno.test("a body of known length is framed by it, a stream by chunks, and headers by names of HTTP", async () => {
  await using server = listenRaw();
  await using outbound = open();
  const url = `http://shop.example:${server.port}/orders`;
  const form = new FormData();
  form.append("file", new Blob(["abc"]), "a.txt");
  const bodies: readonly [RequestInit["body"], string, RegExp][] = [
    ["caf\u00e9", "content-length", /^caf\u00c3\u00a9$/],
    [new Uint8Array([65, 66]), "content-length", /^AB$/],
    [new URLSearchParams({ a: "1 2" }), "content-length", /^a=1\+2$/],
    [form, "content-length", /filename="a\.txt"[^]*abc/],
    [ReadableStream.from([new TextEncoder().encode("flow")]), "chunked", /^flow$/],
    ["", "content-length", /^$/],
  ];
  for (const [body, framing, bytes] of bodies) {
    const headers = { "x-request": "1", "mcp-name": "=?base64?w6k=?=" };
    await (await outbound.fetch(url, { method: "POST", body: body ?? null, headers })).text();
    const request = last(server.requests);
    assert.equal(request.framing, framing, String(body));
    assert.match(request.body, bytes);
    assert.equal(headerOf(request, "x-request"), "1");
    assert.equal(headerOf(request, "mcp-name"), "=?base64?w6k=?=");
    for (const [name] of request.headers) assert.match(name, /^[a-z0-9-]+$/);
    assert.ok(!request.headers.some(([name]) => name.startsWith("proxy-")));
  }
});

Deno.test("headers of the connection are ours: what a caller says in them is not sent", async () => {
  await using server = listenRaw();
  await using outbound = open();
  const url = `http://shop.example:${server.port}/`;
  const headers = {
    Host: "evil.example",
    "Content-Length": "999",
    "Transfer-Encoding": "chunked",
    Connection: "close",
    Upgrade: "h2c",
    "Proxy-Authorization": "Basic eDp5",
  };
  const response = await outbound.fetch(url, { method: "POST", body: "four", headers });
  assert.equal(await response.text(), "ok");
  const request = last(server.requests);
  assert.equal(headerOf(request, "host"), `shop.example:${server.port}`);
  assert.equal(headerOf(request, "content-length"), "4");
  assert.equal(request.body, "four");
  const names = request.headers.map(([name]) => name);
  for (const name of ["transfer-encoding", "connection", "upgrade", "proxy-authorization"]) {
    assert.ok(!names.includes(name), name);
  }
});

Deno.test("a header with a line break is refused before anything is sent", async () => {
  await using server = listenRaw();
  await using outbound = open();
  const url = `http://shop.example:${server.port}/`;
  for (const value of ["a\r\nx-evil: 1", "a\nb", "a\0b"]) {
    await assert.rejects(outbound.fetch(url, { headers: [["x-note", value]] }), TypeError);
  }
  assert.equal(server.requests.length, 0);
  assert.deepEqual(server.garbage, []);
});

Deno.test("a server that says 100 Continue first is waited for", async () => {
  await using server = listenRaw({
    answer: () => `HTTP/1.1 100 Continue\r\n\r\n${rawAnswer("200 OK", {}, "done")}`,
  });
  await using outbound = open();
  const url = `http://shop.example:${server.port}/`;
  const init = { method: "POST", body: "x", headers: { expect: "100-continue" } };
  assert.equal(await (await outbound.fetch(url, init)).text(), "done");
  assert.equal(last(server.requests).body, "x");
});

Deno.test("a redirect is followed in origin-form, with the Host of its own URL", async () => {
  await using server = listenRaw({
    answer: ({ line }) =>
      line.startsWith("GET /old")
        ? rawAnswer("307 Temporary Redirect", { location: "/new?a=%2F" })
        : rawAnswer("200 OK", {}, "new"),
  });
  await using outbound = open();
  const url = `http://shop.example:${server.port}/old`;
  assert.equal(await (await outbound.fetch(url)).text(), "new");
  assert.deepEqual(server.requests.map(({ line }) => line), [
    "GET /old HTTP/1.1",
    "GET /new?a=%2F HTTP/1.1",
  ]);
  assert.equal(headerOf(last(server.requests), "host"), `shop.example:${server.port}`);
});

Deno.test("two names on one address share a connection, and each keeps its Host", async () => {
  await using server = listenRaw();
  await using outbound = open();
  for (const name of ["one.example", "two.example", "one.example"]) {
    await (await outbound.fetch(`http://${name}:${server.port}/`)).text();
  }
  assert.deepEqual(
    server.requests.map((request) => headerOf(request, "host")),
    ["one.example", "two.example", "one.example"].map((name) => `${name}:${server.port}`),
  );
});

Deno.test("a server that speaks HTTP/2 gets the path and the authority, whatever a caller says of Host", async () => {
  const seen: unknown[] = [];
  const server = createSecureServer({ cert: await pem("certificate"), key: await pem("key") });
  server.on("stream", (stream, headers) => {
    seen.push([headers[":method"], headers[":path"], headers[":authority"], headers.host]);
    stream.respond({ ":status": 200 });
    stream.end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await using outbound = open({ caCerts: [await pem("authority")] });
  const init = { method: "POST", body: "x", headers: { host: "evil.example" } };
  const response = await outbound.fetch(`https://127.0.0.1:${port}/a%2Fb?q=1`, init);
  assert.equal(await response.text(), "ok");
  assert.deepEqual(seen, [["POST", "/a%2Fb?q=1", `127.0.0.1:${port}`, undefined]]);
  await outbound.close();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("behind a proxy a name that our resolver knows to be internal is refused all the same", async () => {
  await using proxy = listenRaw();
  const env = () => ({ HTTP_PROXY: `http://127.0.0.1:${proxy.port}` });
  const url = "http://proxied.test/v1";
  const inner = () => Promise.resolve(["10.0.0.1"]);
  await using internal = open({ env, allowPrivateNetwork: false, lookup: inner });
  await assert.rejects(internal.fetch(url), OutboundRefusedError);
  assert.equal(proxy.requests.length, 0);
  let asked = 0;
  const unknown = () => {
    asked++;
    return Promise.reject(new Error("getaddrinfo ENOTFOUND"));
  };
  await using external = open({ env, allowPrivateNetwork: false, lookup: unknown });
  for (let n = 0; n < 2; n++) assert.equal(await (await external.fetch(url)).text(), "ok");
  assert.equal(last(proxy.requests).line, "GET http://proxied.test/v1 HTTP/1.1");
  // A resolver that does not know the outside is not asked for each call.
  assert.equal(asked, 1);
});

Deno.test("behind a proxy a resolver that never answers holds a call up for a second", async () => {
  await using proxy = listenRaw();
  const env = () => ({ HTTP_PROXY: `http://127.0.0.1:${proxy.port}` });
  const never = () => new Promise<never>(() => {});
  await using outbound = open({ env, allowPrivateNetwork: false, lookup: never });
  assert.equal(await (await outbound.fetch("http://proxied.test/")).text(), "ok");
});

Deno.test("a URL with a user in it is not called", async () => {
  await using server = listenRaw();
  await using outbound = open();
  const url = `http://user:pass@127.0.0.1:${server.port}/`;
  await assert.rejects(outbound.fetch(url), OutboundRefusedError);
  assert.equal(server.requests.length, 0);
});

Deno.test("the next address of a name is tried when one refuses, and the request is sent once", async () => {
  await using server = listenRaw({ hostname: "::1" });
  await using outbound = open({ lookup: () => Promise.resolve(["::1", "127.0.0.1"]) });
  const url = `http://both.example:${server.port}/`;
  assert.equal(await (await outbound.fetch(url, { method: "POST", body: "x" })).text(), "ok");
  assert.equal(server.requests.length, 1);
  const once = ReadableStream.from([new Uint8Array([65])]);
  await assert.rejects(outbound.fetch(url, { method: "POST", body: once }), /refuses connections/);
});
