import assert from "node:assert/strict";
import type { ConsoleDeps } from "../../src/console/console_deps.ts";
import { consoleRoutes } from "../../src/console/console_routes.tsx";
import { type HttpDeps, httpRoutes } from "../../src/http/http_app.ts";
import { withApp } from "../fakes/app.ts";

interface Route {
  readonly method: string;
  readonly path: string;
}

/** Every method and path that the service answers, as the code that serves them lists it. */
function allRoutes(): Route[] {
  const edge = httpRoutes({ api: { version: "0" } } as unknown as HttpDeps).routes;
  const pages = consoleRoutes({} as ConsoleDeps).routes
    .map(({ method, path }) => ({ method, path: `/console${path}` }));
  const routes = [...edge, ...pages].flatMap(({ method, path }) => {
    const named = path.replaceAll(/:\w+/g, "x").replaceAll("*", "x");
    const methods = method === "ALL" ? ["GET", "POST", "DELETE", "PUT", "OPTIONS"] : [method];
    return methods.map((method) => ({ method, path: named }));
  });
  return [...new Map(routes.map((route) => [`${route.method} ${route.path}`, route])).values()];
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One request as a browser writes it, on a connection of its own; the first part of the answer. */
async function send(
  port: number,
  { method, path }: Route,
  headers: readonly string[],
  body = "",
  host = `127.0.0.1:${port}`,
): Promise<Answer> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...headers, "Connection: close"];
  const length = body === "" ? [] : [`Content-Length: ${new TextEncoder().encode(body).length}`];
  const request = [...lines, ...length, "", body].join("\r\n");
  await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(16_384);
  let text = "";
  while (!/\r\n\r\n[^]+/.test(text)) {
    const read = await connection.read(buffer);
    if (read === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, read));
  }
  return { status: Number(text.split(" ")[1]), text };
}

const isRead = ({ method }: Route) => method === "GET" || method === "HEAD";
const isPublic = (route: Route) => isRead(route) && route.path.startsWith("/.well-known/");
const name = ({ method, path }: Route) => `${method} ${path}`;

Deno.test("no route answers a page of another origin, whatever the page says of itself", async () => {
  const routes = allRoutes();
  for (const known of ["POST /api/v1/execute", "POST /mcp", "POST /console/logout"]) {
    assert.ok(routes.some((route) => name(route) === known), known);
  }
  await withApp({}, async ({ app, json }) => {
    const port = Number(new URL((await app.listen()).url).port);
    const newest = async () =>
      (await json<{ records: { seq: number }[] }>("GET", "/audit?limit=1")).records[0]?.seq;
    await json("GET", "/tools"); // the catalog has been recorded
    const before = await newest();
    const jsonType = "Content-Type: application/json";
    const foreign = [
      [`Origin: http://127.0.0.1:${port + 1}`],
      [`Origin: http://localhost:${port + 1}`],
      [`Origin: http://localhost:${port}`],
      [`Origin: https://127.0.0.1:${port}`],
      ["Origin: null"],
      ["Origin: http://127.0.0.1"],
      [`Origin: http://127.0.0.1:${port}.evil.example`],
      [`Origin: http://127.0.0.1:${port}@evil.example`],
      ["Sec-Fetch-Site: same-site"],
      ["Sec-Fetch-Site: cross-site"],
      ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
      ["Origin: "],
      [`Origin: http://127.0.0.1:${port}`, "Sec-Fetch-Site: same-site"],
      ["Sec-Fetch-Site: same-origin", `Origin: http://127.0.0.1:${port + 1}`],
      ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"],
    ];
    for (const route of routes) {
      // Every way to be foreign at one route that runs programs, one of each kind at all others.
      const isThorough = route.path === "/api/v1/execute";
      for (const headers of foreign.filter((_, index) => isThorough || index % 4 === 0)) {
        const body = isRead(route) ? "" : `{"code":"return 1","name":"pwn","scopes":["admin"]}`;
        for (
          const type of isThorough ? [[jsonType], ["Content-Type: text/plain"], []] : [[jsonType]]
        ) {
          const { status } = await send(port, route, [...headers, ...type], body);
          const shown = `${name(route)} ${headers.join(", ")} ${type}`;
          if (!isPublic(route)) assert.equal(status, 403, shown);
        }
      }
    }
    assert.equal(await newest(), before, "something was done");
  });
});

