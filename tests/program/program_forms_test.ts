import fc from "fast-check";
import assert from "node:assert/strict";
import { stripTypeScriptTypes } from "node:module";
import { programForms } from "../../src/program/program_forms.ts";
import { scanTokens } from "../../src/program/scan_tokens.ts";
import { capturePrimordials } from "../../workers/realm/primordials.ts";
import { stripProgram } from "../../workers/strip_program.ts";

const HEAD = '(async () => {"use strict";';

/** What the first form makes of a program, without its frame. */
function bodyOf(code: string): string {
  const forms = programForms(code);
  assert.ok(forms.ok, code);
  const { text } = forms.forms[0]!;
  assert.ok(text.startsWith(HEAD) && text.endsWith("})"));
  return text.slice(HEAD.length, -2).trimEnd();
}

function strip(code: string) {
  const forms = programForms(code);
  return forms.ok
    ? stripProgram(capturePrimordials(), stripTypeScriptTypes, atob, forms.forms)
    : forms;
}

Deno.test("programForms() returns a trailing expression", () => {
  const cases: [string, string][] = [
    ["1 + 1", "return 1 + 1"],
    ["const x = 1;\nx", "const x = 1;\nreturn x"],
    ["foo(); bar()", "foo(); return bar()"],
    ["if (a) { b() }\nc()", "if (a) { b() }\nreturn c()"],
    ["if (a) { b() } c()", "if (a) { b() } return c()"],
    ["const a = [1]\n  .map(f)\na", "const a = [1]\n  .map(f)\nreturn a"],
    ["const f = () => { x }\nawait f()", "const f = () => { x }\nreturn await f()"],
    ["const o = {}\nObject.keys(o)", "const o = {}\nreturn Object.keys(o)"],
    ["let i = 0\n++i", "let i = 0\nreturn ++i"],
    ["async () => { return 5 }", "return async () => { return 5 }"],
    ["({ a: 1 })", "return ({ a: 1 })"],
    ["`a${`b${c}`}d`", "return `a${`b${c}`}d`"],
    ["const r = /[)/]/g\nr.test(x)", "const r = /[)/]/g\nreturn r.test(x)"],
    ["try { a() } catch { b() }\nc", "try { a() } catch { b() }\nreturn c"],
    ["type = 1", "return type = 1"],
    ["const a = b as any\na", "const a = b as any\nreturn a"],
  ];
  for (const [code, expected] of cases) assert.equal(bodyOf(code), expected);
});

Deno.test("programForms() leaves programs alone that return, declare or loop at the end", () => {
  const programs = [
    "return 1",
    "const x = 1",
    "for (const x of y)\n  x()",
    "while (x)\n  y()",
    "if (x)\n  y()\nelse\n  z()",
    "do { a() } while (b)",
    "label: for (;;) break label",
    "class A {}",
    "throw new Error('x')",
    "type A = number",
    "interface A { b: number }",
    "{ a: 1 }",
    "switch (a) { default: b() }",
    "",
    "// only a comment",
  ];
  for (const code of programs) assert.equal(bodyOf(code), code.trimEnd());
});

Deno.test("programForms() calls the one function, takes `export default` and blanks a fence", () => {
  assert.equal(
    bodyOf("async function main() { return 1 }"),
    "async function main() { return 1 }\n\nreturn main();",
  );
  assert.equal(bodyOf("```ts\nreturn 1\n```"), "     \nreturn 1");
  assert.equal(bodyOf("~~~\nx\n~~~\n"), "   \nreturn x");
  const exported = programForms("export default async () => 7");
  assert.ok(exported.ok);
  assert.match(
    exported.forms[0]!.text,
    /let \$out; {7}\$out = {2}async \(\) => 7\n\nreturn \$out;\}\)$/,
  );
});

