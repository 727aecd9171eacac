import assert from "node:assert/strict";
import { parseDocument } from "../../../src/upstream/openapi/load_document.ts";
import type { Operation } from "../../../src/upstream/openapi/operation.ts";
import { readOperations } from "../../../src/upstream/openapi/read_operations.ts";
import type { ServerOptions } from "../../../src/upstream/openapi/read_server.ts";
import { documentOf } from "../../fakes/echo_api.ts";

async function read(document: unknown, options: Partial<ServerOptions> = {}) {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  const parsed = await parseDocument(new TextEncoder().encode(text), "test");
  return await readOperations(parsed, {
    variables: {},
    documentUrl: null,
    baseUrl: null,
    ...options,
  });
}

async function readOne(
  document: unknown,
  options: Partial<ServerOptions> = {},
): Promise<Operation> {
  const { operations, skipped } = await read(document, options);
  assert.deepEqual(skipped, []);
  const [operation] = operations;
  assert.ok(operation !== undefined);
  return operation;
}

const string = { type: "string" };

Deno.test("parameters and a plain body become one typed object", async () => {
  const operation = await readOne(documentOf("/users/{id}", "patch", {
    parameters: [
      { name: "id", in: "path", schema: string, description: "Who" },
      { name: "notify", in: "query", schema: { type: "boolean", default: false } },
      { name: "Accept", in: "header", schema: string },
    ],
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: {
            allOf: [
              { $ref: "#/components/schemas/Named" },
              { type: "object", properties: { age: { type: "integer", nullable: true } } },
            ],
          },
        },
      },
    },
  }, {
    components: {
      schemas: {
        Named: {
          type: "object",
          required: ["name", "createdAt"],
          properties: { name: string, createdAt: { type: "string", readOnly: true } },
        },
      },
    },
  }));
  assert.deepEqual(operation.inputSchema, {
    type: "object",
    properties: {
      id: { type: "string", description: "Who" },
      notify: { type: "boolean", default: false },
      name: string,
      age: { type: ["integer", "null"] },
    },
    required: ["id", "name"],
    additionalProperties: false,
  });
  assert.equal(operation.body?.argument, null);
});

Deno.test("a body that is not a plain object, or whose property is a parameter's, is one argument", async () => {
  const body = (schema: unknown) => ({
    parameters: [{ name: "id", in: "path", required: true, schema: string }],
    requestBody: { content: { "application/json": { schema } } },
  });
  const schemas = [
    { type: "array", items: string },
    { oneOf: [{ type: "object", properties: { a: string } }, string] },
    { type: "object", additionalProperties: string },
    { type: "object", properties: { id: string } },
    { type: "object", nullable: true, properties: { a: string } },
  ];
  for (const schema of schemas) {
    const operation = await readOne(documentOf("/x/{id}", "put", body(schema)));
    assert.equal(operation.body?.argument, "body", JSON.stringify(schema));
    const input = operation.inputSchema as { properties: object; required: string[] };
    assert.deepEqual(Object.keys(input.properties), ["id", "body"]);
    assert.deepEqual(input.required, ["id"]);
  }
});

Deno.test("alternatives that only say what is required do not hide the properties", async () => {
  const operation = await readOne(documentOf("/x", "post", {
    requestBody: {
      content: {
        "application/json": {
          schema: {
            type: "object",
            properties: { a: string, b: string },
            anyOf: [{ required: ["a"] }, { required: ["b"] }],
          },
        },
      },
    },
  }));
  assert.equal(operation.body?.argument, null);
});

Deno.test("two parameters of one name keep apart", async () => {
  const operation = await readOne(documentOf("/x/{id}", "get", {
    parameters: [
      { name: "id", in: "path", required: true, schema: string },
      { name: "id", in: "query", schema: string },
    ],
  }));
  assert.deepEqual(operation.parameters.map(({ argument }) => argument), ["id", "id_query"]);
});

