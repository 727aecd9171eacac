import assert from "node:assert/strict";
import { z } from "zod";
import { parseInput } from "../../src/http/api/parse_input.ts";
import { GateError } from "../../src/model/errors.ts";
import { listSchema } from "../../src/model/list_schema.ts";

const Schema = z.strictObject({ names: listSchema(z.string(), 50).optional() });

function messageFor(input: unknown): string {
  try {
    parseInput(Schema, input, "body");
  } catch (error) {
    assert.ok(error instanceof GateError);
    return error.message;
  }
  return assert.fail("the input was accepted");
}

Deno.test("parseInput() names at most five of the unknown keys, and cuts each", () => {
  const input = Object.fromEntries(
    Array.from({ length: 9_000 }, (_, index) => [`k${index}`.padEnd(500, "x"), 1]),
  );
  const message = messageFor(input);
  assert.match(message, /^Invalid body: body: Unrecognized keys: "k0x/);
  assert.match(message, /and 8995 more$/);
  assert.ok(message.length < 600, String(message.length));
  assert.equal(messageFor({ a: 1 }), 'Invalid body: body: Unrecognized key: "a"');
});

Deno.test("a list that is too long is one finding, whatever its members are", () => {
  const message = messageFor({ names: Array.from({ length: 1_000_000 }, () => 1) });
  assert.equal(message.split(";").length, 1);
  assert.match(messageFor({ names: Array.from({ length: 50 }, () => 1) }), /and 45 more$/);
  assert.deepEqual(parseInput(Schema, { names: ["a"] }, "body"), { names: ["a"] });
});

Deno.test("the document of a list says what its members are", () => {
  const document = z.toJSONSchema(Schema, { io: "input" });
  assert.deepEqual(document.properties?.names, {
    type: "array",
    items: { type: "string" },
    maxItems: 50,
  });
});
