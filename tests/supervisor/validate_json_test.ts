import assert from "node:assert/strict";
import { validateJson } from "../../src/supervisor/values/validate_json.ts";

const SCHEMA = {
  type: "object",
  properties: {
    owner: { type: "string" },
    count: { type: "integer", minimum: 1 },
    tags: { type: "array", items: { type: "string" } },
  },
  required: ["owner"],
  additionalProperties: false,
};

function problemsOf(schema: Parameters<typeof validateJson>[0], value: unknown): readonly string[] {
  const validation = validateJson(schema, value, JSON.stringify(value).length);
  if (validation.ok) return [];
  assert.ok(validation.problems !== null, "the schema should be usable");
  return validation.problems.map((problem) => `${problem.path} ${problem.message}`);
}

Deno.test("validateJson() accepts what fits", () => {
  assert.deepEqual(problemsOf(SCHEMA, { owner: "acme", count: 1, tags: ["a"] }), []);
  assert.deepEqual(problemsOf(true, 5), []);
});

Deno.test("validateJson() names the place of each problem, innermost only", () => {
  assert.match(problemsOf(SCHEMA, {}).join(), /required property "owner"/);
  assert.match(problemsOf(SCHEMA, { owner: 1 }).join(), /^\/owner .*"string"/);
  assert.match(problemsOf(SCHEMA, { owner: "a", tags: ["x", 2] }).join(), /^\/tags\/1 /);
  assert.match(problemsOf(SCHEMA, { owner: "a", count: 0 }).join(), /^\/count /);
  assert.match(problemsOf(SCHEMA, { owner: "a", extra: 1 }).join(), /"extra"/);
});

Deno.test("validateJson() refuses nesting above its bound and accepts it at the bound", () => {
  const nested = (levels: number) => {
    let value: unknown = 1;
    for (let level = 0; level < levels; level++) value = [value];
    return value;
  };
  assert.deepEqual(problemsOf(true, nested(10_000)), []);
  assert.deepEqual(problemsOf({}, nested(100)), []);
  assert.match(problemsOf({}, nested(101)).join(), /deeper than 100/);
});

Deno.test("validateJson() does not let a pattern backtrack without bound", () => {
  const evil = { type: "string", pattern: "^(a+)+$" };
  const started = performance.now();
  const pump = "a".repeat(100_000) + "!";
  validateJson(evil, pump, pump.length);
  validateJson({ type: "string", pattern: "a.*a.*a.*b" }, pump, pump.length);
  validateJson({ patternProperties: { "(x+x+)+y": {} } }, { ["x".repeat(5_000)]: 1 }, 5_020);
  // Unbounded, each of these takes longer than the age of the machine.
  assert.ok(performance.now() - started < 30_000);
});

Deno.test("validateJson() still applies simple patterns", () => {
  assert.deepEqual(problemsOf({ type: "string", pattern: "^[A-Z]{2}$" }, "DE"), []);
  assert.equal(problemsOf({ type: "string", pattern: "^[A-Z]{2}$" }, "de").length, 1);
  assert.equal(problemsOf({ type: "string", pattern: "^[a-z]+$" }, "A").length, 1);
});

Deno.test("validateJson() says that a schema cannot be used instead of accepting the value", () => {
  for (
    const schema of [
      { $ref: "https://example.com/elsewhere.json" },
      { $ref: "#/$defs/missing" },
      { type: "string", pattern: "[" },
      { allOf: [{ $ref: "#" }] },
    ]
  ) {
    const validation = validateJson(schema, "text", 6);
    assert.equal(validation.ok, false, JSON.stringify(schema));
    assert.ok(!validation.ok && validation.problems === null, JSON.stringify(schema));
  }
});

Deno.test("validateJson() treats a property named __proto__ as a property", () => {
  const schema = { type: "object", properties: {}, additionalProperties: false };
  assert.equal(problemsOf(schema, JSON.parse('{"__proto__": 1}')).length, 1);
});

Deno.test("validateJson() stops at the first of a million problems", () => {
  const schema = {
    type: "object",
    properties: { to: { type: "array", items: { type: "string" } } },
  };
  const value = { to: Array.from({ length: 300_000 }, () => 1) };
  const validation = validateJson(schema, value, 600_000);
  assert.ok(!validation.ok && validation.problems !== null);
  assert.equal(validation.problems[0]?.path, "/to/0");
});
