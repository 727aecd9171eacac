import assert from "node:assert/strict";
import { normalizeSchema } from "../../../src/catalog/types/normalize_schema.ts";
import { printType } from "../../../src/catalog/types/print_type.ts";
import type { JsonSchema } from "../../../src/model/json/json.ts";
import { validateJson } from "../../../src/supervisor/values/validate_json.ts";

function read(schema: JsonSchema) {
  const { schema: normalized, notes } = normalizeSchema(schema);
  const fits = (value: unknown) => {
    const result = validateJson(normalized, value, 10);
    assert.ok(result.ok || result.problems !== null, JSON.stringify(result));
    return result.ok;
  };
  return { normalized, notes, fits };
}

const BUDGET = {
  depthMax: 9,
  propertiesMax: 99,
  enumMax: 9,
  unionMax: 9,
  charsMax: 9_000,
  docCharsMax: 0,
};
const typeOf = (schema: JsonSchema) =>
  printType(normalizeSchema(schema).schema, { direction: "input", budget: BUDGET });

/** What a server writes, values that fit, values that do not, how many notes there are. */
type Row = readonly [JsonSchema, readonly unknown[], readonly unknown[], number];

function check(rows: readonly Row[]): void {
  for (const [schema, good, bad, notes] of rows) {
    const about = JSON.stringify(schema);
    const reading = read(schema);
    for (const value of good) assert.ok(reading.fits(value), `${about} ${JSON.stringify(value)}`);
    for (const value of bad) assert.ok(!reading.fits(value), `${about} ${JSON.stringify(value)}`);
    assert.equal(reading.notes.length, notes, `${about} ${reading.notes}`);
  }
}

Deno.test("a schema of today is the same object", () => {
  const schema = {
    type: "object",
    properties: { a: { type: ["string", "null"], description: "x" }, b: { $ref: "#/$defs/b" } },
    required: ["a"],
    additionalProperties: false,
    $defs: { b: { type: "array", items: { type: "integer", minimum: 1 } } },
  };
  assert.equal(normalizeSchema(schema).schema, schema);
});

Deno.test("patterns of other dialects are translated, or say nothing", () => {
  const pattern = (text: string) => ({ type: "string", pattern: text });
  check([
    [pattern("^https\\:\\/\\/"), ["https://a"], ["ftp://a"], 0],
    [pattern("^[a-z\\d\\-\\_]+$"), ["a-b_1"], ["A"], 0],
    [pattern("^[\\w-.]+$"), ["a-b."], ["!"], 0],
    [pattern("^{id}$"), ["{id}"], ["id"], 0],
    [pattern("\\A[a-z]+\\z"), ["abc"], ["1"], 0],
    [pattern("(?i)^abc$"), ["ABC"], ["x"], 0],
    [pattern("[[:alpha:]]"), ["1"], [], 1],
    [pattern("a{,3}"), ["b"], [], 1],
    [pattern("(?P<n>a)"), ["b"], [], 1],
    [pattern("["), ["b"], [], 1],
    [{ type: "string", pattern: 5 }, ["b"], [1], 1],
    [
      {
        patternProperties: { "^x\\:": { type: "string" }, "(?<n": {} },
        additionalProperties: false,
      },
      [{ "x:a": "1" }, { other: 1 }],
      [{ "x:a": 1 }],
      1,
    ],
  ]);
});

Deno.test("keywords of another form mean nothing, and a note says so", () => {
  check([
    [{ type: "object", properties: {}, required: null }, [{}], [1], 0],
    [{ properties: { a: { type: "object", required: true } } }, [{ a: {} }], [{ a: 1 }], 1],
    [{ properties: { a: { type: "string", required: false } } }, [{}, { a: "" }], [{ a: 1 }], 1],
    [{ type: "number", minimum: "1" }, [0], ["x"], 1],
    [{ type: "string", minLength: -1, format: null }, [""], [1], 1],
    [{ type: "string", enum: null }, ["x"], [1], 0],
    [{ type: "string", enum: [] }, ["x"], [1], 1],
    [{ type: "object", properties: [] }, [{}], [1], 0],
    [{ properties: { a: "string", b: null } }, [{ a: 1, b: 2 }], [], 2],
    [{ type: "array", items: "string" }, [[1]], [1], 1],
    [{ anyOf: [], allOf: [], oneOf: {} }, [1], [], 1],
    [{ type: "object", additionalProperties: "false" }, [{ a: 1 }], [], 1],
  ]);
});

