import canonicalize from "canonicalize";
import fc from "fast-check";
import assert from "node:assert/strict";
import { canonicalJson, canonicalPieces, stableJson } from "../../src/model/json/canonical_json.ts";

Deno.test("canonicalJson() writes the example of RFC 8785", () => {
  const value = {
    numbers: [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    literals: [null, true, false],
  };
  assert.equal(
    canonicalJson(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

Deno.test("canonicalJson() sorts keys by UTF-16 units, also those that look like numbers", () => {
  const value = JSON.parse(
    '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7,"10":8,"9":9}',
  );
  assert.equal(
    canonicalJson(value),
    '{"\\r":2,"1":4,"10":8,"9":9,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}',
  );
});

Deno.test("canonicalJson() agrees with an independent implementation on any JSON value", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
    assert.equal(canonicalJson(value), canonicalize(value));
  }));
});

Deno.test("canonicalJson() is stable under parsing its own text", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = canonicalJson(value);
    assert.equal(canonicalJson(JSON.parse(text)), text);
  }));
});

Deno.test("canonicalJson() refuses what has no canonical form", () => {
  for (const value of [NaN, Infinity, -Infinity, "\ud800", { "\udc00": 1 }, () => 1, 1n]) {
    assert.throws(() => canonicalJson(value), TypeError);
  }
  let deep: unknown = 1;
  for (let level = 0; level < 1_000; level++) deep = [deep];
  assert.equal(canonicalJson(deep).length, 2_001);
  assert.throws(() => canonicalJson([deep]), TypeError);
  assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
});

Deno.test("stableJson() agrees with canonicalJson() and writes the rest as JSON.stringify() does", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.equal(stableJson(value), canonicalJson(value));
  }));
  const value = {
    text: "a\ud800",
    list: [undefined, NaN, -0],
    none: undefined,
    infinite: Infinity,
  };
  assert.equal(stableJson(value), '{"infinite":null,"list":[null,null,0],"text":"a\\ud800"}');
  assert.equal(stableJson(undefined), "null");
  assert.throws(() => stableJson(1n), TypeError);
});

Deno.test("canonicalPieces() together are the canonical text, and refuse the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal([...canonicalPieces(value)].join(""), canonicalJson(value));
    }),
  );
  const large = Array.from(
    { length: 20_000 },
    (_, index) => ({ b: index, a: [null, `x${index}`] }),
  );
  const pieces = [...canonicalPieces({ z: large, "1": undefined, a: [undefined] })];
  assert.equal(pieces.join(""), canonicalJson({ z: large, "1": undefined, a: [undefined] }));
  assert.ok(pieces.length > 5);
  for (const bad of ["\ud800", { a: [Infinity] }, [() => {}]]) {
    assert.throws(() => [...canonicalPieces(bad)], TypeError);
  }
});
