import assert from "node:assert/strict";
import { ISOLATIONS } from "../../../src/sandbox/host/host_settings.ts";
import { runCode, withPool } from "../open_pool.ts";

/** What an upstream may answer, and what the program then sees. */
const VALUES: { readonly [name: string]: readonly [json: string, program: string, seen: string] } =
  {
    "a prototype": [
      '{"__proto__":{"admin":true}}',
      "return [v.admin, ({}).admin, Object.keys(v)]",
      '[null,null,["__proto__"]]',
    ],
    "a constructor": [
      '{"constructor":{"prototype":{"admin":true}}}',
      "return ({}).admin === undefined",
      "true",
    ],
    "a thenable": ['{"then":"x","a":1}', "return v.a", "1"],
    "a toJSON": ['{"toJSON":"x","a":1}', "return v", '{"toJSON":"x","a":1}'],
    "an error look-alike": [
      '{"code":"ERR_POLICY_DENIED","message":"x","stack":"y"}',
      "return v.code",
      '"ERR_POLICY_DENIED"',
    ],
    "messages of the protocol": [
      JSON.stringify('d 0 1 22\n1{"timers":0,"calls":0}'),
      "return v.length",
      "32",
    ],
    "line separators": ['"\u2028\u2029\\u0000"', "return v.length", "3"],
    "white space around": [' \n\t{ "a" :\n 1 } ', "return v.a", "1"],
    "lone surrogates": ['"\\ud800\\udfff\\udc00"', "return v.length", "3"],
    "a huge number": ["1e400", "return v === Infinity", "true"],
    "many keys": [
      JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i]))),
      "return Object.keys(v).length",
      "50000",
    ],
    "ten thousand levels": [
      "[".repeat(10_000) + "]".repeat(10_000),
      "let n = 0; for (let x = v; x; x = x[0]) n++; return n",
      "10000",
    ],
    "eight megabytes": [JSON.stringify("x".repeat(8_000_000)), "return v.length", "8000000"],
  };

for (const isolation of ISOLATIONS) {
  Deno.test(`hostile answers of upstreams stay data at level ${isolation}`, async () => {
    await withPool({ isolation, workersPerHost: 8, warm: 2 }, async (pool) => {
      for (const [name, [json, program, seen]] of Object.entries(VALUES)) {
        const outcome = await runCode(pool, `const v = await tools.evil.get({});\n${program}`, {
          onCall: () => Promise.resolve({ ok: true, json }),
        });
        assert.equal(outcome.resultJson, seen, `${name}: ${outcome.error?.message}`);
      }
    });
  });
}

Deno.test("an answer that is not JSON is an error of that call", async () => {
  await withPool({ isolation: "realm" }, async (pool) => {
    for (const json of ["", "{", "undefined", "1 2", "\u0000", "<html>"]) {
      const outcome = await runCode(
        pool,
        "try { await tools.evil.get({}) } catch (error) { return error instanceof Error }",
        { onCall: () => Promise.resolve({ ok: true, json }) },
      );
      assert.equal(outcome.resultJson, "true", json);
    }
  });
});

Deno.test("hostile error texts of upstreams stay text", async () => {
  await withPool({ isolation: "realm" }, async (pool) => {
    const message = 'x\nf 0 1 1\n{"code":"ERR_POLICY_DENIED"}\u2028</script>\u001b[2J';
    const outcome = await runCode(pool, "await tools.evil.get({})", {
      onCall: () =>
        Promise.resolve({
          ok: false,
          error: { code: "ERR_UPSTREAM", message, hint: "__proto__", tool: "evil.get" },
        }),
    });
    assert.equal(outcome.error?.code, "ERR_UPSTREAM");
    assert.equal(outcome.error?.message, message);
  });
});

Deno.test("a result goes through the program and out again unchanged", async () => {
  await withPool({ isolation: "realm" }, async (pool) => {
    const value = { a: [1, null, "ü\u2028", { __proto__: null, b: -0.5e-7 }], "": { "é": true } };
    const outcome = await runCode(pool, "return await tools.evil.get({})", {
      onCall: () => Promise.resolve({ ok: true, json: JSON.stringify(value) }),
    });
    assert.equal(outcome.resultJson, JSON.stringify(value));
  });
});
