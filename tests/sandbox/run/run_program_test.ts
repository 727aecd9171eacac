import assert from "node:assert/strict";
import { ISOLATIONS } from "../../../src/sandbox/host/host_settings.ts";
import { runCode, withPool } from "../open_pool.ts";

for (const isolation of ISOLATIONS) {
  Deno.test(`run() gives results, errors and logs at level ${isolation}`, async () => {
    await withPool({ isolation, workersPerHost: 3 }, async (pool) => {
      const one = await runCode(pool, "return 1");
      assert.deepEqual([one.status, one.resultJson, one.error], ["ok", "1", null]);

      const sum = await runCode(pool, "return await tools.math.add({ a: 1, b: 2 })");
      assert.deepEqual([sum.status, sum.resultJson, sum.callCount], ["ok", "3", 1]);

      const logged = await runCode(pool, 'console.log("a", { b: 1 }); console.error("c")');
      assert.deepEqual(logged.logs, [{ level: "log", text: 'a {"b":1}' }, {
        level: "error",
        text: "c",
      }]);
      assert.equal(logged.resultJson, null);

      const thrown = await runCode(pool, "const a: null = null;\n  a.foo;");
      assert.equal(thrown.error?.code, "ERR_PROGRAM");
      assert.deepEqual([thrown.error?.line, thrown.error?.column], [2, 5]);
    });
  });
}

Deno.test("run() keeps the code of a call's error that the program does not catch", async () => {
  await withPool({}, async (pool) => {
    const denied = await runCode(pool, "return 1 +\n  await tools.sys.deny({})");
    assert.equal(denied.status, "error");
    assert.equal(denied.error?.code, "ERR_POLICY_DENIED");
    assert.equal(denied.error?.hint, "Ask for it");
    assert.equal(denied.error?.line, 2);
  });
});

Deno.test("run() lets the program catch a call's error with its facts", async () => {
  await withPool({}, async (pool) => {
    const caught = await runCode(
      pool,
      `try { await tools.sys.fail({}) } catch (e) {
        return [e instanceof Error, e.code, e.tool, e.message, e.hint, e.stack]
      }`,
    );
    assert.deepEqual(JSON.parse(caught.resultJson!), [
      true,
      "ERR_UPSTREAM",
      "sys.fail",
      "nope",
      "Do not call it",
      "ToolError: nope\n    at program.ts:1:23",
    ]);
  });
});

Deno.test("run() fills the places of a logged text", async () => {
  await withPool({ isolation: "realm" }, async (pool) => {
    const lines: [string, string][] = [
      ['"%s is %d, %i, %f", "Bob", 42, -1.7, "1.5"', "Bob is 42, -1, 1.5"],
      ['"%o %O %j%c.", { a: 1 }, [2], "x", "color: red"', '{"a":1} [2] x.'],
      ['"100%", 1, { b: 2 }', '100% 1 {"b":2}'],
      ['"%% %s %s", 1, 2, 3', "% 1 2 3"],
      ['"%s %x %"', "%s %x %"],
      ['"%d %d %s", 10n, {}, Symbol("s")', "10n NaN Symbol(s)"],
      ['{ a: "%s" }, 1', '{"a":"%s"} 1'],
    ];
    for (const [values, text] of lines) {
      assert.deepEqual((await runCode(pool, `console.log(${values})`)).logs, [
        { level: "log", text },
      ]);
    }
  });
});

Deno.test("run() says what an error was made of and caused by", async () => {
  await withPool({ isolation: "realm" }, async (pool) => {
    const all = "[tools.sys.fail({}), tools.sys.deny({})]";
    const any = await runCode(pool, `return await Promise.any(${all})`);
    assert.equal(any.error?.message, "All promises were rejected: nope; Denied");
    const form = await runCode(pool, `return await Promise.any(${all}).catch((e) => e)`);
    assert.deepEqual(
      JSON.parse(form.resultJson!).errors.map((error: { code: string }) => error.code),
      ["ERR_UPSTREAM", "ERR_POLICY_DENIED"],
    );
    const caused = await runCode(
      pool,
      "try { JSON.parse('{') } catch (cause) { throw new Error('outer', { cause }) }",
    );
    assert.equal(caused.error?.message, "outer");
    assert.match(
      caused.error!.stack!,
      /^Error: outer\n.*:1:47\nCaused by SyntaxError: .*\n.*:1:12$/,
    );
    const hostile =
      "const e = new Error('x'); e.errors = new Proxy([], { get() { throw 1 } }); throw e";
    assert.equal((await runCode(pool, hostile)).error?.code, "ERR_PROGRAM");
  });
});

Deno.test("run() stops a loop on its CPU time and leaves another execution alone", async () => {
  await withPool({ warm: 2 }, async (pool) => {
    const [loop, other] = await Promise.all([
      runCode(pool, "while (true) {}", { limits: { cpuTimeMs: 300 } }),
      runCode(pool, "return 1", { principalKey: "bob" }),
    ]);
    assert.equal(loop.error?.code, "ERR_SANDBOX_CPU_TIME");
    assert.equal(loop.status, "timeout");
    assert.equal(other.resultJson, "1");
  });
});

Deno.test("numbers that nobody can read are refused by their place, in arguments and results", async () => {
  await withPool({ isolation: "realm" }, async (pool) => {
    const id = 'JSON.rawJSON("9007199254740993")';
    const call = await runCode(pool, `return await tools.math.echo({ ids: [1, ${id}] })`);
    assert.equal(call.error?.code, "ERR_INVALID_ARGUMENTS");
    assert.match(call.error?.message ?? "", /math\.echo: args\.ids\[1\] is 9007199254740993/);
    for (
      const [value, message] of [
        ['{ a: [JSON.rawJSON("1e400")] }', /result\.a\[0\] is not a finite number/],
        [`{ a: { "b c": ${id} } }`, /result\.a\["b c"\] is 9007199254740993/],
      ] as const
    ) {
      const { status, error } = await runCode(pool, `return ${value}`);
      assert.equal(status, "error");
      assert.match(error?.message ?? "", message);
    }
    const fine =
      "return [2 ** 53 + 2, -0, 1e21, 12345678901234567000, 0.1 + 0.2, '12345678901234567']";
    const { resultJson } = await runCode(pool, fine);
    assert.equal(
      resultJson,
      '[9007199254740994,0,1e+21,12345678901234567000,0.30000000000000004,"12345678901234567"]',
    );
  });
});