Deno.test("pages of the service, links to it and programs are let through", async () => {
  await withApp({}, async ({ app }) => {
    const port = Number(new URL((await app.listen()).url).port);
    const own = [`Origin: http://127.0.0.1:${port}`, "Sec-Fetch-Site: same-origin"];
    const link = [
      "Sec-Fetch-Site: cross-site",
      "Sec-Fetch-Mode: navigate",
      "Sec-Fetch-Dest: document",
    ];
    // A stream says nothing before something happens.
    const reads = allRoutes().filter((route) => isRead(route) && !route.path.endsWith("/stream"));
    for (const route of reads) {
      for (const headers of [[], own, ["Sec-Fetch-Site: none"]]) {
        const { text } = await send(port, route, headers);
        assert.doesNotMatch(text, /Requests from/, `${name(route)} ${headers.join(", ")}`);
      }
      const isPage = !/^\/(api|mcp|s)(\/|$)/.test(route.path) && !/^\/x/.test(route.path);
      const { text } = await send(port, route, link);
      assert.equal(/Requests from/.test(text), !isPage && !isPublic(route), name(route));
    }
    const execute = { method: "POST", path: "/api/v1/execute" };
    const program = `{"code":"return 1"}`;
    for (
      const type of [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/vnd.toolgate+json",
      ]
    ) {
      for (const headers of [[], own]) {
        const sent = [...headers, `Content-Type: ${type}`];
        assert.equal((await send(port, execute, sent, program)).status, 200, type);
      }
    }
    const localhost = [`Origin: http://localhost:${port}`, "Content-Type: application/json"];
    const named = await send(port, execute, localhost, program, `localhost:${port}`);
    assert.equal(named.status, 200);
    const reload = { method: "POST", path: "/api/v1/policy/check" };
    assert.equal((await send(port, reload, ["Content-Length: 0"])).status, 200);
  });
});

Deno.test("behind a proxy the public URL is an origin of the service, its other ports are not", async () => {
  const server = { port: 0, drainMs: 200, publicUrl: "https://tools.acme.com" };
  await withApp({ server }, async ({ app }) => {
    const port = Number(new URL((await app.listen()).url).port);
    const execute = { method: "POST", path: "/api/v1/execute" };
    const ask = async (origin: string) => {
      const headers = [`Origin: ${origin}`, "Content-Type: application/json"];
      return (await send(port, execute, headers, `{"code":"return 1"}`, "tools.acme.com")).status;
    };
    assert.equal(await ask("https://tools.acme.com"), 200);
    assert.equal(await ask("https://tools.acme.com:8443"), 403);
    assert.equal(await ask("https://acme.com"), 403);
  });
});

Deno.test("the scheme of the client is what a trusted proxy says, and nobody else", async () => {
  for (const trustedProxies of [["127.0.0.1"], ["10.0.0.0/8"]]) {
    await withApp({ server: { port: 0, drainMs: 200, trustedProxies } }, async ({ app }) => {
      const port = Number(new URL((await app.listen()).url).port);
      const execute = { method: "POST", path: "/api/v1/execute" };
      const ask = async (scheme: string, ...proto: string[]) => {
        const origin = `Origin: ${scheme}://127.0.0.1:${port}`;
        const headers = [origin, "Content-Type: application/json", ...proto];
        return (await send(port, execute, headers, `{"code":"return 1"}`)).status;
      };
      const isTrusted = trustedProxies.includes("127.0.0.1");
      assert.equal(await ask("https", "X-Forwarded-Proto: https"), isTrusted ? 200 : 403);
      assert.equal(await ask("https", "X-Forwarded-Proto: https, http"), 403);
      assert.equal(await ask("https"), 403);
      assert.equal(await ask("http", "X-Forwarded-Proto: https"), isTrusted ? 403 : 200);
      assert.equal(await ask("http"), 200);
    });
  }
});

Deno.test("a body that does not call itself JSON is refused before it is read", async () => {
  const takesJson = allRoutes().filter((route) =>
    !isRead(route) && /^\/(api\/|mcp$|s\/)/.test(route.path)
  );
  assert.ok(takesJson.length > 15);
  await withApp({}, async ({ app, json }) => {
    const port = Number(new URL((await app.listen()).url).port);
    const newest = async () =>
      (await json<{ records: { seq: number }[] }>("GET", "/audit?limit=1")).records[0]?.seq;
    await json("GET", "/tools"); // the catalog has been recorded
    const before = await newest();
    for (const route of takesJson) {
      for (
        const type of [
          "text/plain",
          "text/plain; application/json",
          "text/plain;charset=UTF-8",
          "application/x-www-form-urlencoded",
          "multipart/form-data; boundary=application/json",
          "application/json, text/plain",
          "application/json; charset=utf-16",
          "application/jsonp",
          "text/json",
          "",
          null,
        ]
      ) {
        const isTried = route.path === "/api/v1/execute" || type === "text/plain" || type === null;
        for (const body of isTried ? [`{"code":"return 1","name":"pwn"}`, ""] : []) {
          if (type === null && body === "") continue; // so programs ask where nothing is to be sent
          const headers = type === null ? [] : [`Content-Type: ${type}`];
          const { status, text } = await send(port, route, headers, body);
          assert.equal(status, 415, `${name(route)} ${type} ${body}`);
          assert.match(text, /application\/problem\+json/);
        }
      }
    }
    assert.equal(await newest(), before, "something was done");
  });
});
