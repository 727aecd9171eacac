/** What becomes of values that JSON does not have, in results, arguments and logs. */
import assert from "node:assert/strict";
import { runCode, withPool } from "../open_pool.ts";

Deno.test("iterators and generators have the form of an array, async ones in results", async () => {
  const cases: [string, unknown][] = [
    ["return new Map([['a', 1]]).values()", [1]],
    ["return new Set([1, 2]).entries()", [[1, 1], [2, 2]]],
    ["return { rows: [1, 2].map((x) => x).values() }", { rows: [1, 2] }],
    ["function* g() { yield 1; yield [2].values() } return { g: g() }", { g: [1, [2]] }],
    ["return Iterator.from([1, 2, 3]).filter((x) => x > 1).map((x) => x * 2)", [4, 6]],
    ["return 'a1b2'.matchAll(/\\d/g)", [["1"], ["2"]]],
    ["return JSON.parse(JSON.stringify([1].values()))", [1]],
    ["return await tools.math.echo({ ids: new Map([['a', 1]]).keys() })", { ids: ["a"] }],
    [
      "async function* g() { yield await tools.math.add({ a: 1, b: 2 }); yield 4 } return g()",
      [3, 4],
    ],
    [
      "async function* g() { yield 1 } async function* h() { yield g() } return { a: [h()] }",
      { a: [[[1]]] },
    ],
    ["async function* main() { yield 1 }", [1]],
    // What is written twice, or logged before, is still all there.
    ["const it = [1, 2].values(); console.log(it, { it }); return [it, it]", [[1, 2], [1, 2]]],
    ["const it = [1, 2].values(); it.next(); return it", [2]],
  ];
  await withPool({ isolation: "realm" }, async (pool) => {
    for (const [code, expected] of cases) {
      const { resultJson, error } = await runCode(pool, code);
      assert.deepEqual(error, null, code);
      assert.deepEqual(JSON.parse(resultJson ?? "null"), expected, code);
    }
    const endless = await runCode(pool, "function* f() { while (true) yield 1 } return f()");
    assert.match(endless.error?.message ?? "", /more than 1000000 values/);
    const sent = await runCode(
      pool,
      "async function* g() { yield 1 }\nreturn await tools.math.echo({ rows: [g()] })",
    );
    assert.match(sent.error?.message ?? "", /args\.rows\[0\] is an async iterator/);
    assert.match(sent.error?.hint ?? "", /Array\.fromAsync/);
    const thrown = await runCode(pool, "function* g() { throw new Error('inner') } return g()");
    assert.equal(thrown.error?.message, "inner");
  });
});

Deno.test("numbers that JSON does not have are named where they stand", async () => {
  const notes: [string, unknown, string][] = [
    ["return 0 / 0", null, "result is NaN; JSON has null there."],
    [
      "return { avg: NaN, none: null, list: [1, -Infinity] }",
      { avg: null, none: null, list: [1, null] },
      "result.avg is NaN, result.list[1] is -Infinity; JSON has null there.",
    ],
    ["return { at: new Date('x') }", { at: null }, "result.at is an invalid date"],
    ["return new Map([['k', NaN]])", { k: null }, "result.k is NaN"],
    ["return [NaN].values()", [null], "result[0] is NaN"],
    ["return new Float64Array([1, NaN])", [1, null], "result[1] is NaN"],
    ["return [1, 2].map((x) => { id: x })", [null, null], "result is a list of undefined"],
    ["return `${Promise.resolve(1)}`", "[object Promise]", "text of a promise"],
  ];
  await withPool({ isolation: "realm" }, async (pool) => {
    for (const [code, expected, note] of notes) {
      const { resultJson, logs } = await runCode(pool, code);
      assert.deepEqual(JSON.parse(resultJson ?? "null"), expected, code);
      assert.ok(logs.some(({ text }) => text.includes(note)), `${code}: ${logs[0]?.text}`);
    }
    for (const code of ["return null", "return { a: null, b: [undefined, 1] }", "return 'null'"]) {
      assert.deepEqual((await runCode(pool, code)).logs, [], code);
    }
    for (const value of ["NaN", "1 / 0", "new Date('x')", "[NaN]"]) {
      const { error, callCount } = await runCode(pool, `return tools.math.echo({ a: ${value} })`);
      assert.equal(error?.code, "ERR_INVALID_ARGUMENTS", value);
      assert.match(error?.message ?? "", /^Cannot call math\.echo: args\.a/);
      assert.equal(callCount, 0);
    }
    // A function that nobody called would be left out, and the call would mean something else.
    for (const value of ["() => 1", "Symbol('x')", "[() => 1]", "tools.math.echo"]) {
      const { error, callCount } = await runCode(pool, `return tools.math.echo({ a: ${value} })`);
      assert.equal(error?.code, "ERR_INVALID_ARGUMENTS", value);
      assert.match(error?.message ?? "", /: args\.a(\[0\])? is a (function|symbol)$/, value);
      assert.equal(callCount, 0);
    }
    const kept =
      "return tools.math.echo({ a: undefined, b: { f() {} }, toJSON: () => ({ c: 1 }) })";
    assert.equal((await runCode(pool, kept)).error, null);
    // A program can handle it as any other error of a call.
    const caught = await runCode(
      pool,
      "try { await tools.math.echo({ a: NaN }) } catch (e) { return e.message }",
    );
    assert.match(caught.resultJson ?? "", /args\.a is NaN/);
  });
});

Deno.test("a program can list the names of any number of tools", async () => {
  const names = [
    { server: "many", tools: Array.from({ length: 20_000 }, (_, index) => `tool_${index}`) },
    { server: "few", tools: ["one"] },
  ];
  await withPool({ isolation: "realm" }, async (pool) => {
    const code = `const all = Object.keys(tools.many);
return [Object.keys(tools), all.length, "few" in tools, "tool_19999" in tools.many, "x" in tools.few];`;
    const { resultJson, error } = await runCode(pool, code, { names });
    assert.deepEqual(error, null);
    assert.deepEqual(JSON.parse(resultJson ?? ""), [["many", "few"], 20_000, true, true, false]);
  });
});
