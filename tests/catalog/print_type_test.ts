import { Validator } from "@cfworker/json-schema";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { printType, type TypeBudget } from "../../src/catalog/print_type.ts";
import type { JsonSchema } from "../../src/model/json.ts";
import { diagnose } from "./type_check.ts";

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

/**
 * Schemas with everything that printing treats in a way of its own. Objects and tuples say whether
 * they are open: where a schema does not, the printed type is closed, so that a wrong name is seen.
 */
const schemas = fc.letrec<{ schema: JsonSchema; leaf: JsonSchema }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom<JsonSchema>(true, {}, { type: "null" }, { type: "boolean" }),
    fc.constantFrom<JsonSchema>({ type: "number" }, { type: "string" }, { $ref: "#/$defs/a" }),
    fc.constantFrom<JsonSchema>({ type: ["integer", "null"] }, { type: "string", nullable: true }),
    fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1 })
      .map((values) => ({ enum: values })),
  ),
  schema: fc.oneof(
    { depthSize: "small" },
    tie("leaf"),
    fc.record({
      type: fc.constant("object"),
      properties: fc.dictionary(fc.string({ unit: "binary", maxLength: 3 }), tie("schema"), {
        maxKeys: 5,
      }),
      additionalProperties: fc.constantFrom<JsonSchema>(true, false, { type: "string" }),
    }).chain((schema) =>
      fc.subarray(Object.keys(schema.properties)).map((required) => ({ ...schema, required }))
    ),
    fc.record({ type: fc.constant("array"), items: tie("schema") }),
    fc.array(tie("schema"), { minLength: 1, maxLength: 4 }).map((anyOf) => ({ anyOf })),
    fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((allOf) => ({ allOf })),
    fc.tuple(tie("schema"), tie("schema")).map((prefixItems) => ({
      type: "array",
      prefixItems,
      minItems: 2,
      items: false,
    })),
  ),
})).schema.map((schema) =>
  typeof schema === "boolean" ? schema : {
    ...schema,
    $defs: {
      a: {
        type: "object",
        properties: { again: { $ref: "#/$defs/a" } },
        additionalProperties: false,
      },
    },
  }
);

const budgets = fc.record({
  depthMax: fc.integer({ min: 0, max: 5 }),
  propertiesMax: fc.integer({ min: 1, max: 6 }),
  enumMax: fc.integer({ min: 1, max: 5 }),
  unionMax: fc.integer({ min: 1, max: 4 }),
  charsMax: fc.integer({ min: 1, max: 2_000 }),
  docCharsMax: fc.constantFrom(0, 40),
});

Deno.test("printType() prints types without a diagnostic for any schema and budget", () => {
  const samples = fc.sample(fc.tuple(schemas, budgets), { numRuns: 1_500, seed: 7 });
  const lines = samples.flatMap(([schema, budget], index) => [
    `declare const in${index}: ${printType(schema, { direction: "input", budget })};`,
    `declare const out${index}: ${printType(schema, { direction: "output", budget })};`,
  ]);
  deepStrictEqual(diagnose(lines.join("\n")), []);
});

Deno.test("printType() prints an argument type that takes every valid value", () => {
  const samples = fc.sample(fc.tuple(schemas, budgets, fc.jsonValue({ maxDepth: 2 })), {
    numRuns: 6_000,
    seed: 11,
  });
  const valid = samples.filter(([schema, , value]) => schema !== true && validates(schema, value));
  ok(valid.length > 300, `${valid.length} valid pairs`);
  const lines = valid.map(([schema, budget, value], index) =>
    `export const v${index}: ${printType(schema, { direction: "input", budget })} = ${
      JSON.stringify(value).replace(/[\u2028\u2029\ud800-\udfff]/g, "?")
    };`.replaceAll("\n", " ")
  );
  const wrong = diagnose("", lines.join("\n"));
  deepStrictEqual(wrong.map((line) => [line, lines[Number(line.split(":")[0]) - 1]]), []);
});

function validates(schema: JsonSchema, value: unknown): boolean {
  return new Validator(schema as Record<string, unknown>, "2020-12").validate(value).valid;
}
