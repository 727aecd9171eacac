import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import type { SandboxPool } from "../../../src/sandbox/pool/sandbox_pool.ts";
import type { CallReply, SandboxCall } from "../../../src/sandbox/run/sandbox_call.ts";
import { runCode, withPool } from "../open_pool.ts";

const REALM = { isolation: "realm", hostsMax: 1, warm: 0 } as const;

async function valueOf(pool: SandboxPool, code: string): Promise<unknown> {
  const outcome = await runCode(pool, code);
  assert.equal(outcome.error, null);
  return JSON.parse(outcome.resultJson!);
}

Deno.test("a program has URL and URLSearchParams", async () => {
  await withPool(REALM, async (pool) => {
    assert.deepEqual(
      await valueOf(
        pool,
        `const url = new URL("../b?x=1&y=a%20b#h", "https://user:pw@Example.com:8080/a/c/");
         url.searchParams.append("z", "ü&");
         url.pathname = "/p q";
         const search = new URLSearchParams({ a: 1, b: "x y" });
         search.set("a", "2"); search.append("b", "3"); search.delete("b", "3");
         return [url.href, url.host, url.searchParams.get("y"), [...search], search.toString(),
           URL.canParse("nope"), String(new URL("http://ä.de")), JSON.stringify({ url: new URL("http://a/") }),
           new URLSearchParams("?q=1+2&bad=%zz&q=3").getAll("q"), search.size]`,
      ),
      [
        "https://user:pw@example.com:8080/p%20q?x=1&y=a+b&z=%C3%BC%26#h",
        "example.com:8080",
        "a b",
        [["a", "2"], ["b", "x y"]],
        "a=2&b=x+y",
        false,
        "http://xn--4ca.de/",
        '{"url":"http://a/"}',
        ["1 2", "3"],
        2,
      ],
    );
    const bad = await runCode(pool, 'new URL("nope")');
    assert.match(bad.error!.message, /Invalid URL: 'nope'/);
    assert.equal(bad.error!.name, "TypeError");
  });
});

Deno.test("a program has text encodings and base64", async () => {
  await withPool(REALM, async (pool) => {
    assert.deepEqual(
      await valueOf(
        pool,
        `const text = "aé€😀\\ud800";
         const bytes = new TextEncoder().encode(text);
         const decoder = new TextDecoder();
         const parts = [bytes.slice(0, 4), bytes.slice(4, 8), bytes.slice(8)];
         let streamed = "";
         for (const part of parts) streamed += decoder.decode(part, { stream: true });
         streamed += decoder.decode();
         let fatal = "no";
         try { new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff])) } catch (e) { fatal = e.name }
         return [[...bytes], new TextDecoder().decode(bytes), streamed, fatal,
           new TextDecoder().decode(new Uint8Array([0x41, 0xc0, 0x80, 0xe2, 0x82, 0x42])),
           btoa("hello"), atob("aGVsbG8="), [...Uint8Array.fromBase64("AQID")],
           new TextDecoder("utf-16le").decode(new Uint8Array([0x41, 0, 0xac, 0x20]))]`,
      ),
      [
        [0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xef, 0xbf, 0xbd],
        "aé€😀\ufffd",
        "aé€😀\ufffd",
        "TypeError",
        "A\ufffd\ufffd\ufffdB",
        "aGVsbG8=",
        "hello",
        [1, 2, 3],
        "A€",
      ],
    );
  });
});

Deno.test("a program has crypto without keys", async () => {
  await withPool(REALM, async (pool) => {
    const [hash, uuid, filled, unknown] = await valueOf(
      pool,
      `const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc"));
       const bytes = crypto.getRandomValues(new Uint8Array(32));
       let unknown = "";
       try { await crypto.subtle.digest("MD5", new Uint8Array(1)) } catch (e) { unknown = e.name }
       return [new Uint8Array(hash).toHex(), crypto.randomUUID(), bytes.some((b) => b !== 0), unknown]`,
    ) as [string, string, boolean, string];
    assert.equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual([filled, unknown], [true, "TypeError"]);
  });
});

