import assert from "node:assert/strict";
import { withApp } from "../fakes/app.ts";

const DEEP = "[".repeat(200_000) + "]".repeat(200_000);
const call = (params: unknown) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });

/** Bodies that no honest client sends. */
const BODIES = [
  "",
  "null",
  "0",
  '"text"',
  "[]",
  "[null, 1, {}]",
  "{}",
  "{",
  DEEP,
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${DEEP}}`,
  '{"__proto__":{"method":"tools/call"}}',
  '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}',
  '{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
  '{"jsonrpc":"2.0","id":1,"method":5}',
  '{"jsonrpc":"2.0","id":1,"method":"no/such"}',
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":null}',
  '{"jsonrpc":"2.0","id":1,"result":{}}',
  call(null),
  call({ name: null }),
  call({ name: "execute" }),
  call({ name: "execute", arguments: [] }),
  call({ name: "execute", arguments: { code: 5 } }),
  call({ name: "execute", arguments: { code: "return 1", timeoutMs: -1 } }),
  call({ name: "execute", arguments: { code: "return 1", extra: true } }),
  call({ name: "search", arguments: { query: "x".repeat(100_000) } }),
  call({ name: "search", arguments: { query: "\u0000\ud800\u202e", limit: 1e9 } }),
  call({ name: "search", arguments: { query: "(a+)+$", names: [{}] } }),
  call({ name: "__proto__", arguments: {} }),
  call({
    name: "search",
    arguments: { query: "x" },
    _meta: { traceparent: "x", progressToken: {} },
  }),
  `[${Array.from({ length: 1_000 }, () => call({ name: "search", arguments: {} })).join(",")}]`,
];

Deno.test("garbage from a client gets an answer, never a crash, and the next request works", async () => {
  await withApp({}, async ({ app }) => {
    const { url } = await app.listen();
    for (const body of BODIES) {
      for (const version of [null, "2026-07-28", "2025-06-18", "1999-01-01"]) {
        const response = await fetch(`${url}/mcp`, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            ...(version === null
              ? {}
              : { "mcp-protocol-version": version, "mcp-method": "tools/call" }),
            "mcp-session-id": "forged.session",
          },
          body,
        });
        const text = await response.text();
        const shown = `${version} ${body.slice(0, 80)}`;
        assert.notEqual(response.status, 500, `${shown}\n${text.slice(0, 300)}`);
        assert.ok(!text.includes("at file:"), shown);
      }
    }
    for (
      const [method, path] of [["PUT", "/mcp"], ["DELETE", "/mcp"], ["GET", "/s/%ff/mcp"], [
        "POST",
        "/s/../mcp",
      ]]
    ) {
      const response = await fetch(`${url}${path}`, { method: method ?? "GET" });
      await response.body?.cancel();
      assert.notEqual(response.status, 500, `${method} ${path}`);
    }
    const alive = await fetch(`${url}/healthz`);
    assert.equal((await alive.json()).status, "ok");
  });
});

Deno.test("a request for another host or from another origin is refused on loopback", async () => {
  await withApp({}, async ({ app }) => {
    const { url } = await app.listen();
    const { port } = new URL(url);
    const ask = async (headers: string) => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      await connection.write(
        new TextEncoder().encode(
          `GET /healthz HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`,
        ),
      );
      const answer = await new Response(connection.readable).text();
      return Number(answer.split(" ")[1]);
    };
    assert.equal(await ask(`Host: 127.0.0.1:${port}`), 200);
    assert.equal(await ask(`Host: localhost:${port}`), 200);
    assert.equal(await ask("Host: evil.example"), 403);
    assert.equal(await ask(`Host: 127.0.0.1:${port}\r\nOrigin: https://evil.example`), 403);
    assert.equal(await ask(`Host: 127.0.0.1:${port}\r\nOrigin: http://127.0.0.1:${port}`), 200);
    assert.equal(await ask(`Host: localhost:${port}\r\nOrigin: http://localhost:${port}`), 200);
    assert.equal(await ask(`Host: 127.0.0.1:${port}\r\nOrigin: http://localhost:${port}`), 403);
  });
});
