import assert from "node:assert/strict";
import { OutboundRefusedError } from "../../../src/upstream/net/address_guard.ts";
import { createOutbound, type OutboundOptions } from "../../../src/upstream/net/outbound_fetch.ts";
import { documentOf, startEchoApi } from "../../fakes/echo_api.ts";
import { headerOf, listenRaw, rawAnswer } from "../../fakes/raw_listener.ts";
import { callOf } from "../../fakes/upstream_parts.ts";

const file = (name: string) =>
  Deno.readTextFile(new URL(`../../fakes/tls/${name}`, import.meta.url));

function open(options: Partial<OutboundOptions> = {}) {
  const outbound = createOutbound({
    configured: [],
    allowPrivateNetwork: true,
    responseBytesMax: 1_000,
    env: () => ({}),
    lookup: () => Promise.resolve(["127.0.0.1"]),
    ...options,
  });
  return { ...outbound, [Symbol.asyncDispose]: () => outbound.close() };
}

Deno.test("a GET with a body is sent with it, over http and https", async () => {
  const cert = await file("certificate.pem");
  const authority = await file("authority.pem");
  const tls = { cert, key: await file("key.pem") };
  const places = [["http", "shop.example"], ["https", "pinned.test"], [
    "https",
    "127.0.0.1",
  ]] as const;
  for (const [scheme, host] of places) {
    await using server = listenRaw({
      ...(scheme === "https" ? { tls } : {}),
      answer: () => rawAnswer("200 Fine", { "content-type": "application/json" }, '{"hits":1}'),
    });
    await using outbound = open({ caCerts: [authority] });
    const response = await outbound.fetch(`${scheme}://${host}:${server.port}/_search?q=1`, {
      method: "GET",
      headers: { "content-type": "application/json" },
      body: '{"é":1}',
    });
    assert.deepEqual([response.status, await response.json()], [200, { hits: 1 }], scheme);
    const [request] = server.requests;
    assert.ok(request !== undefined, scheme);
    assert.equal(request.line, "GET /_search?q=1 HTTP/1.1");
    assert.equal(headerOf(request, "host"), `${host}:${server.port}`);
    assert.deepEqual([request.framing, headerOf(request, "content-length")], [
      "content-length",
      "8",
    ]);
    assert.equal(request.body.length, 8);
  }
});

Deno.test("a GET with a body goes to checked addresses only, and ends with its signal", async () => {
  await using guarded = open({ allowPrivateNetwork: false });
  const get = { method: "GET", body: "x" };
  await assert.rejects(guarded.fetch("http://shop.example/", get), OutboundRefusedError);
  await using outbound = open();
  const stop = new AbortController();
  await using server = listenRaw({
    answer() {
      stop.abort();
      return "";
    },
  });
  const url = `http://shop.example:${server.port}/`;
  await assert.rejects(outbound.fetch(url, { ...get, signal: stop.signal }), {
    name: "AbortError",
  });
  await using proxied = open({ env: () => ({ HTTP_PROXY: "http://127.0.0.1:9" }) });
  await assert.rejects(proxied.fetch("http://shop.example/", get), /through a proxy of the site/);
});

Deno.test("an operation with GET sends the body that its document declares", async () => {
  await using server = listenRaw({ answer: () => rawAnswer("200 OK", {}, "[]") });
  const schema = { type: "object", properties: { query: { type: "string" } } };
  const requestBody = { content: { "application/json": { schema } } };
  await using api = await startEchoApi(documentOf("/s", "get", { requestBody }), {
    baseUrl: `http://127.0.0.1:${server.port}`,
  });
  await api.upstreams.call(callOf("api", "op", { query: "x" }));
  await api.upstreams.call(callOf("api", "op", {}));
  assert.deepEqual(server.requests.map(({ line, body }) => [line, body]), [
    ["GET /s HTTP/1.1", '{"query":"x"}'],
    ["GET /s HTTP/1.1", ""],
  ]);
});