Deno.test("a program has structuredClone, AbortController, Intl and timers", async () => {
  await withPool(REALM, async (pool) => {
    assert.deepEqual(
      await valueOf(
        pool,
        `const value = { d: new Date(0), m: new Map([[1, new Set(["a"])]]), n: [1, , 3], b: new Uint8Array([1, 2]) };
         value.self = value;
         const copy = structuredClone(value);
         let refused = "";
         try { structuredClone({ f() {} }) } catch (e) { refused = e.message }
         return [copy !== value && copy.self === copy, copy.d.getTime(), copy.m.get(1).has("a"), 1 in copy.n, [...copy.b], refused]`,
      ),
      [true, 0, true, false, [1, 2], "A function cannot be cloned"],
    );
    assert.deepEqual(
      await valueOf(
        pool,
        `const controller = new AbortController();
         const seen = [];
         controller.signal.addEventListener("abort", () => seen.push(controller.signal.reason.name));
         controller.abort();
         const timed = AbortSignal.timeout(5);
         await new Promise((resolve) => timed.addEventListener("abort", resolve));
         let ticks = 0;
         await new Promise((resolve) => { const id = setInterval(() => { if (++ticks === 3) { clearInterval(id); resolve() } }, 1) });
         clearTimeout(setTimeout(() => seen.push("never"), 1));
         await sleep(5);
         queueMicrotask(() => seen.push("micro"));
         await null;
         return [seen, timed.reason.name, ticks, new Intl.NumberFormat("de").format(1234.5), new Date(0).toString()]`,
      ),
      [
        ["AbortError", "micro"],
        "TimeoutError",
        3,
        "1.234,5",
        "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)",
      ],
    );
  });
});

Deno.test("values have the JSON forms that are promised", async () => {
  await withPool(REALM, async (pool) => {
    assert.deepEqual(
      await valueOf(
        pool,
        `return { map: new Map([["a", 1]]), pairs: new Map([[1, 2]]), set: new Set([1]), date: new Date(0), big: 10n,
           error: new TypeError("no", { cause: "why" }), gone: undefined, list: [undefined, () => 1, NaN], bytes: new Uint8Array([1, 2, 3]),
           floats: new Float64Array([1.5]), buffer: new ArrayBuffer(2), regex: /a/g, invalid: new Date(NaN), nul: Object.create(null) }`,
      ),
      {
        map: { a: 1 },
        pairs: [[1, 2]],
        set: [1],
        date: "1970-01-01T00:00:00.000Z",
        big: "10",
        error: { name: "TypeError", message: "no", cause: "why" },
        list: [null, null, null],
        bytes: "AQID",
        floats: [1.5],
        buffer: "AAA=",
        regex: "/a/g",
        invalid: null,
        nul: {},
      },
    );
  });
});

Deno.test("a result without a JSON form is an error that names the path", async () => {
  await withPool(REALM, async (pool) => {
    const cases: [string, RegExp, RegExp][] = [
      [
        "const a = { b: {} }; a.b.c = a; return a",
        /result\.b\.c refers back to result$/,
        /plain data/,
      ],
      ["return { items: [1, Promise.resolve(1)] }", /result\.items\[1\] is a promise$/, /await/],
      ["return { rows: tools.math.obj() }", /result\.rows is a promise$/, /await/],
      ["return tools.math.add", /math\.add itself/, /Call it/],
    ];
    for (const [code, message, hint] of cases) {
      const { error } = await runCode(pool, code);
      assert.equal(error!.code, "ERR_RESULT_FORM", code);
      assert.match(error!.message, message);
      assert.match(error!.hint, hint);
    }
  });
});

Deno.test("the program's own JSON.stringify gives the same forms", async () => {
  await withPool(REALM, async (pool) => {
    assert.equal(
      await valueOf(pool, "return JSON.stringify({ m: new Map([['a', 1n]]), s: new Set([1]) })"),
      '{"m":{"a":"1"},"s":[1]}',
    );
  });
});

Deno.test("a forgotten await is said", async () => {
  await withPool(REALM, async (pool) => {
    const floating = await runCode(pool, "tools.slow.wait({ ms: 1000 });\nreturn 1");
    assert.equal(floating.resultJson, "1");
    assert.match(floating.logs[0]!.text, /Not awaited.*slow\.wait \(line 1\).*`await`/);
    const joined = await runCode(
      pool,
      "try {\n await Promise.all([tools.sys.fail({}), tools.slow.wait({ ms: 1000 })]);\n} catch { return 3 }",
    );
    assert.equal(joined.resultJson, "3");
    assert.match(joined.logs[0]!.text, /Still running.*slow\.wait \(line 2\).*Promise\.allSettled/);
    const lone = await runCode(pool, "const f = () => f;\nreturn f");
    assert.equal(lone.error!.hint, "Call it and return what it gives.");
    const read = await runCode(pool, "const rows = tools.math.obj();\nreturn rows.x.y");
    assert.match(read.error!.message, /Cannot read \.x of math\.obj\(…\): it is a promise/);
    assert.equal(read.error!.line, 2);
    assert.match(read.error!.hint, /\(await tools\.math\.obj\(…\)\)\.x/);
    const rejected = await runCode(
      pool,
      "tools.sys.fail({});\nawait tools.math.obj();\nawait sleep(1);\nreturn 2",
    );
    assert.match(rejected.logs[0]!.text, /Unhandled rejection: ToolError: nope/);
  });
});

