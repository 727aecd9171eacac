import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJson } from "../../src/rpc/parse_json.ts";

const PIECES = [1, 2, 3, 7, 20];
const noPause = () => Promise.resolve();

/** What a parser makes of a text: the value, or that it refuses. */
async function outcomeOf(parse: () => unknown): Promise<unknown> {
  try {
    return { value: await parse() };
  } catch (error) {
    assert.ok(error instanceof SyntaxError, String(error));
    return "refused";
  }
}

async function assertSame(text: string): Promise<void> {
  const expected = await outcomeOf(() => JSON.parse(text));
  for (const piece of PIECES) {
    const actual = await outcomeOf(() => parseJson(text, noPause, piece));
    assert.deepEqual(actual, expected, `${piece}: ${text}`);
    assert.equal(JSON.stringify(actual), JSON.stringify(expected)); // the order of names too
  }
}

Deno.test("parseJson() builds what JSON.parse builds, whatever the pieces are", async () => {
  const spaced = fc.tuple(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 1, "\t", 3));
  await fc.assert(
    fc.asyncProperty(
      spaced,
      ([json, space]) => assertSame(JSON.stringify(JSON.parse(json), null, space)),
    ),
    { numRuns: 300 },
  );
});

Deno.test("parseJson() refuses what JSON.parse refuses", async () => {
  const broken = fc.tuple(
    fc.json({ maxDepth: 5 }),
    fc.nat(),
    fc.nat({ max: 2 }),
    fc.constantFrom("", ",", "[", "]", "{", "}", ":", '"', "\\", " ", "1", "null", "[]", '{"a":'),
  );
  await fc.assert(
    fc.asyncProperty(broken, ([json, at, cut, put]) => {
      const index = at % (json.length + 1);
      return assertSame(json.slice(0, index) + put + json.slice(index + cut));
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("parseJson() knows the traps of names, commas, strings and what stands behind", async () => {
  const texts = [
    '{"a":1,"__proto__":{"x":[1,2,3]},"b":2}',
    '{"__proto__":[1,2,3,4,5,6],"a":{"__proto__":1,"b":2}}',
    '{"a":1,"b":2,"a":[3,4,5],"1":6,"0":7,"a":8}',
    "[1,2,3,]",
    "[,1,2,3]",
    "[1,,2,3]",
    '{"a":1,,"b":2}',
    '{"a":[1,2,3] 4,"b":1}',
    '{"a":[1,2,3][4,5],"b":1}',
    "[[1,2,3] [4,5,6]]",
    "[[1,2,3,4],]",
    "[1,2,3}",
    '{"a":1,"b":2]',
    "[1,2,3]]",
    "[1,2,3] x",
    " \n[1,2,3]\t ",
    '["\\\\",1,2,"\\"",3,"]",4,"{,"]',
    '["\\\\\\",1,2]',
    "{1:[1,2,3]}",
    '{"a":1 [1,2,3]}',
    '{"a" "b":[1,2,3],"c":1}',
    '{"a":[1,2,3],"b"}',
    '["open',
    "",
    "   ",
    "]",
    '"text that is longer than a piece"',
    "123456789012345678901234567890",
    "[1,2,3" + "\u00a0" + "]",
    "\ufeff[1,2,3,4]",
  ];
  for (const text of texts) await assertSame(text);
});

Deno.test("parseJson() lets others run while it builds millions of characters", async () => {
  const member = '{"name":[1,{"deep":[[[[["text, ]"]]]]]},2]}';
  const text = `{"all":[${Array.from({ length: 40_000 }, () => member).join(",")}]}`;
  let others = 0;
  const timer = setInterval(() => others++, 1);
  const value = await parseJson(text);
  clearInterval(timer);
  assert.deepEqual(value, JSON.parse(text));
  assert.ok(others > 0);
});
