import assert from "node:assert/strict";
import { explainSyntax } from "../../src/program/explain_syntax.ts";

Deno.test("explainSyntax() names what is wrong and where it stands", () => {
  const cases: [string, string, string][] = [
    ["class A { @log m() {} }", "Decorators are not supported", "1:11"],
    ["function f() {}\n  @f\nclass A {}", "Decorators are not supported", "2:3"],
    ["class A {\n  accessor x = 1;\n}", "accessor fields are not supported", "2:3"],
    ["class A { static accessor #y = 1 }", "accessor fields are not supported", "1:18"],
    ["const o = 1;\nreturn <ul>{o}</ul>;", "JSX is not supported", "2:8"],
    ["return o.map((x) => <Row key={x} />)", "JSX is not supported", "1:21"],
    ['{ "code": "return 1" }', "This is JSON around a program", "1:1"],
    ["const a = 1;\\nreturn a;", "The line breaks of the program are written as \\n", "1:13"],
    ["return o.map((x) =&gt; x)", "The program has HTML entities instead of characters", "1:19"],
    ["return “a”", "The program has typographic quotation marks", "1:8"],
    ["x = 1\ndef main():\n  return 1", "This is Python", "2:1"],
    ["Here is what I would run first.\nreturn 1", "There is prose around the program", "1:1"],
    ["return (1\n\nThis returns the number one.", "There is prose around the program", "3:1"],
    ["```ts\na\n```\n```js\nb\n```", "There are 2 fenced blocks of code", "1:1"],
    ["<think>plan\nreturn 1", "There is text around the program", "1:1"],
  ];
  for (const [code, message, place] of cases) {
    const found = explainSyntax(code);
    assert.ok(found !== null, code);
    assert.ok(found.message.startsWith(message), `${code}: ${found.message}`);
    assert.equal(`${found.line}:${found.column}`, place, code);
    assert.notEqual(found.hint, "");
  }
});

Deno.test("explainSyntax() leaves to the parser what it knows no better", () => {
  for (
    const code of [
      "const a = ;",
      "return (1",
      "const t = '<a></a>'; return t +",
      "Object.keys(x",
      "let a; let a;",
    ]
  ) assert.equal(explainSyntax(code), null, code);
});

Deno.test("explainSyntax() takes long texts of any kind", () => {
  for (const part of ["<", "(<a ", "&", "```\n", "A b c d ", "def ", "@", "\\n", "</a>=<b "]) {
    const code = part.repeat(20_000);
    const start = performance.now();
    explainSyntax(code);
    assert.ok(performance.now() - start < 30_000, JSON.stringify(part));
  }
});
