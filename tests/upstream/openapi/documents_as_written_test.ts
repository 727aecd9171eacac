import assert from "node:assert/strict";
import { parseDocument } from "../../../src/upstream/openapi/load_document.ts";
import type { Operation } from "../../../src/upstream/openapi/operation.ts";
import { readOperations } from "../../../src/upstream/openapi/read_operations.ts";
import { documentOf } from "../../fakes/echo_api.ts";

async function readOne(document: unknown): Promise<Operation> {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  const parsed = await parseDocument(new TextEncoder().encode(text), "test");
  const options = { variables: {}, documentUrl: null, baseUrl: "https://a.test" };
  const { operations, skipped } = await readOperations(parsed, options);
  assert.deepEqual(skipped, []);
  const [operation] = operations;
  assert.ok(operation !== undefined);
  return operation;
}

/** The input of an operation with this JSON body. */
async function inputOf(schema: unknown, schemas: unknown = {}, openapi = "3.0.3") {
  const requestBody = { required: true, content: { "application/json": { schema } } };
  const document = documentOf("/b", "post", { requestBody }, { openapi, components: { schemas } });
  return (await readOne(document)).inputSchema as {
    readonly properties: { readonly [name: string]: unknown };
    readonly required?: readonly string[];
    readonly [keyword: string]: unknown;
  };
}

const string = { type: "string" };

Deno.test("what a reference says is read-only is none of the input, and not required", async () => {
  const schemas = {
    Id: { type: "string", readOnly: true },
    Account: {
      type: "object",
      required: ["id", "sum", "name"],
      properties: {
        id: { $ref: "#/components/schemas/Id" },
        sum: { allOf: [{ $ref: "#/components/schemas/Id" }] },
        name: string,
      },
    },
    Needs: { type: "object", required: ["id", "name"] },
  };
  const top = await inputOf({ $ref: "#/components/schemas/Account" }, schemas);
  assert.deepEqual([Object.keys(top.properties), top.required], [["name"], ["name"]]);

  const inner = { type: "object", properties: { a: { $ref: "#/components/schemas/Account" } } };
  const nested = await inputOf(inner, schemas);
  assert.deepEqual((nested.$defs as { [name: string]: unknown }).Account, {
    type: "object",
    properties: { name: string },
    required: ["name"],
  });

  // One part requires what another one hides.
  const parts = {
    allOf: [
      { $ref: "#/components/schemas/Needs" },
      { type: "object", properties: { id: { ...string, readOnly: true }, name: string } },
    ],
  };
  const joined = await inputOf({ type: "object", properties: { a: parts } }, schemas);
  assert.deepEqual(joined.properties.a, {
    allOf: [{ type: "object", required: ["name"] }, {
      type: "object",
      properties: { name: string },
    }],
  });
  assert.deepEqual((await inputOf(parts, schemas)).required, ["name"]);
});

Deno.test("what stands beside a reference counts since 3.1", async () => {
  const schemas = { Base: { type: "object", properties: { id: string } } };
  const extended = {
    $ref: "#/components/schemas/Base",
    required: ["extra"],
    properties: { extra: string },
  };
  const holder = { type: "object", properties: { e: extended } };
  const since = await inputOf(holder, schemas, "3.1.0");
  assert.deepEqual(since.properties.e, {
    $ref: "#/$defs/Base",
    required: ["extra"],
    properties: { extra: string },
  });
  assert.deepEqual((await inputOf(holder, schemas)).properties.e, { $ref: "#/$defs/Base" });

  const top = await inputOf(extended, schemas, "3.1.0");
  assert.deepEqual([Object.keys(top.properties), top.required], [["id", "extra"], ["extra"]]);
  assert.deepEqual(Object.keys((await inputOf(extended, schemas)).properties), ["id"]);
});

Deno.test("patterns and further properties of a body stay when it is laid out", async () => {
  const open = await inputOf(
    {
      type: "object",
      properties: { a: string },
      patternProperties: { "^x-": { type: "integer" } },
      additionalProperties: { type: "boolean" },
    },
    {},
    "3.1.0",
  );
  assert.deepEqual(open.patternProperties, { "^x-": { type: "integer" } });
  assert.deepEqual(open.additionalProperties, { type: "boolean" });
  assert.equal((await inputOf({ properties: { a: string } })).additionalProperties, false);
});

Deno.test("an integer of 64 bits takes and gives its digits", async () => {
  const schema = {
    type: "object",
    properties: {
      id: { type: "integer", format: "int64" },
      none: { type: ["integer", "null"], format: "uint64" },
      small: { type: "integer", format: "int32" },
    },
  };
  assert.deepEqual((await inputOf(schema, {}, "3.1.0")).properties, {
    id: { type: ["integer", "string"], format: "int64" },
    none: { type: ["integer", "string", "null"], format: "uint64" },
    small: { type: "integer", format: "int32" },
  });
});

Deno.test("merge keys of YAML are applied, and texts of an enum keep their spelling", async () => {
  const yaml = `
openapi: 3.1.0
info: { title: y, version: "1" }
x-common: &common
  parameters: [{ name: country, in: query, schema: { type: string, enum: [1.0, no, 007, a] } }]
x-more: &more { description: more }
paths:
  /m:
    post:
      <<: [*common, *more]
      operationId: merged
      requestBody:
        content:
          application/json:
            schema: { type: object, properties: { <<: { b: { type: integer } }, a: { type: string } } }
      responses: { 200: { description: ok } }
`;
  const { inputSchema, description } = await readOne(yaml);
  assert.equal(description, "more");
  assert.deepEqual((inputSchema as { properties: unknown }).properties, {
    country: { type: "string", enum: ["1.0", "no", "007", "a"] },
    a: string,
    b: { type: "integer" },
  });
});
