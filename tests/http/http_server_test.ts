import assert from "node:assert/strict";
import { readJson } from "../../src/http/read_body.ts";
import { EDGE_TIMES, edgeBounds, type EdgeTimes } from "../../src/http/server/connection_bounds.ts";
import type { EdgeReason } from "../../src/http/server/connections.ts";
import { type HttpHandler, openHttpServer } from "../../src/http/server/http_server.ts";
import { createPeers } from "../../src/http/server/peers.ts";
import { rawClient } from "../fakes/raw_client.ts";

/** The same code as in the service, with times that a test can wait for. */
const TIMES: EdgeTimes = {
  ...EDGE_TIMES,
  headerMs: 400,
  bodyMs: 1_500,
  bodyRateAfterMs: 700,
  readerMs: 1_500,
  idleMs: 900,
  lingerMs: 300,
  sweepMs: 50,
  probeMs: 200,
};

interface Served {
  readonly port: number;
  readonly refused: EdgeReason[];
  readonly connections: () => number;
}

async function withServer(
  handler: HttpHandler,
  use: (served: Served) => Promise<void>,
  changes: {
    readonly times?: Partial<EdgeTimes>;
    readonly connectionsMax?: number;
    readonly trustedProxies?: readonly string[];
  } = {},
): Promise<void> {
  const refused: EdgeReason[] = [];
  const server = await openHttpServer({
    bounds: edgeBounds(4_096, changes.connectionsMax ?? 100, { hosts: 1, upstreams: 1 }),
    times: { ...TIMES, ...changes.times },
    peers: createPeers(changes.trustedProxies ?? []),
    handler,
    now: () => performance.now(),
    onRefused: (reason) => refused.push(reason),
    log: () => {},
  }, { host: "127.0.0.1", port: 0 });
  try {
    await use({ port: server.port, refused, connections: server.connections });
  } finally {
    await server.close();
  }
}

const echo: HttpHandler = async (request) => {
  const { pathname, origin } = new URL(request.url);
  const body = request.body === null ? "" : await request.text();
  return new Response(`${request.method} ${origin}${pathname} ${body}`);
};

const head = (line: string, ...headers: string[]) =>
  [line, "Host: localhost", ...headers, "", ""].join("\r\n");

async function statusFor(port: number, request: string): Promise<string> {
  const client = await rawClient(port, request);
  const text = await client.until(/^HTTP\/1\.1 \d{3}/);
  client.close();
  return text.slice(9, 12);
}

Deno.test("a connection serves one request after the other, also those sent ahead", async () => {
  await withServer(echo, async ({ port }) => {
    const client = await rawClient(port, head("GET /1 HTTP/1.1"));
    await client.until(/GET http:\/\/localhost\/1 $/);
    client.send(
      head("POST /2 HTTP/1.1", "Content-Length: 3") + "abc" +
        head("POST /3 HTTP/1.1", "Transfer-Encoding: chunked") + "2\r\nde\r\n0\r\n\r\n" +
        head("HEAD /4 HTTP/1.1") + head("GET /5 HTTP/1.1", "Connection: close"),
    );
    const text = await client.ended;
    const answers = [...text.matchAll(/(GET|POST|HEAD) http:\/\/localhost(\/\d \w*?)(?=HTTP|$)/g)]
      .map(([, method, rest]) => `${method} ${rest}`.trim());
    assert.deepEqual(answers, ["GET /1", "POST /2 abc", "POST /3 de", "GET /5"]);
    assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 5);
    assert.match(text, /content-length: 23/i);
  });
});

