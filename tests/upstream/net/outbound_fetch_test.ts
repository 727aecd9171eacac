import assert from "node:assert/strict";
import { OutboundRefusedError } from "../../../src/upstream/net/address_guard.ts";
import { AnswerTooLargeError, boundResponse } from "../../../src/upstream/net/bound_response.ts";
import { createOutbound, type OutboundOptions } from "../../../src/upstream/net/outbound_fetch.ts";

function open(options: Partial<OutboundOptions> = {}) {
  const outbound = createOutbound({
    configured: [],
    allowPrivateNetwork: false,
    responseBytesMax: 1_000,
    env: () => ({}),
    ...options,
  });
  return { ...outbound, [Symbol.asyncDispose]: () => outbound.close() };
}

function serve(handler: (request: Request) => Response) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("addresses that nobody configured are refused, however they are written", async () => {
  await using outbound = open({ lookup: () => Promise.resolve(["93.184.216.34", "10.1.2.3"]) });
  const urls = [
    "http://127.0.0.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://[::ffff:127.0.0.1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://192.168.1.1:8080/",
    "https://[fd00::1]/",
    "http://0.0.0.0/",
    "http://mixed.example/",
    "https://mixed.example/",
    "http://user:password@example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
  ];
  for (const url of urls) await assert.rejects(outbound.fetch(url), OutboundRefusedError, url);
});

Deno.test("a configured loopback origin is called, another port on it is not", async () => {
  await using server = serve(() => new Response("ok"));
  const url = `http://127.0.0.1:${server.port}/`;
  await using outbound = open({ configured: [url] });
  assert.equal(await (await outbound.fetch(url)).text(), "ok");
  await assert.rejects(outbound.fetch("http://127.0.0.1:1/"), OutboundRefusedError);
});

Deno.test("a configured name that turns out to be loopback or metadata is refused", async () => {
  for (const address of ["127.0.0.1", "169.254.169.254"]) {
    await using outbound = open({
      configured: ["http://rebound.example/"],
      lookup: () => Promise.resolve([address]),
    });
    await assert.rejects(outbound.fetch("http://rebound.example/"), OutboundRefusedError);
  }
});

Deno.test("allowPrivateNetwork opens private addresses and never metadata", async () => {
  await using server = serve(() => new Response("ok"));
  await using outbound = open({ allowPrivateNetwork: true });
  const response = await outbound.fetch(`http://127.0.0.1:${server.port}/`);
  assert.equal(await response.text(), "ok");
  await assert.rejects(outbound.fetch("http://169.254.169.254/"), OutboundRefusedError);
});

Deno.test("http and https connect to the address that was checked, with the right certificate", async () => {
  const probe = new URL("../../fakes/pinned_probe.ts", import.meta.url).pathname;
  const { stdout, code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--cached-only",
      "--no-prompt",
      "--allow-env",
      "--allow-net",
      "--allow-read",
      probe,
    ],
    stderr: "inherit",
  }).output();
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
    names: ["pinned.test", "other.test"],
    answers: ["pinned.test", "pinned.test", "pinned.test", "DialError"],
  });
});

Deno.test("a redirect within the origin is followed, one to another is not", async () => {
  await using server = serve((request) => {
    const { pathname, port } = new URL(request.url);
    const to = (status: number, location: string) =>
      new Response(null, { status, headers: { location } });
    if (pathname === "/same") return to(307, "/end");
    if (pathname === "/loop") return to(302, "/loop");
    if (pathname === "/other") return to(302, `http://localhost:${port}/end?key=1`);
    if (pathname === "/made") return to(303, "/end");
    if (pathname === "/nowhere") return new Response(null, { status: 302 });
    return new Response(`${request.method} end`);
  });
  const base = `http://127.0.0.1:${server.port}`;
  await using outbound = open({ configured: [base] });
  const post = { method: "POST", body: "x" };
  assert.equal(await (await outbound.fetch(`${base}/same`, post)).text(), "POST end");
  assert.equal(await (await outbound.fetch(`${base}/made`, post)).text(), "GET end");
  await assert.rejects(
    outbound.fetch(`${base}/other`),
    /redirect to http:\/\/localhost:\d+\/end \(HTTP 302 for GET\).*another origin/,
  );
  await assert.rejects(outbound.fetch(`${base}/loop`), /not followed: there were 5 before it/);
  await assert.rejects(outbound.fetch(`${base}/loop`, post), /may have been done already/);
  await assert.rejects(outbound.fetch(`${base}/nowhere`), /does not say where to/);
});

Deno.test("a body at the limit is read and one byte more is not", async () => {
  await using server = serve((request) =>
    new Response("x".repeat(Number(new URL(request.url).searchParams.get("n"))))
  );
  const base = `http://127.0.0.1:${server.port}/`;
  await using outbound = open({ configured: [base], responseBytesMax: 1_000 });
  assert.equal((await (await outbound.fetch(`${base}?n=1000`)).text()).length, 1_000);
  const larger = await outbound.fetch(`${base}?n=1001`);
  await assert.rejects(larger.text(), AnswerTooLargeError);
});

Deno.test("an event stream may be longer than the limit, one event may not", async () => {
  await using server = serve((request) => {
    const size = Number(new URL(request.url).searchParams.get("n"));
    const encoder = new TextEncoder();
    let left = 20;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- === 0) controller.close();
        else controller.enqueue(encoder.encode(`data: ${"x".repeat(size)}\n\n`));
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  const base = `http://127.0.0.1:${server.port}/`;
  await using outbound = open({ configured: [base], responseBytesMax: 100_000 });
  assert.ok((await (await outbound.fetch(`${base}?n=50000`)).text()).length > 1_000_000);
  const larger = await outbound.fetch(`${base}?n=3000000`);
  await assert.rejects(larger.text(), AnswerTooLargeError);
});

Deno.test("a body ends when its request is cancelled, though nothing else links the two", async () => {
  const stop = new AbortController();
  let cancelled: unknown = null;
  const endless = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: hi\n\n")),
    cancel: (reason) => void (cancelled = reason),
  });
  const { body } = boundResponse(new Response(endless), 1_000, stop.signal);
  const reader = body!.getReader();
  assert.equal((await reader.read()).done, false);
  const next = reader.read();
  stop.abort(new Error("Enough"));
  await assert.rejects(next, /Enough/);
  assert.match(String(cancelled), /Enough/);
});

Deno.test("a body whose request was cancelled before fails at once", async () => {
  const response = boundResponse(new Response("hi"), 1_000, AbortSignal.abort(new Error("Enough")));
  await assert.rejects(response.text(), /Enough/);
});