Deno.test("old drafts are read as they are meant", () => {
  const draft4 = "http://json-schema.org/draft-04/schema#";
  check([
    [{ $schema: draft4, type: "number", minimum: 0, exclusiveMinimum: true }, [1], [0], 0],
    [{ type: "number", maximum: 5, exclusiveMaximum: true }, [4], [5], 0],
    [{ type: "number", maximum: 5, exclusiveMaximum: false }, [5], [6], 0],
    [{ exclusiveMinimum: true }, [0], [], 1],
    [
      { type: "array", items: [{ type: "string" }, { type: "number" }], additionalItems: false },
      [["a", 1]],
      [["a", 1, 2], [1]],
      0,
    ],
    [{ dependencies: { a: ["b"], c: { required: ["d"] } } }, [{ a: 1, b: 1 }], [{ a: 1 }, {
      c: 1,
    }], 0],
    // Nothing counts beside a reference there.
    [
      {
        $schema: draft4,
        $ref: "#/definitions/s",
        minLength: 9,
        definitions: { s: { type: "string" } },
      },
      ["a"],
      [1],
      0,
    ],
    [{ $ref: "#/$defs/s", minLength: 2, $defs: { s: { type: "string" } } }, ["ab"], ["a"], 0],
  ]);
});

Deno.test("types are read in the spelling of other languages", () => {
  check([
    [{ type: "any" }, [1, "a", null], [], 0],
    [{ type: ["int", "None"] }, [1, null], [1.5, "a"], 0],
    [{ type: "float" }, [1.5], ["a"], 0],
    [{ type: "dict", properties: { a: { type: "STRING" } } }, [{ a: "x" }], [{ a: 1 }, []], 0],
    [{ type: ["string", { type: "object" }] }, ["a", {}], [1], 0],
    [{ type: ["string", "any"] }, [1], [], 0],
    [{ type: "blob" }, [1, "a"], [], 1],
    [{ type: "string", nullable: true, enum: ["a"] }, ["a", null], ["b"], 0],
    [{ $ref: "#/$defs/o", nullable: true, $defs: { o: { type: "object" } } }, [{}, null], [1], 0],
  ]);
  assert.equal(typeOf({ type: "float", nullable: true }), "number | null");
});

Deno.test("an enum has values of its type", () => {
  check([
    [{ type: "string", enum: [1, 2, true] }, ["1", "true"], [1, "3"], 0],
    [{ type: "integer", enum: ["1", "2"] }, [1], ["1", 3], 0],
    [{ type: "boolean", enum: ["true"] }, [true], [false], 0],
    [{ type: "array", items: { type: "string" }, enum: ["a"] }, [["a"]], [["b"]], 0],
    [{ type: "object", enum: ["a", "b"] }, ["a"], ["c", {}], 1],
    [{ type: "string", const: 1 }, ["1"], [1], 0],
  ]);
  assert.equal(typeOf({ type: "string", enum: [1, 2] }), '"1" | "2"');
});

Deno.test("references lead where they can, and nowhere else", () => {
  const node = { type: "object", properties: { next: { $ref: "#" } } };
  check([
    [node, [{ next: { next: {} } }], [{ next: 1 }], 0],
    [{ properties: { a: { $ref: "#/definitions/gone" } } }, [{ a: 1 }], [], 1],
    [{ $ref: "https://example.com/x.json" }, [1], [], 1],
    [{ properties: { a: { $ref: 5 } } }, [{ a: 1 }], [], 1],
    [
      { properties: { a: { $ref: "#/properties/b/oneOf/0" }, b: { oneOf: [{ type: "string" }] } } },
      [{ a: "x" }],
      [{ a: 1 }],
      0,
    ],
    [
      {
        $ref: "#n",
        $defs: { n: { $anchor: "n", properties: { c: { $ref: "#n" } }, type: "object" } },
      },
      [{ c: { c: {} } }],
      [{ c: 1 }],
      0,
    ],
    [
      {
        $id: "https://x.test/y.json",
        properties: { a: { $ref: "y.json#/$defs/q" }, b: { $ref: "z.json" } },
        $defs: { q: { type: "string" }, z: { $id: "z.json", type: "number" } },
      },
      [{ a: "s", b: 1 }],
      [{ a: 1 }, { b: "x" }],
      0,
    ],
    [{ properties: { $ref: { type: "string" }, id: { type: "number" } } }, [{ id: 1 }], [{
      id: "a",
    }], 0],
  ]);
});

Deno.test("references in a circle end, and constrain nothing", () => {
  check([
    [{ allOf: [{ $ref: "#" }] }, [1], [], 1],
    [
      {
        $ref: "#/$defs/a",
        $defs: { a: { $ref: "#/$defs/b" }, b: { anyOf: [{ $ref: "#/$defs/a" }] } },
      },
      [1],
      [],
      1,
    ],
  ]);
});

Deno.test("alternatives may overlap", () => {
  check([
    [
      { oneOf: [{ type: "string" }, { type: "string", maxLength: 3 }] },
      ["ab", "abcd"],
      [1],
      0,
    ],
    [
      { oneOf: [{ type: "integer" }, { type: "number" }], anyOf: [{ minimum: 5 }] },
      [5, 5.5],
      [4, "a"],
      0,
    ],
  ]);
});

Deno.test("notes and depth are bounded", () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`p${at}`, "x"]));
  assert.equal(normalizeSchema({ properties: many }).notes.length, 20);
  let deep: { [key: string]: unknown } = { type: "string" };
  for (let level = 0; level < 240; level++) deep = { properties: { a: deep } };
  assert.match(normalizeSchema(deep).notes.join(), /nested too deep/);
});
