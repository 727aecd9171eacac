import assert from "node:assert/strict";
import fc from "fast-check";
import { compileGlob } from "../../src/policy/glob.ts";
import { compileToolPattern } from "../../src/policy/tool_pattern.ts";
import { makeTool } from "./sample_tools.ts";

function matches(pattern: string, server: string, name: string): boolean {
  return compileToolPattern(pattern).matches(makeTool(server, name));
}

Deno.test("compileGlob() agrees with the regular expression that says the same", () => {
  const letter = fc.constantFrom("a", "b", "*", ".", "");
  const text = fc.array(fc.constantFrom("a", "b", "."), { maxLength: 8 }).map((all) =>
    all.join("")
  );
  fc.assert(
    fc.property(
      fc.array(letter, { maxLength: 6 }).map((all) => all.join("")),
      text,
      (pattern, given) => {
        const expression = pattern.split("*").map((piece) => piece.replaceAll(".", "\\.")).join(
          ".*",
        );
        const expected = new RegExp(`^${expression}$`, "s").test(given);
        assert.equal(compileGlob(pattern)(given), expected, `${pattern} on ${given}`);
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("compileGlob() is linear where backtracking would not end", () => {
  const startedAt = performance.now();
  assert.equal(compileGlob(`${"*a".repeat(50)}*b`)("a".repeat(1_000_000)), false);
  assert.ok(performance.now() - startedAt < 30_000);
});

Deno.test("a tool pattern names the server before the first dot and the tool after it", () => {
  assert.ok(matches("pay.refund", "pay", "refund"));
  assert.ok(matches("pay.*", "pay", "refund"));
  assert.ok(matches("*.refund", "pay", "refund"));
  assert.ok(matches("*", "pay", "refund"));
  assert.ok(matches("p*.re*d", "pay", "refund"));
  assert.ok(!matches("pay.refund", "pay", "refunds"));
  assert.ok(!matches("pay.*", "payments", "refund"));
  assert.ok(!matches("ay.refund", "pay", "refund"));
  assert.ok(matches("pay", "pay", "refund"), "a server alone means all of it");
  assert.ok(!matches("Pay.refund", "pay", "refund"));
});

Deno.test("a tool pattern may use the upstream's spelling or the identifiers of programs", () => {
  assert.ok(matches("my-server.get-user", "my-server", "get-user"));
  assert.ok(matches("my_server.get_user", "my-server", "get-user"));
  assert.ok(matches("my_server.get-user", "my-server", "get-user"));
  assert.ok(matches("my-*.get_*", "my-server", "get-user"));
});

Deno.test("a tool cannot pass for one of another server by a dot in its name", () => {
  assert.ok(!matches("pay.eu.refund", "pay.eu.x", "refund"));
  assert.ok(matches("pay.eu.refund", "pay", "eu.refund"));
  assert.ok(matches("pay.eu.refund", "pay.eu", "refund"), "a server with a dot, written out");
  assert.ok(matches("pay_eu.refund", "pay.eu", "refund"));
  assert.ok(!matches("other.pay.refund", "pay", "refund"));
  assert.ok(!matches("pay.refund", "evil", "pay.refund"));
  assert.ok(!matches("pay.*", "evil", "pay.refund"));
});
