import assert from "node:assert/strict";
import { z } from "zod";
import { LOCAL_PRINCIPAL } from "../../../src/auth/authenticate.ts";
import { created, file, json } from "../../../src/http/api/answer.ts";
import type { ApiDeps } from "../../../src/http/api/api_deps.ts";
import { type Route, route } from "../../../src/http/api/route.ts";
import { GateError } from "../../../src/model/errors.ts";

/** These handlers need nothing of the service. */
const NOTHING = { version: "1" } as ApiDeps;

interface Sent {
  readonly params?: { readonly [name: string]: string };
  readonly query?: { readonly [name: string]: string };
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
}

function serve(one: Route, { params = {}, query = {}, headers = {}, body }: Sent) {
  const request = new Request("http://127.0.0.1/api/v1/x", {
    method: body === undefined ? "GET" : "POST",
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return one.serve(NOTHING, { principal: LOCAL_PRINCIPAL, request, params, query });
}

const AnySchema = z.unknown();

const echo = route("POST /echo/:name/:place", {
  scope: "search",
  summary: "What the handler gets",
  query: z.object({ size: z.coerce.number<number>().default(7) }),
  headers: z.object({ "x-id": z.string().max(3).optional() }),
  body: z.strictObject({ a: z.int() }),
  answer: created(AnySchema),
  handle: (_, { principal, params, query, headers, body }) => ({
    ...{ sub: principal.sub, params, query, headers, body },
  }),
});

async function messageOf(answer: Promise<Response>): Promise<string> {
  const error = await answer.then(() => null, (thrown) => thrown);
  assert.ok(error instanceof GateError, String(error));
  assert.equal(error.code, "ERR_BAD_REQUEST");
  return error.message;
}

Deno.test("route() hands its handler the parts as their schemas make them, and answers with its status", async () => {
  const params = { name: "a/b", place: "c" };
  const sent = { params, query: { size: "12", other: "1" }, headers: { "X-Id": "i" } };
  const response = await serve(echo, { ...sent, body: '{"a":1}' });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.deepEqual(await response.json(), {
    ...{ sub: "local", params, query: { size: 12 }, headers: { "x-id": "i" }, body: { a: 1 } },
  });
  const bare = await (await serve(echo, { params, body: '{"a":1}' })).json();
  assert.deepEqual([bare.query, bare.headers], [{ size: 7 }, {}]);
});

Deno.test("route() names the part that does not fit", async () => {
  const body = '{"a":1}';
  assert.match(await messageOf(serve(echo, { body: '{"a":"1"}' })), /^Invalid body: a: /);
  assert.match(await messageOf(serve(echo, { body: '{"a":1,"b":2}' })), /^Invalid body: .*"b"/);
  assert.match(
    await messageOf(serve(echo, { body, query: { size: "x" } })),
    /^Invalid query: size/,
  );
  assert.match(
    await messageOf(serve(echo, { body, headers: { "x-id": "long" } })),
    /^Invalid header: x-id/,
  );
  assert.equal(await messageOf(serve(echo, {})), "Cannot read the body: it is not JSON");
});

Deno.test("route() says of a missing body what the route wants said of it", async () => {
  const picky = route("POST /picky", {
    scope: "admin",
    summary: "Needs a body",
    body: z.strictObject({ pin: z.string() }),
    noBody: () => new GateError("ERR_BAD_REQUEST", "No pin", { hint: "Send one" }),
    answer: json(AnySchema),
    handle: (_, { body }) => body,
  });
  assert.equal(await messageOf(serve(picky, {})), "No pin");
  assert.match(await messageOf(serve(picky, { body: "{}" })), /^Invalid body: pin/);
});

Deno.test("route() passes on a response that its handler made", async () => {
  const text = route("GET /text", {
    scope: "search",
    summary: "Text",
    answer: file("text/plain"),
    handle: (_, { query, body, headers }) => {
      assert.deepEqual([query, body, headers], [undefined, undefined, undefined]);
      return new Response("a,b", { status: 203, headers: { "content-type": "text/plain" } });
    },
  });
  const response = await serve(text, { query: { passed: "over" } });
  assert.deepEqual([response.status, await response.text()], [203, "a,b"]);
});

Deno.test("a handler that does not fit its path or its answer does not compile", () => {
  const wrong = [
    route("GET /wrong", {
      scope: "search",
      summary: "Another form",
      answer: json(z.object({ id: z.string() })),
      // @ts-expect-error the id is a number
      handle: () => ({ id: 1 }),
    }),
    route("GET /file", {
      scope: "search",
      summary: "No JSON",
      answer: file("text/plain"),
      // @ts-expect-error the route answers with a file
      handle: () => ({ id: "1" }),
    }),
    route("GET /tools/:name", {
      scope: "search",
      summary: "A parameter that its path lacks",
      answer: json(AnySchema),
      // @ts-expect-error it is called name
      handle: (_, { params }) => params.nme,
    }),
  ];
  assert.deepEqual(wrong.map(({ key }) => key), ["GET /wrong", "GET /file", "GET /tools/:name"]);
});
