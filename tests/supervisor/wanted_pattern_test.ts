import assert from "node:assert/strict";
import { describePattern } from "../../src/supervisor/values/wanted_pattern.ts";

Deno.test("describePattern() shows the pattern and a text that matches it", () => {
  const cases: [string, string][] = [
    ["^\\d{4}-\\d{2}-\\d{2}$", "2026-04-01"],
    ["^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$", "2026-04-01T09:00:00Z"],
    ["^[A-Z]{3}$", "ABC"],
    ["^cus-[0-9]{5}$", "cus-12345"],
    ["^[a-z0-9_-]+$", "a"],
    ["^https?://", "https://"],
    ["^#[0-9a-fA-F]{6}$", "#abcdef"],
    ["^\\+\\d{1,15}$", "+1"],
  ];
  for (const [pattern, example] of cases) {
    const told = describePattern({ properties: { a: { type: "string", pattern } } }, "/a");
    // `?` may be left out.
    const shown = pattern === "^https?://" ? "http://" : example;
    assert.equal(told, ` ${pattern}, such as ${JSON.stringify(shown)}`);
    assert.match(shown, new RegExp(pattern, "u"));
  }
});

Deno.test("describePattern() finds the schema of a place, and what it gives as an example", () => {
  const schema = {
    $defs: { code: { type: "string", pattern: "^(?:A|B)\\d+$", examples: ["x", "B7"] } },
    properties: {
      rows: { items: { allOf: [{ properties: { code: { $ref: "#/$defs/code" } } }] } },
      any: { additionalProperties: { anyOf: [{ type: "number" }, { pattern: "^(a|b)$" }] } },
    },
  };
  assert.equal(describePattern(schema, "/rows/3/code"), ' ^(?:A|B)\\d+$, such as "B7"');
  assert.equal(describePattern(schema, "/any/thing"), " ^(a|b)$");
  assert.equal(describePattern(schema, "/rows/3/other"), "");
  assert.equal(describePattern(true, "/a"), "");
  const hostile = { pattern: "^(a+)+$", examples: ["a".repeat(79) + "!"] };
  assert.equal(describePattern({ properties: { a: hostile } }, "/a"), " ^(a+)+$");
  const circle = { properties: { a: { $ref: "#/properties/a" } } };
  assert.equal(describePattern(circle, "/a"), "");
});