Deno.test("a request that can be read in two ways is refused", async () => {
  let served = 0;
  const handler: HttpHandler = (request) => {
    served++;
    return echo(request, { ownedBy() {} });
  };
  await withServer(handler, async ({ port }) => {
    const bad = [
      head("POST / HTTP/1.1", "Content-Length: 4", "Transfer-Encoding: chunked") + "0\r\n\r\n",
      head("POST / HTTP/1.1", "Content-Length: 4", "Content-Length: 5") + "abcde",
      head("POST / HTTP/1.1", "Content-Length: +4") + "abcd",
      head("POST / HTTP/1.1", "Transfer-Encoding: xchunked") + "0\r\n\r\n",
      head("POST / HTTP/1.1", "Transfer-Encoding: chunked, identity") + "0\r\n\r\n",
      head("GET / HTTP/1.1", "X: a\r\n b"),
      head("GET / HTTP/1.1", "X : a"),
      "GET / HTTP/1.1\r\n\r\n",
      "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: user@localhost\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n",
      "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "\u0016\u0003\u0001\u0002\u0000",
    ];
    for (const request of bad) assert.equal(await statusFor(port, request), "400", request);
    const large = head("GET / HTTP/1.1", `X: ${"a".repeat(80_000)}`);
    assert.equal(await statusFor(port, large), "431");
    assert.equal(served, 0);
    assert.equal(
      await statusFor(port, "GET http://localhost/a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      "200",
    );
  });
});

Deno.test("connections that never become a request are ended in time", async () => {
  await withServer(echo, async ({ port, refused }) => {
    const startedAt = performance.now();
    const trickled = await rawClient(port, "GET / HTTP/1.1\r\nHost: loc");
    const trickle = setInterval(() => trickled.send("a"), 60);
    const unfinished = [
      trickled,
      await rawClient(port),
      await rawClient(port, "GET / HT"),
      await rawClient(port, "\r\n"),
      await rawClient(port, head("GET / HTTP/1.1").slice(0, -2)),
    ];
    await Promise.all(unfinished.map(({ ended }) => ended));
    clearInterval(trickle);
    assert.ok(performance.now() - startedAt >= TIMES.headerMs);
    assert.ok(refused.filter((reason) => reason === "header_time").length >= 5);
    // Neither may the second request of a connection take for ever.
    const second = await rawClient(port, head("GET / HTTP/1.1"));
    await second.until(/200 OK/);
    second.send("GET / HTTP/1.1\r\nHo");
    await second.ended;
    const idle = await rawClient(port, head("GET / HTTP/1.1"));
    const stir = setInterval(() => idle.send("\r\n"), 50);
    await idle.ended;
    clearInterval(stir);
  });
});

Deno.test("a body that stops, or comes too slowly, is answered with 408 and ended", async () => {
  const handler: HttpHandler = async (request) => Response.json(await readJson(request));
  await withServer(handler, async ({ port, refused }) => {
    const post = head("POST / HTTP/1.1", "Content-Length: 4000");
    const chunked = head("POST / HTTP/1.1", "Transfer-Encoding: chunked");
    const clients = [
      await rawClient(port, post + '{"a":"'),
      await rawClient(port, post),
      await rawClient(port, `${post}{`),
      await rawClient(port, `${chunked}1\r\n{\r\n`),
      await rawClient(port, head("POST / HTTP/1.1", "Content-Length: 40", "Expect: 100-continue")),
    ];
    const trickle = setInterval(() => {
      clients[2]?.send("x");
      clients[3]?.send("1\r\nx\r\n");
    }, 50);
    const answers = await Promise.all(clients.map(({ ended }) => ended));
    clearInterval(trickle);
    for (const answer of answers) {
      assert.match(answer, /HTTP\/1\.1 408 Request Timeout\r\n/);
      assert.match(answer, /did not come in time/);
    }
    assert.match(answers[4] ?? "", /^HTTP\/1\.1 100 Continue/);
    assert.deepEqual(new Set(refused), new Set(["body_rate"]));
    // A body with the least rate has the whole time, and no more.
    const steady = await rawClient(port, post);
    const flow = setInterval(() => steady.send("x".repeat(40)), 50);
    assert.match(await steady.ended, /408/);
    clearInterval(flow);
    assert.equal(refused.at(-1), "body_time");
  });
});

Deno.test("an answer before the end of a body reaches a client that still sends", async () => {
  const handler: HttpHandler = () => Promise.resolve(new Response("no", { status: 401 }));
  await withServer(handler, async ({ port }) => {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body: new Uint8Array(6_000_000),
    });
    assert.equal(response.status, 401);
    assert.equal(await response.text(), "no");
    const client = await rawClient(port, head("POST / HTTP/1.1", "Content-Length: 4000") + "abc");
    assert.match(await client.ended, /401 Unauthorized[^]*connection: close/i);
  });
});

