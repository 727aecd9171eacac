import { Validator } from "@cfworker/json-schema";
import fc from "fast-check";
import { deepStrictEqual, ok } from "node:assert/strict";
import { printType } from "../../../src/catalog/types/print_type.ts";
import type { JsonSchema } from "../../../src/model/json/json.ts";
import { diagnose } from "../type_check.ts";

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
