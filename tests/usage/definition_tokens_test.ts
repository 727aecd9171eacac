import assert from "node:assert/strict";
import { createDefinitionCounter } from "../../src/usage/definition_tokens.ts";

Deno.test("definitions are counted once each, and other work goes on between slices", async () => {
  const things = Array.from({ length: 101 }, (_, index) => ({ text: "x".repeat(index) }));
  let rendered = 0;
  const counter = createDefinitionCounter<{ text: string }>({
    render: (thing) => {
      rendered++;
      return thing.text;
    },
    countTokens: (text) => text.length,
  });
  const counting = counter.count(things);
  assert.equal(rendered, 50);
  assert.equal(await counting, 5_050);
  assert.equal(await counter.count(things.slice(0, 3)), 3);
  assert.equal(rendered, 101);
});