Deno.test("an unknown name says what is near", async () => {
  await withPool(REALM, async (pool) => {
    const cases: [string, RegExp][] = [
      ["consol.log(1)", /^Did you mean console\?$/],
      ["return await math.add({})", /^Write tools\.math\.$/],
      ["return fetch('http://x')", /through tools only/],
      ["return process.env", /Only standard JavaScript/],
      ["return mth.add({})", /^Did you mean tools\.math\?$/],
      ["return strucuredClone({})", /^Did you mean structuredClone\?$/],
    ];
    for (const [code, hint] of cases) {
      const { error } = await runCode(pool, code);
      assert.equal(error!.name, "ReferenceError", code);
      assert.match(error!.hint, hint);
    }
    for (
      const code of [
        "return await import('node:fs')",
        "return (() => {}).constructor('return 1')()",
      ]
    ) {
      assert.match((await runCode(pool, code)).error!.hint, /cannot import|write the logic out/);
    }
  });
});

Deno.test("a call of what is not a tool reaches the service, which knows all names", async () => {
  await withPool(REALM, async (pool) => {
    const heard: unknown[] = [];
    const onCall = ({ server, tool, args }: SandboxCall): Promise<CallReply> => {
      heard.push([server, tool, args]);
      return Promise.resolve({ ok: true, json: "null" });
    };
    const code = `await tools.math({});
await tools["math.add"]({ a: 1 });
await tools.call("math.add", { a: 1 });
await tools.callTool({ name: "math.add", arguments: {} });`;
    assert.equal((await runCode(pool, code, { onCall })).error, null);
    assert.deepEqual(heard, [
      ["", "math", []],
      ["", "math.add", []],
      ["", "call", ["math.add"]],
      ["", "callTool", ["math.add"]],
    ]);
  });
});

Deno.test("stacks show the caller's own lines only, with their own columns", async () => {
  await withPool(REALM, async (pool) => {
    const code = [
      "enum Color { Red = 1 }",
      "class Box { constructor(public size: number) {} }",
      "function inner(): never { throw new Error(`boom ${new Box(Color.Red).size}`) }",
      "async function outer() { await null; inner() }",
      "await outer();",
    ].join("\n");
    const { error } = await runCode(pool, code);
    assert.equal(error!.message, "boom 1");
    assert.deepEqual([error!.line, error!.column], [3, 33]);
    assert.match(
      error!.stack!,
      /^Error: boom 1\n {4}at inner \(program\.ts:3:33\)\n {4}at outer \(program\.ts:4:\d+\)\n {4}at async program\.ts:5:\d+$/,
    );
    const twice = await runCode(pool, "let a = 1;\n  let a = 2;");
    assert.deepEqual([twice.error!.code, twice.error!.line, twice.error!.column], [
      "ERR_SYNTAX",
      2,
      7,
    ]);
    const first = await runCode(pool, "const nothing = null; nothing.x");
    assert.deepEqual([first.error!.line, first.error!.column], [1, 31]);
    const trailing = await runCode(pool, "1;\n  missing + 1");
    assert.deepEqual([trailing.error!.line, trailing.error!.column], [2, 3]);
  });
});

Deno.test("`tools` lists what is known and hides what is not data", async () => {
  await withPool(REALM, async (pool) => {
    assert.deepEqual(
      await valueOf(
        pool,
        `return [Object.keys(tools), Object.keys(tools.math), "math" in tools, "nope" in tools, "add" in tools.math,
           tools.then === undefined, tools.math.toJSON === undefined, tools[Symbol.iterator] === undefined,
           tools.math.add === tools.math.add, JSON.stringify({ tools }), await tools.math["add"]({ a: 1, b: 1 })]`,
      ),
      [
        ["math", "sys", "slow"],
        ["add", "obj", "echo"],
        true,
        false,
        true,
        true,
        true,
        true,
        true,
        '{"tools":{}}',
        2,
      ],
    );
    const frozen = await runCode(pool, "tools.math = 1");
    assert.equal(frozen.error!.name, "TypeError");
    const seen: unknown[] = [];
    await runCode(
      pool,
      "await tools.$search('read a file'); await tools.$describe('math.add'); await tools.a.b()",
      {
        onCall: (call) => {
          seen.push([call.index, call.server, call.tool, call.args]);
          return Promise.resolve({ ok: true, json: "null" });
        },
      },
    );
    assert.deepEqual(seen, [[0, "", "$search", "read a file"], [1, "", "$describe", "math.add"], [
      2,
      "a",
      "b",
      {},
    ]]);
  });
});

