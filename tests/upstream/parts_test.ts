import fc from "fast-check";
import assert from "node:assert/strict";
import { createTokenCache } from "../../src/upstream/credentials/token_cache.ts";
import { createLanes } from "../../src/upstream/lanes.ts";
import { childEnvironment } from "../../src/upstream/mcp/child_environment.ts";
import { createLineSplitter, type LongLine } from "../../src/upstream/mcp/line_splitter.ts";
import { headerDeclarations, paramHeaders } from "../../src/upstream/mcp/param_headers.ts";
import { createSecretMask } from "../../src/upstream/secret_mask.ts";

function split(text: string, cuts: readonly number[], lineBytesMax = 1_000) {
  const lines: string[] = [];
  const long: LongLine[] = [];
  const splitter = createLineSplitter({
    lineBytesMax,
    onLine: (line) => lines.push(line),
    onLongLine: (line) => long.push(line),
  });
  const bytes = new TextEncoder().encode(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const to of [...places, bytes.length]) {
    splitter.push(bytes.subarray(from, to));
    from = to;
  }
  return { lines, long };
}

Deno.test("lines come out whole however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " "))),
      fc.array(fc.nat()),
      (lines, cuts) => {
        assert.deepEqual(split(lines.map((line) => `${line}\n`).join(""), cuts).lines, lines);
      },
    ),
  );
});

Deno.test("a line at the limit is kept, one byte more is reported with its ends", () => {
  const long = `{"id":7,${"x".repeat(990)}}`;
  assert.equal(long.length, 999);
  const text = `${long}y\n${long}yz\nnext\n`;
  for (const cuts of [[], [500], [1_000, 1_500], [2_000, 2_001, 2_002]]) {
    const { lines, long: reported } = split(text, cuts);
    assert.deepEqual(lines, [`${long}y`, "next"]);
    assert.equal(reported.length, 1);
    assert.equal(reported[0]?.bytes, 1_001);
    assert.ok(reported[0].head.startsWith('{"id":7,'));
    assert.ok(reported[0].tail.endsWith("}yz"));
  }
});

Deno.test("lanes let so many run, so many wait, in order, and refuse the next", async () => {
  const lanes = createLanes(2, 2);
  const { signal } = new AbortController();
  const [first, second] = await Promise.all([lanes.enter(signal), lanes.enter(signal)]);
  const order: string[] = [];
  const third = lanes.enter(signal).then((leave) => (order.push("third"), leave));
  const fourth = lanes.enter(signal).then((leave) => (order.push("fourth"), leave));
  assert.equal(await lanes.enter(signal), null);
  first?.();
  first?.();
  (await third)?.();
  (await fourth)?.();
  second?.();
  assert.deepEqual(order, ["third", "fourth"]);
  assert.notEqual(await lanes.enter(signal), null);
});

Deno.test("who stops waiting gives the place to the next", async () => {
  const lanes = createLanes(1, 1);
  const stop = new AbortController();
  const leave = await lanes.enter(stop.signal);
  const waiting = lanes.enter(stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  const next = lanes.enter(new AbortController().signal);
  leave?.();
  assert.notEqual(await next, null);
});

Deno.test("a mask hides whole secrets, their parts, and no words", () => {
  const mask = createSecretMask();
  mask.add("Bearer abcdef-123456");
  mask.add("ok");
  assert.equal(
    mask.apply("ok: Bearer abcdef-123456, also abcdef-123456 alone; a Bearer is not a secret"),
    "ok: ***, also *** alone; a Bearer is not a secret",
  );
});

Deno.test("a mask hides the password of a connection string by itself", () => {
  const mask = createSecretMask();
  mask.add("postgres://app:p%40ss-word-4711-x@db.acme.com/shop");
  const shown = mask.apply("app with p@ss-word-4711-x or p%40ss-word-4711-x at db.acme.com");
  assert.equal(shown, "app with *** or *** at db.acme.com");
});

Deno.test("in answers only long secrets are hidden, also where JSON writes them otherwise", () => {
  const mask = createSecretMask();
  mask.add("production");
  mask.add('a"quoted\\secret-of-some-length');
  const text = JSON.stringify({ stage: "production", echo: 'a"quoted\\secret-of-some-length' });
  assert.deepEqual(JSON.parse(mask.applyToAnswer(text)), { stage: "production", echo: "***" });
});

Deno.test("a child inherits a few names and no shell functions", () => {
  const own = { PATH: "/bin", HOME: "/root", TOKEN: "x", SHELL: "() { evil; }", LANG: "C" };
  assert.deepEqual(childEnvironment(own, { TOKEN: "mine", PATH: "/opt/bin" }), {
    PATH: "/opt/bin",
    HOME: "/root",
    LANG: "C",
    TOKEN: "mine",
  });
});

Deno.test("parameters that a server wants as headers are mirrored", () => {
  const { declarations, problem } = headerDeclarations({
    type: "object",
    properties: {
      region: { type: "string", "x-mcp-header": "Region" },
      deep: { type: "object", properties: { n: { type: "integer", "x-mcp-header": "N" } } },
      flag: { type: "boolean", "x-mcp-header": "Flag" },
      sample: { type: "object", default: { "x-mcp-header": "no schema" } },
    },
  });
  assert.equal(problem, null);
  assert.deepEqual(paramHeaders(declarations, { region: "eu", deep: { n: 3 }, flag: null }), {
    "Mcp-Param-Region": "eu",
    "Mcp-Param-N": "3",
  });
  assert.deepEqual(paramHeaders(declarations, { region: "zürich" }), {
    "Mcp-Param-Region": "=?base64?esO8cmljaA==?=",
  });
});

Deno.test("a wrong header annotation makes the tool unusable", () => {
  const bad = [
    { properties: { a: { type: "string", "x-mcp-header": "no spaces" } } },
    { properties: { a: { type: "number", "x-mcp-header": "A" } } },
    { properties: { a: { type: "object", "x-mcp-header": "A" } } },
    { properties: { a: { type: "array", items: { type: "string", "x-mcp-header": "A" } } } },
    { properties: { a: { type: "string", "x-mcp-header": 7 } } },
    { "x-mcp-header": "A" },
    {
      properties: {
        a: { type: "string", "x-mcp-header": "A" },
        b: { type: "string", "x-mcp-header": "a" },
      },
    },
  ];
  for (const schema of bad) {
    assert.notEqual(headerDeclarations(schema).problem, null, JSON.stringify(schema));
  }
});

Deno.test("a token is fetched once for all who wait, kept, and replaced near its end", async () => {
  let now = 0;
  let fetched = 0;
  const cache = createTokenCache(
    () => Promise.resolve({ value: `t${++fetched}`, expiresAt: now + 100_000 }),
    () => now,
  );
  assert.deepEqual(await Promise.all([cache.get("a"), cache.get("a")]), ["t1", "t1"]);
  now = 69_999;
  assert.equal(await cache.get("a"), "t1");
  now = 70_000;
  assert.equal(await cache.get("a"), "t2");
  cache.drop("a", "t1");
  assert.equal(await cache.get("a"), "t2");
  cache.drop("a", "t2");
  assert.equal(await cache.get("a"), "t3");
});

Deno.test("a failure to get a token is not kept", async () => {
  let attempts = 0;
  const cache = createTokenCache(() => {
    attempts += 1;
    return attempts === 1
      ? Promise.reject(new Error("down"))
      : Promise.resolve({ value: "t", expiresAt: null });
  });
  await assert.rejects(cache.get("a"), /down/);
  assert.equal(await cache.get("a"), "t");
});
