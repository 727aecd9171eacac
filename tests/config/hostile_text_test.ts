/** Whatever a file holds, it is a configuration or an error that says what to do. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { stringify } from "yaml";
import { importServers } from "../../src/config/import_servers.ts";
import { parseConfig } from "../../src/config/parse_config.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { GateError } from "../../src/model/errors.ts";

/** Values of any form under keys that mean something, and some that do not. */
const KEYS = [
  ...Object.keys(ConfigSchema.shape),
  ...["command", "url", "args", "env", "headers", "type", "__proto__", "constructor", "toString"],
];
const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("none", "kv:x", "http://x", "${env:X}", "127.0.0.1"),
);
const value = fc.letrec((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, scalar, tie("list"), tie("map")),
  list: fc.array(tie("node"), { maxLength: 4 }),
  map: fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie("node"), { maxKeys: 6 }),
})).node;

function refusesWell(use: () => unknown): void {
  try {
    use();
  } catch (error) {
    assert.ok(error instanceof GateError, String(error));
    assert.equal(error.code, "ERR_CONFIG");
    assert.ok(error.message.length > 10 && error.hint.length > 3, error.message);
  }
}

Deno.test("parseConfig() takes or refuses any value with a remedy", () => {
  fc.assert(
    fc.property(value, (config) => {
      refusesWell(() => parseConfig(stringify(config) ?? "", "f.yaml"));
      refusesWell(() => parseConfig(JSON.stringify(config) ?? "", "f.json"));
    }),
    { numRuns: 300 },
  );
});

Deno.test("parseConfig() takes or refuses any text with a remedy", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      refusesWell(() => parseConfig(text, "f.yaml"));
    }),
    { numRuns: 500 },
  );
});

Deno.test("importServers() makes a file that loads, or says why not, for any servers", () => {
  const file = fc.record({
    mcpServers: fc.dictionary(fc.string(), value, { maxKeys: 4 }),
    inputs: value,
  }, { requiredKeys: [] });
  fc.assert(
    fc.property(file, (client) => {
      refusesWell(() =>
        parseConfig(importServers(JSON.stringify(client), "f").text, "toolgate.yaml")
      );
    }),
    { numRuns: 300, examples: [[{ mcpServers: { x: { args: [{ toString: "none" }] } } }]] },
  );
});

Deno.test("parseConfig() is quick with long hostile texts", () => {
  const began = performance.now();
  for (
    const text of ["[".repeat(2_000), "a: ".repeat(5_000), "- ".repeat(5_000), "{a: ".repeat(500)]
  ) {
    refusesWell(() => parseConfig(text, "f.yaml"));
  }
  assert.ok(performance.now() - began < 60_000);
});