Deno.test("names come from operationId, or method and path, and never collide", async () => {
  const operation = (operationId?: string) => ({ operationId, responses: {} });
  const names = async (paths: unknown) =>
    (await read({ openapi: "3.1.0", info: {}, paths })).operations.map(({ name }) => name);
  assert.deepEqual(
    await names({
      "/a": { get: operation("repos/get"), post: operation() },
      "/b/{id}/c-d": {
        parameters: [{ name: "id", in: "path", required: true, schema: string }],
        get: operation(),
        delete: operation("same"),
        put: operation("same"),
      },
      "/e": { get: operation("x-y"), post: operation("x_y") },
    }),
    [
      "repos/get",
      "post_a",
      "get_b_id_c_d",
      "put_b_id_c_d",
      "delete_b_id_c_d",
      "get_e",
      "post_e",
    ],
  );
  const first = await names({ "/a-b": { get: operation() }, "/a/b": { get: operation() } });
  const second = await names({ "/a/b": { get: operation() }, "/a-b": { get: operation() } });
  assert.equal(new Set(first).size, 2);
  assert.deepEqual(new Set(first), new Set(second));
  assert.ok(first.every((name) => /^get_a_b_[0-9a-f]{8}$/.test(name)));
});

Deno.test("the answer's schema is the output, with definitions, recursion and all", async () => {
  const operation = await readOne(documentOf("/tree", "get", {
    responses: {
      404: { description: "no" },
      200: { $ref: "#/components/responses/Tree" },
    },
  }, {
    components: {
      responses: {
        Tree: {
          content: { "application/json": { schema: { $ref: "#/components/schemas/Tree" } } },
        },
      },
      schemas: {
        Tree: {
          type: "object",
          properties: {
            children: { type: "array", items: { $ref: "#/components/schemas/Tree" } },
            secret: { type: "string", writeOnly: true },
            size: { type: "number", minimum: 0, exclusiveMinimum: true },
            loop: { $ref: "#/components/schemas/LoopA" },
            file: { $ref: "other.yaml#/X" },
            net: { $ref: "https://example.com/schema.json" },
          },
        },
        LoopA: { $ref: "#/components/schemas/LoopB" },
        LoopB: { $ref: "#/components/schemas/LoopA" },
      },
    },
  }));
  const open = { description: "Not described here, any value" };
  assert.deepEqual(operation.outputSchema, {
    $ref: "#/$defs/Tree",
    $defs: {
      Tree: {
        type: "object",
        properties: {
          children: { type: "array", items: { $ref: "#/$defs/Tree" } },
          size: { type: "number", minimum: 0, exclusiveMinimum: 0 },
          loop: open,
          file: open,
          net: open,
        },
      },
    },
  });
});

