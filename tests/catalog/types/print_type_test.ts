import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { printType } from "../../../src/catalog/types/print_type.ts";
import type { TypeBudget } from "../../../src/catalog/types/type_budget.ts";
import type { JsonSchema } from "../../../src/model/json/json.ts";
import { diagnose } from "../type_check.ts";

const BUDGET: TypeBudget = {
  depthMax: 4,
  propertiesMax: 20,
  enumMax: 12,
  unionMax: 6,
  charsMax: 4_000,
  docCharsMax: 0,
};

function input(schema: JsonSchema, budget: Partial<TypeBudget> = {}): string {
  return printType(schema, { direction: "input", budget: { ...BUDGET, ...budget } });
}

function output(schema: JsonSchema, budget: Partial<TypeBudget> = {}): string {
  return printType(schema, { direction: "output", budget: { ...BUDGET, ...budget } });
}

const CASES: readonly (readonly [name: string, schema: JsonSchema, type: string])[] = [
  ["true", true, "unknown"],
  ["false", false, "never"],
  ["no keyword", {}, "unknown"],
  ["an integer", { type: "integer" }, "number"],
  ["a date", { type: "string", format: "date-time" }, "string /* date-time */"],
  ["nullable as OpenAPI writes it", { type: "string", nullable: true }, "string | null"],
  ["a list of types", { type: ["string", "null"] }, "string | null"],
  ["no types", { type: [] }, "unknown"],
  ["a number that is none in TypeScript", { enum: [1, JSON.parse("1e400")] }, "1 | number"],
  ["no patterns", { patternProperties: {} }, "Record<string, unknown>"],
  ["const", { const: "a" }, '"a"'],
  ["an enum with null", { enum: ["a", 1, null, true] }, '"a" | 1 | null | true'],
  ["an array of a union", { type: "array", items: { enum: ["a", "b"] } }, '("a" | "b")[]'],
  [
    "a tuple of 2020-12",
    { type: "array", prefixItems: [{ type: "number" }, { type: "string" }], minItems: 1 },
    "[number, string?]",
  ],
  [
    "a tuple of draft-07 with more items",
    { items: [{ type: "number" }], additionalItems: { type: ["string", "null"] } },
    "[number, ...(string | null)[]]",
  ],
  ["a record", { additionalProperties: { type: "number" } }, "Record<string, number>"],
  [
    "an empty closed object",
    { type: "object", additionalProperties: false },
    "Record<string, never>",
  ],
  [
    "required properties first, keys quoted where needed",
    {
      type: "object",
      properties: { b: { type: "number" }, "x-a": { type: "string" }, delete: {} },
      required: ["x-a"],
    },
    '{ "x-a": string; b?: number; delete?: unknown }',
  ],
  [
    "an open object",
    { properties: { a: { type: "number" } }, additionalProperties: { type: "string" } },
    "{ a?: number; [key: string]: unknown }",
  ],
  [
    "a reference",
    { $ref: "#/$defs/a~1b", $defs: { "a/b": { type: "boolean" } } },
    "boolean",
  ],
  ["a reference to nowhere", { $ref: "#/$defs/none" }, "unknown"],
  ["a reference to a file", { $ref: "./other.json#/a" }, "unknown"],
  ["a reference to the web", { $ref: "https://example.com/schema.json" }, "unknown"],
  ["a reference to what an object inherits", { $ref: "#/constructor/name" }, "unknown"],
  [
    "a recursion",
    { type: "object", properties: { next: { $ref: "#" } } },
    "{ next?: { next?: unknown /* recursive */ } }",
  ],
  ["a reference to itself", { $ref: "#" }, "unknown /* recursive */"],
  [
    "allOf",
    {
      allOf: [
        { $ref: "#/$defs/base" },
        { properties: { b: { type: "number" } }, required: ["b"] },
      ],
      $defs: { base: { type: "object", properties: { a: { type: "string" } } } },
    },
    "{ b: number; a?: string }",
  ],
  [
    "allOf that says the same property twice",
    {
      allOf: [
        { properties: { a: { type: "string" } } },
        { properties: { a: { description: "no form" } } },
      ],
    },
    "{ a?: string }",
  ],
  [
    "oneOf",
    { oneOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
    "string | string[]",
  ],
  [
    "anyOf of required only",
    {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "string" } },
      anyOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    "{ a?: string; b?: string }",
  ],
  [
    "anyOf with properties on both levels",
    {
      type: "object",
      properties: { a: { type: "string" } },
      required: ["a"],
      anyOf: [{ properties: { b: { type: "number" } } }, { properties: { c: {} } }],
    },
    "{ a: string; b?: number } | { a: string; c?: unknown }",
  ],
  [
    "a type that its alternatives refine",
    { type: "string", anyOf: [{ enum: ["a"] }, { type: "string", format: "date" }] },
    '"a" | string /* date */',
  ],
];