Deno.test("a client that reads nothing is ended, one that reads slowly gets all", async () => {
  const bytes = 24_000_000;
  let cancelled = 0;
  const handler: HttpHandler = (request) => {
    if (new URL(request.url).pathname === "/one") {
      return Promise.resolve(new Response(new Uint8Array(bytes)));
    }
    const chunk = new Uint8Array(100_000);
    let left = bytes / chunk.length;
    const stream = new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(chunk);
        else controller.close();
      },
      cancel: () => void cancelled++,
    });
    return Promise.resolve(new Response(stream));
  };
  await withServer(handler, async ({ port, refused, connections }) => {
    for (const path of ["/one", "/stream"]) {
      const idle = await rawClient(port);
      idle.socket.pause();
      idle.send(head(`GET ${path} HTTP/1.1`));
      while (refused.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(refused.splice(0), ["reader_time"]);
      idle.close();
    }
    while (cancelled < 1) await new Promise((resolve) => setTimeout(resolve, 10));
    const response = await fetch(`http://127.0.0.1:${port}/stream`);
    let received = 0;
    for await (const part of response.body ?? []) {
      received += part.length;
      if (received % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(received, bytes);
    assert.deepEqual(refused, []);
    assert.ok(connections() <= 2);
  });
});

Deno.test("a stream may be silent for long, and work ends when its client goes", async () => {
  let aborted = 0;
  const handler: HttpHandler = (request) => {
    request.signal.addEventListener("abort", () => aborted++);
    return Promise.resolve(
      new Response(new ReadableStream({}), { headers: { "content-type": "text/event-stream" } }),
    );
  };
  await withServer(handler, async ({ port, connections }) => {
    const client = await rawClient(port, head("GET / HTTP/1.1"));
    await client.until(/text\/event-stream[^]*\r\n\r\n$/);
    await new Promise((resolve) => setTimeout(resolve, 2 * TIMES.idleMs));
    assert.equal(connections(), 1);
    assert.equal(aborted, 0);
    client.socket.end(); // half closed: the usual way to go
    await client.ended;
    assert.equal(aborted, 1);
    const second = await rawClient(port, head("GET / HTTP/1.1"));
    await second.until(/200 OK/);
    second.close();
    while (aborted < 2 || connections() > 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
});

Deno.test("a client that has said all and waits gets an answer that is ready soon", async () => {
  await withServer(echo, async ({ port }) => {
    const client = await rawClient(port);
    client.socket.end(head("POST /x HTTP/1.1", "Content-Length: 2") + "ab");
    assert.match(await client.ended, /POST http:\/\/localhost\/x ab$/);
  });
});

Deno.test("connections that say nothing make room for those that speak", async () => {
  const streams: HttpHandler = (request) =>
    Promise.resolve(
      new URL(request.url).pathname === "/stream"
        ? new Response(new ReadableStream({}))
        : new Response("ok"),
    );
  const times = { headerMs: 60_000, bodyMs: 60_000, bodyRateAfterMs: 60_000, idleMs: 60_000 };
  await withServer(streams, async ({ port, refused, connections }) => {
    const stream = await rawClient(port, head("GET /stream HTTP/1.1"));
    await stream.until(/200 OK/);
    const kept = await rawClient(port, head("GET / HTTP/1.1"));
    await kept.until(/ok$/);
    const silent = [];
    for (let index = 0; index < 60; index++) {
      silent.push(await rawClient(port, index % 2 === 0 ? "" : "GET / HTTP/1.1\r\nHost: l"));
    }
    assert.equal(await statusFor(port, head("GET / HTTP/1.1")), "200");
    assert.ok(connections() <= 20);
    assert.deepEqual(new Set(refused), new Set(["evicted"]));
    // Neither the one that works nor the one that was served before had to go.
    kept.send(head("GET / HTTP/1.1"));
    await kept.until(/ok[^]*ok$/);
    assert.equal(stream.socket.destroyed, false);
    for (const client of [...silent, kept, stream]) client.close();
    while (connections() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    // Where every connection works there is no room.
    const working = [];
    for (let index = 0; index < 20; index++) {
      working.push(await rawClient(port, head("GET /stream HTTP/1.1")));
      await working.at(-1)?.until(/200 OK/);
    }
    const late = await rawClient(port, head("GET / HTTP/1.1"));
    assert.match(await late.ended, /503 Service Unavailable[^]*retry-after: 2/);
    for (const client of working) client.close();
  }, { connectionsMax: 20, times });
});

Deno.test("requests sent ahead without end are not taken", async () => {
  const slow: HttpHandler = async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return new Response("ok");
  };
  await withServer(slow, async ({ port, refused }) => {
    const client = await rawClient(port, head("GET / HTTP/1.1").repeat(1_000));
    await client.ended;
    assert.deepEqual(refused, ["malformed"]);
  });
});

Deno.test("close() ends what is idle and waits for what is at work", async () => {
  const gate = Promise.withResolvers<void>();
  let isServing = false;
  const handler: HttpHandler = async () => {
    isServing = true;
    await gate.promise;
    return new Response("done");
  };
  let closed = false;
  let silentEnded = false;
  const refused: EdgeReason[] = [];
  const server = await openHttpServer({
    bounds: edgeBounds(1_024, 0, { hosts: 1, upstreams: 0 }),
    times: EDGE_TIMES,
    peers: createPeers([]),
    handler,
    now: () => performance.now(),
    onRefused: (reason) => refused.push(reason),
    log: () => {},
  }, { host: "127.0.0.1", port: 0 });
  const silent = await rawClient(server.port, "GET / HT");
  const working = await rawClient(server.port, head("GET / HTTP/1.1"));
  while (!isServing) await new Promise((resolve) => setTimeout(resolve, 10));
  void silent.ended.then(() => silentEnded = true);
  const closing = server.close().then(() => closed = true);
  await silent.ended;
  assert.equal(silentEnded, true);
  assert.equal(closed, false);
  const refusedNow = await rawClient(server.port);
  assert.equal(refusedNow.socket.destroyed, true);
  gate.resolve();
  assert.match(await working.ended, /done$/);
  await closing;
});

Deno.test("requests are counted by the client that a trusted proxy names, and by nobody else's word", async () => {
  for (const trustedProxies of [["127.0.0.0/8"], []]) {
    const gate = Promise.withResolvers<void>();
    const handler: HttpHandler = async (request) => {
      if (request.url.endsWith("/wait")) await gate.promise;
      return new Response("ok");
    };
    const from = (address: string, path: string) =>
      head(`GET ${path} HTTP/1.1`, `X-Forwarded-For: 198.51.100.1, ${address}`);
    await withServer(handler, async ({ port, refused }) => {
      const waiting = [];
      for (let index = 0; index < 8; index++) {
        waiting.push(await rawClient(port, from("203.0.113.7", "/wait")));
      }
      const isTrusted = trustedProxies.length > 0;
      assert.equal(
        await statusFor(port, from("203.0.113.7", "/")),
        isTrusted ? "429" : "200",
      );
      assert.equal(await statusFor(port, from("203.0.113.8", "/")), "200");
      assert.deepEqual(refused, isTrusted ? ["owner"] : []);
      gate.resolve();
      for (const client of waiting) await client.until(/200 OK/);
      for (const client of waiting) client.close();
      // What is answered counts no more.
      assert.equal(await statusFor(port, from("203.0.113.7", "/")), "200");
    }, { connectionsMax: 16, trustedProxies });
  }
});