Deno.test("schemas that grow without end are cut off and stay open", async () => {
  const schemas: { [name: string]: unknown } = {};
  for (let i = 0; i < 500; i++) {
    schemas[`S${i}`] = {
      type: "object",
      description: "x".repeat(900),
      properties: { next: { $ref: `#/components/schemas/S${i + 1}` } },
    };
  }
  schemas.S500 = string;
  const answer = {
    content: { "application/json": { schema: { $ref: "#/components/schemas/S0" } } },
  };
  const operation = await readOne(
    documentOf("/x", "get", { responses: { 200: answer } }, { components: { schemas } }),
  );
  const text = JSON.stringify(operation.outputSchema);
  assert.ok(text.length < 40_000, `${text.length} bytes`);
  const { $defs } = operation.outputSchema as { $defs: { [name: string]: unknown } };
  for (const [, name] of text.matchAll(/#\/\$defs\/(\w+)/g)) assert.ok(name && name in $defs, name);
});

Deno.test("schemas nested deeper than anyone reads stay open", async () => {
  let schema: unknown = string;
  for (let i = 0; i < 5_000; i++) schema = { type: "array", items: schema };
  const answer = { content: { "application/json": { schema } } };
  const operation = await readOne(documentOf("/x", "get", { responses: { 200: answer } }));
  assert.ok(JSON.stringify(operation.outputSchema).length < 5_000);
});

Deno.test("what cannot be represented is skipped with the reason", async () => {
  const { operations, skipped } = await read({
    openapi: "3.0.0",
    info: {},
    paths: {
      "/ok": { get: {} },
      "/a/{missing}": { get: {} },
      "/b": { trace: {} },
      "/c": { head: { requestBody: { required: true, content: { "application/json": {} } } } },
      "/d": { get: { parameters: [{ $ref: "./parameters.yaml#/p" }] } },
      "/e": { get: { parameters: [{ $ref: "#/nowhere" }] } },
      "/f": { get: { parameters: [{ name: "x", in: "body-ish", schema: {} }] } },
      "/g": { servers: [{ url: "https://{region}.example.com" }], get: {} },
      "/h": 7,
      "i": { get: {} },
      "/j": { $ref: "#/components/pathItems/none" },
      "x-note": { get: {} },
    },
  });
  assert.deepEqual(operations.map(({ path }) => path), ["/ok"]);
  assert.deepEqual(skipped.map(({ reason }) => reason), [
    "a path does not begin with a slash",
    '"#/components/pathItems/none" leads nowhere',
    "GET /a/{missing}: no parameter is declared for {missing}",
    "TRACE /b: TRACE requests cannot be sent",
    "HEAD /c: a HEAD request cannot have a body",
    'GET /d: "./parameters.yaml#/p" is outside of the document',
    'GET /e: "#/nowhere" leads nowhere',
    'GET /f: parameter "x" is nowhere ("body-ish")',
    'GET /g: server variable "region" has no value',
  ]);
});

Deno.test("servers come from the operation, its path or the document, with variables", async () => {
  const server = {
    url: "https://{region}.example.com/v1/",
    variables: { region: { default: "eu", enum: ["eu", "us"] } },
  };
  const document = documentOf("/x", "get", {}, { servers: [server] });
  assert.equal((await readOne(document)).baseUrl, "https://eu.example.com/v1");
  assert.equal(
    (await readOne(document, { variables: { region: "us" } })).baseUrl,
    "https://us.example.com/v1",
  );
  const wrong = await read(document, { variables: { region: "evil.com/" } });
  assert.match(wrong.skipped[0]?.reason ?? "", /cannot be "evil.com/);
  const own = documentOf("/x", "get", { servers: [{ url: "https://other.example.com" }] }, {
    servers: [server],
  });
  assert.equal((await readOne(own)).baseUrl, "https://other.example.com");
  const bare = documentOf("/x", "get", {}, { servers: [{ url: "https://{tenant}.example.com" }] });
  const configured = { baseUrl: "http://127.0.0.1:80/api" };
  assert.equal((await readOne(bare, configured)).baseUrl, "http://127.0.0.1:80/api");
  const empty = { url: "https://x.example.com{base}", variables: { base: { default: "" } } };
  assert.equal(
    (await readOne(documentOf("/x", "get", {}, { servers: [empty] }))).baseUrl,
    "https://x.example.com",
  );
  const relative = documentOf("/x", "get", {}, { servers: [{ url: "/v2" }] });
  assert.equal((await readOne(relative)).baseUrl, null);
  assert.equal(
    (await readOne(relative, { documentUrl: "https://api.example.com/spec.json" })).baseUrl,
    "https://api.example.com/v2",
  );
});

Deno.test("the type of an answer is that of every good one", async () => {
  const json = (schema: unknown) => ({ content: { "application/json": { schema } } });
  const created = { type: "object", properties: { id: string } };
  const typeOf = async (responses: unknown) =>
    (await readOne(documentOf("/x", "put", { responses }))).outputSchema;
  assert.deepEqual(await typeOf({ 201: json(created), 200: json(created), 204: {} }), created);
  assert.deepEqual(await typeOf({ 200: json(string), 201: json(created), 400: json({}) }), {
    anyOf: [string, created],
  });
  assert.equal(await typeOf({ 200: json(string), 202: { content: { "text/plain": {} } } }), null);
  assert.deepEqual(await typeOf({ default: json(string) }), string);
  assert.equal(await typeOf({ 302: {}, default: json(string) }), null);
});

Deno.test("a schema that others extend takes and gives their properties, too", async () => {
  const Pet = {
    type: "object",
    required: ["kind"],
    properties: { kind: string },
    discriminator: { propertyName: "kind" },
  };
  const content = { "application/json": { schema: { $ref: "#/components/schemas/Pet" } } };
  const document = documentOf(
    "/pets",
    "post",
    { requestBody: { required: true, content }, responses: { 200: { content } } },
    { components: { schemas: { Pet } } },
  );
  const { inputSchema, outputSchema } = await readOne(document);
  assert.equal((inputSchema as { additionalProperties: unknown }).additionalProperties, true);
  assert.deepEqual(outputSchema, {
    $ref: "#/$defs/Pet",
    $defs: {
      Pet: {
        type: "object",
        properties: { kind: string },
        required: ["kind"],
        additionalProperties: true,
      },
    },
  });
  const old = { schema: { ...Pet, discriminator: "kind" } };
  const { operations } = await read({
    swagger: "2.0",
    info: {},
    paths: { "/pets": { get: { responses: { 200: old } } } },
  });
  assert.deepEqual(operations[0]?.outputSchema, {
    type: "object",
    properties: { kind: string },
    required: ["kind"],
    additionalProperties: true,
  });
});

Deno.test("an operation without an id keeps the words of its path, in every script", async () => {
  const paths = { "/配置/用户/{id}": { get: {} }, "/配置/角色": { get: {} }, "/": { get: {} } };
  paths["/配置/用户/{id}"] = { get: { parameters: [{ name: "id", in: "path" }] } };
  const { operations } = await read({ openapi: "3.1.0", info: {}, paths });
  assert.deepEqual(operations.map(({ name }) => name), [
    "get_配置_用户_id",
    "get_配置_角色",
    "get",
  ]);
});

Deno.test("Swagger 2 is read: body, form fields, collections, host", async () => {
  const { operations, skipped } = await read({
    swagger: "2.0",
    info: { title: "Old" },
    host: "old.example.com",
    basePath: "/api",
    schemes: ["http", "https"],
    consumes: ["application/json"],
    produces: ["application/json"],
    definitions: { Pet: { type: "object", required: ["name"], properties: { name: string } } },
    paths: {
      "/pets": {
        post: {
          operationId: "addPet",
          parameters: [{
            name: "pet",
            in: "body",
            required: true,
            schema: { $ref: "#/definitions/Pet" },
          }],
          responses: { 200: { schema: { $ref: "#/definitions/Pet" } } },
        },
        get: {
          operationId: "findPets",
          parameters: [
            { name: "tags", in: "query", type: "array", items: string, collectionFormat: "pipes" },
            { name: "limit", in: "query", type: "integer", maximum: 100 },
          ],
          responses: {},
        },
      },
      "/upload": {
        post: {
          operationId: "upload",
          consumes: ["multipart/form-data"],
          parameters: [
            { name: "file", in: "formData", type: "file", required: true },
            { name: "note", in: "formData", type: "string" },
          ],
          responses: {},
        },
      },
    },
  });
  assert.deepEqual(skipped, []);
  const [find, add, upload] = operations;
  assert.equal(add?.baseUrl, "https://old.example.com/api");
  assert.deepEqual(add?.inputSchema, {
    type: "object",
    properties: { name: string },
    required: ["name"],
    additionalProperties: false,
  });
  assert.deepEqual(add?.outputSchema, {
    $ref: "#/$defs/Pet",
    $defs: { Pet: { type: "object", properties: { name: string }, required: ["name"] } },
  });
  assert.deepEqual(
    find?.parameters.map(({ style, explode }) => ({ style, explode })),
    [
      { style: "pipeDelimited", explode: false },
      { style: "simple", explode: false },
    ].map((each, index) => index === 0 ? each : { style: "form", explode: false }),
  );
  const limit = (find?.inputSchema as { properties: { limit: unknown } }).properties.limit;
  assert.deepEqual(limit, { type: "integer", maximum: 100 });
  assert.equal(upload?.body?.kind, "multipart");
});

Deno.test("YAML and gzip are read, other files are refused with the reason", async () => {
  const yaml =
    "openapi: 3.1.0\ninfo: {title: Y}\npaths:\n  /x:\n    get: {operationId: fromYaml}\n";
  assert.equal((await readOne(yaml)).name, "fromYaml");
  assert.equal((await readOne(yaml.replace("3.1.0", "3.0"))).name, "fromYaml");
  const zipped = new Blob([yaml]).stream().pipeThrough(new CompressionStream("gzip"));
  const parsed = await parseDocument(
    new Uint8Array(await new Response(zipped).arrayBuffer()),
    "test.gz",
  );
  assert.equal(parsed.version, "3.1");
  for (const bad of ["{", "7", "openapi: 1.2", "{}", "a: [", "[]"]) {
    await assert.rejects(read(bad), /Cannot use the OpenAPI document/, bad);
  }
});

Deno.test("names in a document never reach a prototype", async () => {
  const schema = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}}}',
  );
  const document = documentOf("/x", "post", {
    operationId: "__proto__",
    requestBody: { content: { "application/json": { schema } } },
  });
  const operation = await readOne(document);
  const { properties } = operation.inputSchema as { properties: object };
  assert.deepEqual(Object.keys(properties), ["__proto__", "constructor"]);
  assert.equal(Object.getPrototypeOf(properties), Object.prototype);
});
