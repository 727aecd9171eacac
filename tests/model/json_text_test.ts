import assert from "node:assert/strict";
import fc from "fast-check";
import { endOfString } from "../../src/model/json/json_text.ts";

Deno.test("endOfString() finds the quote that JSON.stringify wrote, whatever stands in the string", () => {
  const text = fc.array(fc.constantFrom('"', "\\", "a", "\n", "é")).map((all) => all.join(""));
  fc.assert(fc.property(text, text, (before, value) => {
    const json = JSON.stringify(value);
    assert.equal(
      endOfString(`${before}${json} , "next"`, before.length),
      before.length + json.length - 1,
    );
  }));
});

Deno.test("endOfString() gives the length of a text in which no string ends", () => {
  for (const json of ['"', '"a', '"a\\', '"a\\"', '"\\\\\\"']) {
    assert.equal(endOfString(json, 0), json.length, json);
  }
});

Deno.test("endOfString() is linear in quotes that are escaped", () => {
  const startedAt = performance.now();
  assert.equal(endOfString(`"${'\\"'.repeat(1_000_000)}"`, 0), 2_000_001);
  assert.ok(performance.now() - startedAt < 10_000);
});