Deno.test("programForms() calls the function that a program declares and nothing calls", () => {
  const called: [string, string][] = [
    ["async function helper(x) { return x }\nasync function main() { return helper(1) }", "main"],
    ["async function main() { return helper(1) }\nfunction helper(x) { return x }", "main"],
    ["const main = async () => {\n  return 1;\n};", "main"],
    ["const LIMIT = 5;\nasync function run(): Promise<number> { return LIMIT }", "run"],
    ["const at = new Date();\nconst load = async () => at;", "load"],
    ["const f = function () { return g() };\nconst g = () => 1;", "f"],
    ["let main: () => number = (): number => 1;", "main"],
    ["const pick = <T,>(x: T): T => x;\nconst all = async () => pick(1);", "all"],
    ["type A = number;\nasync function* rows() { yield 1 }", "rows"],
    ["function a(x = 1) { return b(x) }\nfunction b(x) { return x }", "a"],
    ["function a() { return 1 }\nfunction b() { return 2 }", "b"],
    ["function fact(n = 3) { return n < 2 ? 1 : n * fact(n - 1) }", "fact"],
    // One by such a name is the program, whatever stands around it.
    ["console.log(1);\nasync function main() { return 2 }", "main"],
    ['"use strict";\nasync function main(x) { return 2 }\nfunction other() {}', "main"],
  ];
  for (const [code, name] of called) {
    assert.equal(bodyOf(code), `${code}\n\nreturn ${name}();`, code);
  }
  assert.equal(
    bodyOf("export const LIMIT = () => 5;\nexport async function main() { return LIMIT() }"),
    "       const LIMIT = () => 5;\n       async function main() { return LIMIT() }\n\nreturn main();",
  );
  const alone = [
    "export const x = 1; return x;",
    "const orders = await f();\nfunction left() { return 1 }",
    "for (const x of y) z(x);\nasync function undo() { await w() }",
    "function f() { return 1 }\nreturn f();",
    "const x = list.map((a) => a);",
  ];
  for (const code of alone) assert.equal(bodyOf(code), code);
});

Deno.test("programForms() says that nothing runs where no function is plainly the program", () => {
  const found = programForms("function add(a, b) { return a + b }\nconst mul = (a, b) => a * b;");
  assert.ok(!found.ok);
  assert.match(found.message, /^Nothing runs: the program declares add, mul and calls none/);
  const job = programForms("interface X { a: 1 }\nclass Job { async run() { return 1 } }");
  assert.ok(!job.ok);
  assert.match(job.message, /^Nothing runs: the program declares Job .*new Job\(…\)\.method/);
  for (
    const code of [
      "class Job { static x = tools.a.b() }",
      "class Job { run() {} }\nawait new Job().run()",
      "class Job { run() {} }\nconst job = new Job()",
      "interface X { a: 1 }",
    ]
  ) assert.ok(programForms(code).ok, code);
});

Deno.test("programForms() blanks what models write around a program", () => {
  const wrapped = [
    "Here is the program:\n\n```ts\nreturn 2\n```",
    "Use `tools.a.b` here:\n```typescript\nreturn 2\n```\nIt returns 2.",
    "```ts\nreturn 2",
    "return 2\n```\n",
    "return 2\n```\nThat is all.",
    "<think>plan `x</think>\nreturn 2",
    "The plan\n</think>\n\n```js\nreturn 2\n```",
    "<code>\nreturn 2\n</code>",
    "```bash\nnpm i\n```\nthen\n~~~ts\nreturn 2\n~~~",
  ];
  for (const code of wrapped) {
    const body = bodyOf(code);
    assert.equal(body.trim(), "return 2", code);
    assert.equal(body.split("\n").findIndex((line) => line.includes("return 2")) >= 0, true);
    const lineOf = (text: string) =>
      text.split("\n").findIndex((line) => line.includes("return 2"));
    assert.equal(lineOf(body), lineOf(code), code);
  }
  // A fence in a text or in a comment belongs to the program.
  const kept = [
    "const md = `a\n~~~\nb\n~~~\n`;\nreturn md",
    "/*\n```\na\n```\n*/\nreturn 1",
    "return '</think>'",
  ];
  for (const code of kept) assert.equal(bodyOf(code), code);
  assert.ok(!programForms("```ts\nreturn 1\n```\n```ts\nreturn (2\n```").ok);
});

