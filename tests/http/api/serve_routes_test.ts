import assert from "node:assert/strict";
import type { ApiDeps } from "../../../src/http/api/api_deps.ts";
import { openapiDocument } from "../../../src/http/api/openapi_document.ts";
import { ROUTES } from "../../../src/http/api/routes.ts";
import { apiRoutes } from "../../../src/http/api/serve_routes.ts";
import { MissingScope } from "../../../src/http/protected_resource.ts";
import { LOCAL_PRINCIPAL } from "../../../src/auth/authenticate.ts";
import type { Principal } from "../../../src/model/principal.ts";
import type { ApiDocument } from "../../fakes/api_document.ts";

/** No handler runs in these tests: every request ends before it. */
const NOTHING = { version: "1" } as ApiDeps;

const document = openapiDocument("1", ROUTES) as ApiDocument;
const described = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, { description }]) => ({
    key: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path: path.replaceAll(/\{\w+\}/g, "x"),
    scope: /`(\w+)`/.exec(description)?.[1],
  }))
);

/** Asks without a body, as somebody with these scopes; what was thrown. */
async function failureOf(method: string, path: string, scopes: readonly string[]) {
  const principal: Principal = { ...LOCAL_PRINCIPAL, scopes };
  const api = apiRoutes(NOTHING, () => Promise.resolve(principal));
  const thrown: unknown[] = [];
  api.onError((error) => {
    thrown.push(error);
    return new Response(null, { status: 500 });
  });
  const response = await api.request(path, { method });
  return { status: response.status, error: thrown[0] };
}

Deno.test("the document and the routing have the same routes", () => {
  const routed = apiRoutes(NOTHING, () => Promise.resolve(LOCAL_PRINCIPAL)).routes
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`)
    .filter((key) => key !== "GET /openapi.json");
  assert.deepEqual(routed.toSorted(), described.map(({ key }) => key).toSorted());
  assert.equal(new Set(routed).size, ROUTES.length);
});

Deno.test("each route refuses who lacks the scope that the document names", async () => {
  for (const { key, method, path, scope } of described) {
    const { error } = await failureOf(method, path, []);
    assert.ok(error instanceof MissingScope, key);
    assert.deepEqual(error.scopes, [scope], key);
  }
});

Deno.test("a route with a parameter hides none without: what fits both is asked of the plain one", async () => {
  const order = apiRoutes(NOTHING, () => Promise.resolve(LOCAL_PRINCIPAL)).routes;
  const place = (path: string) => order.findIndex((route) => route.path === path);
  for (const plain of ["/audit/calls", "/audit/stream", "/audit/export"]) {
    assert.ok(place(plain) < place("/audit/:id"), plain);
  }
  // The list of calls needs another scope than a record of the log, whatever its id.
  assert.ok((await failureOf("GET", "/audit/calls", ["audit"])).error instanceof MissingScope);
});

Deno.test("a path that the table lacks, and a method that a path lacks, are nobody's", async () => {
  assert.equal((await failureOf("GET", "/nothing", [])).status, 404);
  assert.equal((await failureOf("DELETE", "/tools", [])).status, 404);
  assert.equal((await failureOf("POST", "/audit/stream", [])).status, 404);
});

Deno.test("the document is for everybody, whoever they are", async () => {
  const api = apiRoutes(NOTHING, () => assert.fail("nobody was asked who they are"));
  const answer = await (await api.request("/openapi.json")).json();
  assert.deepEqual(answer, JSON.parse(JSON.stringify(document)));
});