Deno.test("a seeded program sees the same clock and the same randomness again", async () => {
  await withPool(REALM, async (pool) => {
    const code =
      `const a = [Date.now(), new Date().toISOString(), Math.random(), crypto.randomUUID(), performance.now()];
      a.push(String(Temporal.Now.instant()), String(Temporal.Now.plainDateTimeISO()));
      await sleep(30); a.push(Date.now(), [...crypto.getRandomValues(new Uint8Array(4))]); return a`;
    const seed = { epochMs: 1_700_000_000_000, random: "abc" };
    const first = await runCode(pool, code, { seed });
    const second = await runCode(pool, code, { seed });
    const other = await runCode(pool, code, { seed: { ...seed, random: "abd" } });
    assert.equal(first.resultJson, second.resultJson);
    assert.notEqual(first.resultJson, other.resultJson);
    const values = JSON.parse(first.resultJson!);
    assert.equal(values[0], 1_700_000_000_000);
    assert.ok(values[7] >= values[0] + 30);
  });
});

Deno.test("the secret randomness of a seeded program is ChaCha20, block after block", async () => {
  const random = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeef0";
  const key = new DataView(new ArrayBuffer(32));
  for (let at = 0; at < random.length; at++) {
    const place = (at % 8) * 4;
    key.setUint32(
      place,
      Math.imul(key.getUint32(place, true), 16_777_619) ^ random.charCodeAt(at),
      true,
    );
  }
  // The first block has number 0, and there is no nonce.
  const cipher = createCipheriv("chacha20", new Uint8Array(key.buffer), new Uint8Array(16));
  const expected = cipher.update(new Uint8Array(128));
  cipher.final();
  await withPool(REALM, async (pool) => {
    const code = "return [...crypto.getRandomValues(new Uint8Array(128))]";
    const outcome = await runCode(pool, code, { seed: { epochMs: 0, random } });
    assert.deepEqual(JSON.parse(outcome.resultJson!), [...expected]);
  });
});

Deno.test("a seeded clock is put forward by the time that comes with an answer, and never back", async () => {
  await withPool(REALM, async (pool) => {
    const code = `const times = [Date.now()];
      for (const n of [0, 1, 2]) { await tools.a.b({ n }); times.push(Date.now()); }
      return times`;
    const seed = { epochMs: 1_700_000_000_000, random: "abc" };
    const answers = [{ atMs: 250.7 }, { atMs: 90 }, {}];
    const outcome = await runCode(pool, code, {
      seed,
      onCall: (call) => Promise.resolve({ ok: true, json: "1", ...answers[call.index] }),
    });
    const since = JSON.parse(outcome.resultJson!).map((at: number) => at - seed.epochMs);
    assert.deepEqual(since, [0, 250, 251, 252]);
    const real = await runCode(pool, code, {
      onCall: () => Promise.resolve({ ok: true, json: "1", atMs: 1e9 }),
    });
    const [first, last] = JSON.parse(real.resultJson!) as [number, number];
    assert.ok(last - first < 60_000);
  });
});

Deno.test("a seeded Date is a Date in every other way", async () => {
  await withPool(REALM, async (pool) => {
    const code = `class Day extends Date { next() { return new Day(this.getTime() + 864e5); } }
      const day = new Day(2026, 3, 1);
      return [Date.name, Date.length, Object.keys(Date), new Date() instanceof Date,
        new Date().constructor === Date, typeof Date(), Date.UTC(2026, 3), Date.parse("2026-04-01"),
        new Date(0).toISOString(), new Date(2026, 3, 1, 2).getTime() - new Date(2026, 3).getTime(),
        day instanceof Day, day.next() - day, String(new Date("no")), new Date(new Date(5)).getTime(),
        Object.getOwnPropertyDescriptor(Date, "prototype").writable,
        Object.prototype.toString.call(new Date())]`;
    const seeded = await runCode(pool, code, { seed: { epochMs: 0, random: "a" } });
    const real = await runCode(pool, code);
    assert.equal(seeded.error, null);
    assert.equal(seeded.resultJson, real.resultJson);
  });
});

Deno.test("bytes and large integers leave a program in a form that the service can tell", async () => {
  await withPool(REALM, async (pool) => {
    const seen: unknown[] = [];
    const outcome = await runCode(
      pool,
      `const bytes = new Uint8Array([104, 105]);
       await tools.x.y({ bytes, buffer: bytes.buffer, view: new DataView(bytes.buffer), id: 2n ** 60n });
       try { await tools.x.y({ bytes, bad: Promise.resolve() }) } catch {}
       return [bytes, JSON.stringify({ bytes }), 2n ** 60n];`,
      {
        onCall({ args }) {
          seen.push(args);
          return Promise.resolve({ ok: true, json: "1" });
        },
      },
    );
    const marked = { "$toolgate:bytes": "aGk=" };
    assert.deepEqual(seen, [{
      bytes: marked,
      buffer: marked,
      view: marked,
      id: "1152921504606846976",
    }]);
    assert.deepEqual(JSON.parse(outcome.resultJson!), [
      "aGk=",
      '{"bytes":"aGk="}',
      "1152921504606846976",
    ]);
  });
});
