import assert from "node:assert/strict";
import { toolErrorText, toolValue } from "../../src/supervisor/tool_value.ts";

const answer = (content: readonly unknown[], structuredContent?: unknown) => ({
  content,
  ...(structuredContent === undefined ? {} : { structuredContent }),
  isError: false,
  bytes: 0,
  credential: "none",
});
const text = (words: string) => ({ type: "text", text: words });

Deno.test("toolValue() prefers structured content, whatever JSON it is", async () => {
  assert.deepEqual(await toolValue(answer([text("x")], { a: 1 })), { a: 1 });
  assert.deepEqual(await toolValue(answer([text("x")], [])), []);
  assert.equal(await toolValue(answer([text("x")], null)), null);
});

Deno.test("toolValue() parses a single text block that is a JSON object or array", async () => {
  assert.deepEqual(await toolValue(answer([text(' {"a": [1]}')])), { a: [1] });
  assert.deepEqual(await toolValue(answer([text("[1]")])), [1]);
});

Deno.test("toolValue() keeps other text as it is", async () => {
  for (const words of ["5", "true", '"quoted"', "{not json", "", "[link](x)"]) {
    assert.equal(await toolValue(answer([text(words)])), words);
  }
});

Deno.test("toolValue() hands over the content array when it is not one text block", async () => {
  const image = { type: "image", data: "AA==", mimeType: "image/png" };
  assert.deepEqual(await toolValue(answer([image])), [image]);
  assert.deepEqual(await toolValue(answer([text("a"), text("b")])), [text("a"), text("b")]);
  assert.deepEqual(await toolValue(answer([])), []);
});

Deno.test("toolErrorText() joins the text blocks and bounds them", () => {
  const asIs = (words: string) => words;
  const said = (content: unknown[]) => toolErrorText(answer(content), asIs);
  assert.equal(said([text("no"), { type: "image" }, text("way")]), "no\nway");
  assert.match(said([]), /without a message/);
  assert.equal(said([text("x".repeat(5_000))]).length, 4_000);
});
