import assert from "node:assert/strict";
import fc from "fast-check";
import { compileGlob, isGlob, type Wildcards } from "../../src/model/glob.ts";

Deno.test("compileGlob() agrees with the regular expression that says the same", () => {
  const letters = fc.constantFrom("a", "b", "*", "?", ".", "");
  const joined = (all: readonly string[]) => all.join("");
  fc.assert(
    fc.property(
      fc.constantFrom<Wildcards>("*", "*?"),
      fc.array(letters, { maxLength: 6 }).map(joined),
      fc.array(fc.constantFrom("a", "b", ".", "?"), { maxLength: 8 }).map(joined),
      (wildcards, pattern, given) => {
        const expression = pattern.replaceAll(".", "\\.").replaceAll("*", ".*")
          .replaceAll("?", wildcards === "*?" ? "." : "\\?");
        const expected = new RegExp(`^(?:${expression})$`, "s").test(given);
        assert.equal(compileGlob(pattern, wildcards)(given), expected, `${pattern} on ${given}`);
      },
    ),
    { numRuns: 3_000 },
  );
});

Deno.test("compileGlob() is linear where backtracking would not end", () => {
  const startedAt = performance.now();
  const text = "a".repeat(1_000_000);
  assert.equal(compileGlob(`${"*a".repeat(50)}*b`)(text), false);
  assert.equal(compileGlob(`${"*a?".repeat(50)}*b`, "*?")(text), false);
  assert.ok(performance.now() - startedAt < 30_000);
});

Deno.test("a question mark is a letter in policies and a wildcard in filters", () => {
  assert.ok(compileGlob("what?")("what?"));
  assert.ok(!compileGlob("what?")("whats"));
  assert.ok(compileGlob("what?", "*?")("whats"));
  assert.ok(!isGlob("what?"));
  assert.ok(isGlob("what?", "*?"));
});
