import assert from "node:assert/strict";
import fc from "fast-check";
import { findCallLines, highlightCode, toolSpelling } from "../../src/console/highlight_code.ts";

Deno.test("highlightCode() colours comments, strings, numbers, words and tools", () => {
  const [line = []] = highlightCode("const a = tools.x.y('s', 1.5); // done");
  assert.deepEqual(
    line.filter((token) => token.kind !== "plain").map(({ kind, text }) => [kind, text]),
    [
      ["keyword", "const"],
      ["name", "tools"],
      ["string", "'s'"],
      ["number", "1.5"],
      ["comment", "// done"],
    ],
  );
});

Deno.test("highlightCode() keeps the colour of a comment or template over its lines", () => {
  const lines = highlightCode("/* a\nb */ `c\nd` e");
  assert.deepEqual(lines.map((line) => line.map((token) => token.kind)), [
    ["comment"],
    ["comment", "plain", "string"],
    ["string", "plain", "plain"],
  ]);
});

Deno.test("highlightCode() loses nothing of any text, closed or not", () => {
  const piece = fc.constantFrom("'", '"', "`", "/*", "*/", "//", "\\", "\n", "a", "1", "tools.");
  const text = fc.oneof(fc.string(), fc.array(piece).map((pieces) => pieces.join("")));
  fc.assert(fc.property(text, (code) => {
    const whole = highlightCode(code).map((line) => line.map((token) => token.text).join(""));
    assert.equal(whole.join("\n"), code);
  }));
});

Deno.test("highlightCode() takes a time that grows with the text, not with its nesting", () => {
  for (const unit of ["/*", "'", "`\\", '"\\\\', "tools[", "tools.a", "1."]) {
    const started = performance.now();
    const code = unit.repeat(Math.ceil(262_144 / unit.length));
    highlightCode(code);
    findCallLines(code);
    assert.ok(performance.now() - started < 30_000, unit);
  }
});

Deno.test("findCallLines() finds tools in every spelling, and leaves out what several lines name", () => {
  const lines = findCallLines([
    "await tools.orders.list({}); tools.orders.list({});",
    'await tools["my-server"]["get-user"]({});',
    "tools.orders.get();",
    "tools",
    "  .orders.get();",
    "mytools.orders.delete();",
  ].join("\n"));
  assert.equal(lines.get("orders.list"), 1);
  assert.equal(lines.get(toolSpelling("my-server", "get-user")), 2);
  assert.equal(lines.has("orders.get"), false);
  assert.equal(lines.has("orders.delete"), false);
});

Deno.test("toolSpelling() is the same for a name and its identifier", () => {
  assert.equal(toolSpelling("my-server", "get.user"), toolSpelling("my_server", "get_user"));
  assert.equal(toolSpelling("a", "delete_"), toolSpelling("a", "delete"));
});
