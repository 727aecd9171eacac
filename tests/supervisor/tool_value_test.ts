import assert from "node:assert/strict";
import { toolErrorText, toolValue } from "../../src/supervisor/values/tool_value.ts";

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
  const said = (content: unknown[]) => toolErrorText(answer(content), (value) => value);
  assert.equal(said([text("no"), { type: "image" }, text("way")]), "no\nway");
  assert.match(said([]), /without a message/);
  assert.equal(said([text("x".repeat(5_000))]).length, 4_000);
});

Deno.test("toolErrorText() finds the words wherever they are", () => {
  const said = (content: unknown[], structured?: unknown) =>
    toolErrorText(answer(content, structured), (value) => value);
  const limited = { code: "RATE_LIMITED", retryAfter: 30 };
  assert.equal(said([], limited), JSON.stringify(limited));
  assert.equal(said([text("  ")], limited), JSON.stringify(limited));
  assert.equal(said([text("slow down")], limited), "slow down");
  assert.equal(said([], "disk is full"), "disk is full");
  assert.equal(said([], ["a", "b"]), '["a","b"]');
  const resource = { uri: "log:1", mimeType: "text/plain", text: "disk is full" };
  assert.equal(said([{ type: "resource", resource }]), "disk is full");
  assert.equal(said([{ type: "resource", resource }], {}), "disk is full");
  const link = { type: "resource_link", uri: "log:1", name: "the log", description: "says why" };
  assert.equal(said([link]), "the log, says why, log:1");
  assert.equal(said([{ type: "json", json: { a: 1 } }]), '{"type":"json","json":{"a":1}}');
  assert.equal(said(["bare"]), "bare");
  for (const silent of [[], [text("")], [{ type: "image", data: "AA==" }], [null]]) {
    assert.match(said(silent), /without a message/);
    assert.match(said(silent, {}), /without a message/);
  }
});

Deno.test("toolErrorText() redacts what is said in structured content, by name too", () => {
  const redact = (value: unknown) =>
    JSON.parse(JSON.stringify(value), (name, each) => name === "password" ? "[secret]" : each);
  const text = toolErrorText(answer([], { password: "hunter2", why: "no" }), redact);
  assert.equal(text, '{"password":"[secret]","why":"no"}');
});
