import assert from "node:assert/strict";
import { z } from "zod";
import { created, file, json } from "../../../src/http/api/answer.ts";
import { openapiDocument } from "../../../src/http/api/openapi_document.ts";
import { route } from "../../../src/http/api/route.ts";
import { ROUTES } from "../../../src/http/api/routes.ts";
import type { ApiDocument, Operation } from "../../fakes/api_document.ts";

const document = openapiDocument("1.2.3", ROUTES) as ApiDocument;

function operation(method: "get" | "post" | "delete", path: string): Operation {
  return document.paths[path]?.[method] ?? assert.fail(`${method} ${path} is not described`);
}

const bodyOf = (operation: Operation) =>
  operation.requestBody?.content["application/json"]?.schema ?? assert.fail("it has no body");

Deno.test("the document says that search and execute take a space, and nothing that they do not know", () => {
  for (const path of ["/search", "/execute"]) {
    const body = bodyOf(operation("post", path));
    assert.deepEqual(body.properties?.space, { type: "string", default: "default" }, path);
    assert.equal(body.additionalProperties, false, path);
    assert.ok(!body.required?.includes("space"), path);
  }
  assert.deepEqual(Object.keys(bodyOf(operation("post", "/execute")).properties ?? {}), [
    ...["code", "timeoutMs", "dryRun", "resume", "space"],
  ]);
});

Deno.test("the document names the space of everything that is looked at in one", () => {
  for (const path of ["/types", "/tools", "/tools/{name}"]) {
    const space = operation("get", path).parameters.find(({ name }) => name === "space");
    assert.equal(space?.in, "query", path);
    assert.equal(space?.required, undefined, path);
  }
});

Deno.test("bodies are closed as far as the service closes them, answers may grow", () => {
  assert.equal(bodyOf(operation("post", "/keys")).additionalProperties, false);
  const explain = bodyOf(operation("post", "/policy/explain"));
  assert.equal(explain.additionalProperties, false);
  assert.deepEqual(explain.required, ["call"]);
  // Any other claim may stand beside those that have a name.
  assert.deepEqual(explain.properties?.as?.additionalProperties, {});
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const { responses } of Object.values(operations)) {
      const text = JSON.stringify(responses);
      assert.ok(!text.includes('"additionalProperties":false'), path);
    }
  }
});

Deno.test("each operation says its scope, its path's parameters and what it answers with", () => {
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const { description, parameters, responses } of Object.values(operations)) {
      assert.match(description, /^Needs scope `(search|execute|audit|auditor|admin)`$/, path);
      const inPath = parameters.filter((parameter) => parameter.in === "path");
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(inPath.map(({ name }) => name), named, path);
      assert.ok(inPath.every(({ required }) => required === true), path);
      const { default: failed, ...good } = responses;
      assert.deepEqual(Object.keys(failed?.content ?? {}), ["application/problem+json"]);
      assert.equal(Object.keys(good).length, 1, path);
      for (const { content = {} } of Object.values(good)) {
        assert.ok(Object.keys(content).length > 0, path);
      }
    }
  }
});

Deno.test("schemas of the document stand where they are: no reference leads out of one", () => {
  const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g);
  const targets = new Set([...references].map(([, target]) => target));
  assert.deepEqual([...targets], ["#/components/schemas/Problem"]);
});

Deno.test("openapiDocument() describes parameters, headers, bodies and other media types of a route", () => {
  const routes = [
    route("POST /things/:thing", {
      scope: "admin",
      summary: "Make one",
      query: z.object({ size: z.coerce.number<number>(), name: z.string().optional() }),
      headers: z.object({ "x-id": z.string().optional() }),
      body: z.strictObject({ a: z.int() }),
      answer: created(z.object({ id: z.string() })),
      handle: () => ({ id: "1" }),
    }),
    route("GET /things/:thing", {
      scope: "audit",
      summary: "Get one",
      answer: json(z.object({ id: z.string() }), "text/csv"),
      handle: () => ({ id: "1" }),
    }),
    route("GET /file", {
      scope: "audit",
      summary: "As a file",
      answer: file("text/plain"),
      handle: () => new Response(""),
    }),
  ];
  const { paths } = openapiDocument("1", routes) as ApiDocument;
  assert.deepEqual(Object.keys(paths), ["/things/{thing}", "/file"]);
  const { post, get } = paths["/things/{thing}"] ?? {};
  assert.deepEqual(post?.parameters, [
    { name: "thing", in: "path", required: true, schema: { type: "string" } },
    { name: "size", in: "query", required: true, schema: { type: "number" } },
    { name: "name", in: "query", schema: { type: "string" } },
    { name: "x-id", in: "header", schema: { type: "string" } },
  ]);
  assert.deepEqual(bodyOf(post as Operation).required, ["a"]);
  const answer = {
    type: "object",
    properties: { id: { type: "string" } },
    required: ["id"],
  };
  assert.deepEqual(post?.responses["201"]?.content?.["application/json"]?.schema, answer);
  assert.equal(get?.requestBody, undefined);
  assert.deepEqual(get?.responses["200"]?.content, {
    "application/json": { schema: answer },
    "text/csv": {},
  });
  assert.deepEqual(paths["/file"]?.get?.responses["200"]?.content, { "text/plain": {} });
});