Deno.test("programForms() blanks what only says how the text is to be run or typed", () => {
  assert.equal(bodyOf("#!/usr/bin/env -S deno run\nreturn 1"), " ".repeat(26) + "\nreturn 1");
  assert.equal(bodyOf("```ts\n#!x\nreturn 1\n```"), "     \n   \nreturn 1");
  for (const types of ["A", "{ A, from }", "* as A", "A, { B }", "from"]) {
    const statement = `import type ${types} from "./a.ts"`;
    assert.equal(bodyOf(`${statement};\na`), " ".repeat(statement.length) + ";\nreturn a");
  }
  for (const values of ["type", "A", "{ type A }", "fs = require"]) {
    const statement = `import ${values} from "node:fs"`;
    assert.equal(bodyOf(statement), statement);
  }
});

Deno.test("programForms() tells a regular expression after a head or block from a division", () => {
  for (
    const code of [
      "if (a) /}/.test(b)",
      "for await (const a of b) /[{]/.test(a)",
      "while (a) { b() }\n/}/.test(c) && d()\nreturn e",
      "try { a() } finally { b() } /\\)/.test(c)\nreturn d",
      "const a = f(b) / 2 / 1",
      "const a = {} / 2 / 1",
      "const a = b.if(c) / 2 / 1",
    ]
  ) assert.ok(programForms(code).ok, code);
});

Deno.test("programForms() names the bracket that does not fit", () => {
  assert.deepEqual(programForms("foo(\n  [1"), {
    ok: false,
    message: '"[" is never closed',
    line: 2,
    column: 3,
  });
  const breakout = programForms("return 1\n}); evil(); (async () => {");
  assert.deepEqual(breakout, { ok: false, message: 'Unexpected "}"', line: 2, column: 1 });
});

Deno.test("stripProgram() keeps places and says where a program does not parse", () => {
  const stripped = strip("const x: number = 1;\nreturn x as number");
  assert.ok(stripped.ok && "code" in stripped);
  assert.equal(stripped.code, `${HEAD}const x         = 1;\nreturn x          \n})`);
  const broken = strip("const a = 1;\nconst b = ;");
  assert.deepEqual(broken, { ok: false, message: "Expression expected", line: 2, column: 11 });
  const early = strip("const a = 1\nreturn 1 +");
  assert.deepEqual(early, { ok: false, message: "Expression expected", line: 2, column: 11 });
  const first = strip("let x = ;");
  assert.deepEqual([first.ok, !first.ok && [first.line, first.column]], [false, [1, 9]]);
  const module = strip("import x from 'y'");
  assert.match(module.ok ? "" : module.message, /cannot be used outside of module code/);
});

Deno.test("stripProgram() maps transformed code back", () => {
  const stripped = strip("enum E { A = 4 }\nreturn E.A");
  assert.ok(stripped.ok && "positions" in stripped && stripped.positions !== null);
  assert.ok(stripped.positions.some(([, , line]) => line === 2));
});

Deno.test("scanTokens() takes any text and covers it in order", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(..."(){}[]`${}'\"/\\;\n.a1 =>*".split("")) }),
  );
  fc.assert(
    fc.property(text, (code) => {
      const scan = scanTokens(code);
      if (!scan.ok) return scan.offset >= 0 && scan.offset <= code.length;
      let end = 0;
      for (const token of scan.tokens) {
        if (token.start < end || token.end <= token.start || token.end > code.length) return false;
        end = token.end;
      }
      return true;
    }),
    { numRuns: 500 },
  );
});

Deno.test("programForms() is linear in hostile text", () => {
  for (const part of ["(", "a\n", "`${", "/", "{}\n", "(x)\n", "'", "if(x)\n"]) {
    const code = part.repeat(20_000);
    const start = performance.now();
    programForms(code);
    assert.ok(performance.now() - start < 30_000, JSON.stringify(part));
  }
  // Minutes each where a regular expression looks for the end of a fence.
  const blanks = " ".repeat(200_000);
  for (
    const code of [
      `\`\`\`\n\`\`\`${blanks}x`,
      `\`\`\`\n${blanks}x`,
      "import type a,".repeat(15_000),
    ]
  ) {
    const start = performance.now();
    programForms(code);
    assert.ok(performance.now() - start < 30_000, code.slice(0, 20));
  }
});
