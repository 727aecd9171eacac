import assert from "node:assert/strict";
import { isSpecType } from "@modelcontextprotocol/server";
import { readableContents, readablePrompt, readableResult } from "../../src/mcp/readable_result.ts";

const text = (words: string) => ({ type: "text", text: words });

Deno.test("structured content that an older client does not know is left out, its text stays", () => {
  for (const structured of [[1, 2], 7, "x", null, true]) {
    const content = [text(JSON.stringify(structured))];
    const old = readableResult({ content, structuredContent: structured }, false);
    assert.deepEqual(old, { content });
    const modern = readableResult({ content, structuredContent: structured }, true);
    assert.deepEqual(modern, { content, structuredContent: structured });
  }
  const object = { content: [], structuredContent: { a: 1 } };
  assert.deepEqual(readableResult(object, false), object);
});

Deno.test("structured content that no text says becomes a text", () => {
  const said = readableResult({ content: [text("2 items")], structuredContent: [1, 2] }, false);
  assert.deepEqual(said.content, [text("2 items"), text("[1,2]")]);
  const laidOut = readableResult(
    { content: [text("[\n 1,\n 2\n]")], structuredContent: [1, 2] },
    false,
  );
  assert.equal(laidOut.content.length, 1);
});

Deno.test("whatever a block is, a client can read it", () => {
  const image = { type: "image", data: "AA==", mimeType: "image/png" };
  const odd: readonly unknown[] = [
    { type: "json", json: { a: 1 } },
    { type: "text" },
    { type: "text", text: 7 },
    { type: "text", text: null },
    { type: "image", url: "https://example.com/x.png" },
    { type: "resource", resource: { text: "no uri" } },
    { type: "resource_link", name: "no uri" },
    { type: "text", text: "x", annotations: { priority: 99 } },
    { kind: "text" },
    "text",
    7,
    null,
    [1],
  ];
  for (const isModern of [true, false]) {
    const result = readableResult({ content: [image, ...odd] }, isModern);
    assert.ok(isSpecType.CallToolResult(result), JSON.stringify(result));
    assert.deepEqual(result.content[0], image);
    assert.deepEqual(result.content[1], text('{"type":"json","json":{"a":1}}'));
    assert.equal(result.content.length, odd.length + 1);
  }
});

Deno.test("a prompt and a resource come through in a form that a client can read", () => {
  const prompt = readablePrompt({
    description: "d",
    messages: [
      { role: "user", content: text("fine") },
      { role: "system", content: text("no such role") },
      { role: "assistant", content: { type: "json", json: 1 } },
      "bare",
    ],
  });
  assert.ok(isSpecType.GetPromptResult(prompt), JSON.stringify(prompt));
  assert.deepEqual(prompt.messages.map(({ role }) => role), ["user", "user", "assistant", "user"]);
  assert.deepEqual(prompt.messages[3]?.content, text("bare"));
  assert.deepEqual(readablePrompt({}).messages, []);

  const contents = readableContents([
    { uri: "a:1", text: "fine" },
    { text: "no uri" },
    { uri: "a:1", text: 7 },
    { uri: "a:1", blob: "not base64!" },
    { uri: "a:1", blob: "AAAA" },
    "bare",
  ], "a:1");
  assert.ok(isSpecType.ReadResourceResult({ contents }), JSON.stringify(contents));
  assert.equal(contents[1]?.uri, "a:1");
  assert.deepEqual(contents[4], { uri: "a:1", blob: "AAAA" });
});