for (const [name, schema, type] of CASES) {
  Deno.test(`printType() prints ${name}`, () => {
    strictEqual(input(schema), type);
    deepStrictEqual(diagnose(`declare const value: ${type};`), []);
  });
}

Deno.test("printType() shows the first of a long enum and their number", () => {
  const values = Array.from({ length: 300 }, (_, index) => `v${index}`);
  strictEqual(input({ enum: values }, { enumMax: 2 }), '"v0" | "v1" | string /* 300 values */');
  strictEqual(input({ enum: ["a", "b"] }, { enumMax: 2 }), '"a" | "b"');
  strictEqual(input({ enum: [1, 2, 3] }, { enumMax: 2 }), "1 | 2 | number /* 3 values */");
});

Deno.test("printType() shows required properties and names the rest in an open end", () => {
  const names = Array.from({ length: 500 }, (_, index) => `p${index}`);
  const schema = {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
    required: ["p499"],
  };
  const type = input(schema, { propertiesMax: 2 });
  ok(type.startsWith("{ p499: string; p0?: string; [key: string]: unknown /* +498: p1, … */ }"));
  ok(output(schema, { propertiesMax: 2 }).includes("[key: string]: any /* +498"));
  strictEqual(
    input({ ...schema, required: [] }, { propertiesMax: 500, charsMax: 20_000 }).includes("[key"),
    false,
  );
});

Deno.test("printType() ends what is too deep", () => {
  let schema: JsonSchema = { type: "string" };
  for (let depth = 0; depth < 200; depth++) schema = { type: "object", properties: { a: schema } };
  strictEqual(input(schema, { depthMax: 2 }), "{ a?: { a?: object } }");
  strictEqual(output(schema, { depthMax: 1 }), "{ a?: any /* object */ }");
  let list: JsonSchema = { type: "string" };
  for (let depth = 0; depth < 200; depth++) list = { type: "array", items: list };
  strictEqual(input(list), `unknown${"[]".repeat(65)}`);
});

const LONG_VALUES = { enum: ["a", "b", "c"].map((letter) => letter.repeat(110)) };

/** Alternatives in alternatives, or another form of the same. */
function nest(depth: number, join: (inner: JsonSchema) => JsonSchema): JsonSchema {
  return depth === 0 ? LONG_VALUES : join(nest(depth - 1, join));
}

for (
  const [name, schema] of [
    ["alternatives", nest(8, (inner) => ({ oneOf: [inner, { type: "array", items: inner }] }))],
    ["tuples", nest(5, (inner) => ({ prefixItems: Array(8).fill(inner) }))],
    ["types", nest(6, (items) => ({ type: ["string", "array"], items }))],
    ["intersections", nest(5, (inner) => ({ allOf: [inner, { anyOf: [inner, inner] }] }))],
  ] as const
) {
  Deno.test(`printType() keeps to its budget however ${name} multiply`, () => {
    const names = Array.from({ length: 300 }, (_, index) => [`n${index}`, schema]);
    for (const whole of [schema, { properties: Object.fromEntries(names) }]) {
      for (const charsMax of [80, 250, 4_000]) {
        const type = input(whole, { charsMax });
        ok(type.length < charsMax * 5 + 1_500, `${type.length} of ${charsMax}`);
      }
    }
  });
}

Deno.test("printType() leaves out property names that are longer than any name", () => {
  const schema = { properties: { ["n".repeat(256)]: {}, ["m".repeat(257)]: {} } };
  strictEqual(
    input(schema),
    `{ ${"n".repeat(256)}?: unknown; [key: string]: unknown /* +1: ${"m".repeat(257)} */ }`,
  );
});

Deno.test("printType() is not kept busy by references that fan out", () => {
  const $defs = Object.fromEntries(
    Array.from({ length: 30 }, (_, level) => [`l${level}`, {
      type: "object",
      properties: {
        a: { $ref: `#/$defs/l${level + 1}` },
        b: { $ref: `#/$defs/l${level + 1}` },
      },
    }]),
  );
  const startedAt = performance.now();
  const type = input({ $ref: "#/$defs/l0", $defs }, { depthMax: 40 });
  ok(performance.now() - startedAt < 5_000);
  ok(type.length < 20_000);
  deepStrictEqual(diagnose(`declare const value: ${type};`), []);
});
