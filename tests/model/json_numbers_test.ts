import fc from "fast-check";
import assert from "node:assert/strict";
import { numbersToJson } from "../../src/model/json/exact_json.ts";
import {
  findInexactInteger,
  findNonFinite,
  quoteInexactNumbers,
} from "../../src/model/json/json_numbers.ts";

const key = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom('a"b', "\\", "12345678901234567"),
);
const path = fc.array(fc.oneof(key, fc.nat(3)), { minLength: 1, maxLength: 6 });
const filler = fc.jsonValue({ maxDepth: 2 });

/** Wraps a value in objects and arrays, so that it is at this path. */
function wrap(value: unknown, keys: readonly (string | number)[], beside: unknown): unknown {
  return keys.reduceRight<unknown>(
    (inner, at) =>
      typeof at === "number"
        ? [...Array.from({ length: at }, () => beside), inner, beside]
        : Object.defineProperty({ "~before": beside }, at, {
          value: inner,
          enumerable: true,
          configurable: true,
        }),
    value,
  );
}

function textOf(keys: readonly (string | number)[]): string {
  return "args" +
    keys.map((at) =>
      typeof at === "number"
        ? `[${at}]`
        : /^[A-Za-z_$][\w$]*$/.test(at)
        ? `.${at}`
        : `[${JSON.stringify(at)}]`
    ).join("");
}

Deno.test("findNonFinite() names the place of a number that is not finite, wherever it is", () => {
  const number = fc.constantFrom(Infinity, -Infinity, NaN);
  fc.assert(fc.property(number, path, filler, (bad, keys, beside) => {
    assert.equal(findNonFinite(wrap(bad, keys, beside), "args"), textOf(keys));
  }));
  assert.equal(findNonFinite(Infinity, "result"), "result");
});

Deno.test("findNonFinite() finds nothing in what JSON can write", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.equal(findNonFinite(value, "args"), null);
  }));
});

Deno.test("findNonFinite() is quick with wide values and does not run out of stack with deep ones", () => {
  let deep: unknown = Infinity;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  assert.match(findNonFinite(deep, "args") ?? "", /^args\[0\]\[0\]/);
  const wide = Array.from({ length: 300_000 }, (_, index) => index);
  assert.equal(findNonFinite(wide, "args"), null);
});

Deno.test("findInexactInteger() names every integer that changes when it is read", () => {
  const integer = fc.bigInt({ min: 2n ** 53n, max: 2n ** 200n })
    .filter((value) => String(Number(value)) !== String(value));
  const sign = fc.constantFrom("", "-");
  fc.assert(fc.property(integer, sign, path, filler, (value, minus, keys, beside) => {
    const mark = "\u0000mark\u0000";
    const json = JSON.stringify(wrap(mark, keys, beside));
    const text = `${minus}${value}`;
    for (const spaced of [json, json.replaceAll(":", " :\n")]) {
      // A colon in a text would be changed, too.
      if (spaced !== json && /"[^"]*:[^"]*"/.test(json)) continue;
      const found = findInexactInteger(
        spaced.replace(JSON.stringify(mark), () => text),
        "args",
      );
      assert.deepEqual(found, { place: textOf(keys), text: text.slice(0, 40) });
    }
  }));
});

Deno.test("findInexactInteger() finds nothing in what JSON.stringify() wrote", () => {
  const value = fc.jsonValue();
  const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }));
  const integers = fc.array(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(Number));
  fc.assert(fc.property(fc.tuple(value, numbers, integers), (all) => {
    assert.equal(findInexactInteger(JSON.stringify(all), "args"), null);
  }));
  assert.equal(findInexactInteger('{"12345678901234567":"12345678901234567", "a":-0}', "x"), null);
});

Deno.test("quoteInexactNumbers() keeps the digits that a number would lose", () => {
  const read = (json: string) => JSON.parse(quoteInexactNumbers(json));
  assert.deepEqual(
    read('{"id":9007199254740993,"n":-9223372036854775808,"l":[ 1234567890123456789 ],"e":1e400}'),
    { id: "9007199254740993", n: "-9223372036854775808", l: ["1234567890123456789"], e: "1e400" },
  );
  assert.deepEqual(read("[9007199254740991,9007199254740992,1e21,0.12345678901234567890,-1E+5]"), [
    9007199254740991,
    "9007199254740992",
    1e21,
    0.12345678901234568,
    -1e5,
  ]);
  assert.equal(read("12345678901234567890"), "12345678901234567890");
  const text = '{"12345678901234567890":"a\\"12345678901234567890\\\\"}';
  assert.equal(quoteInexactNumbers(text), text);
});

Deno.test("quoteInexactNumbers() changes nothing that a number holds", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.bigInt(), (value, integer) => {
    const json = `{"value":${JSON.stringify(value)},"integer":${integer}}`;
    const isSafe = Number.isSafeInteger(Number(integer));
    assert.deepEqual(
      JSON.parse(quoteInexactNumbers(json)).integer,
      isSafe ? Number(integer) : `${integer}`,
    );
    assert.equal(numbersToJson({ value, integer }), json);
  }));
});
