import assert from "node:assert/strict";
import fc from "fast-check";
import {
  hasMoreValues,
  holdsMoreValues,
  isDeeperThan,
  utf8Bytes,
} from "../../src/rpc/json_depth.ts";
import { anyCharacter } from "../fakes/any_character.ts";

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

Deno.test("isDeeperThan() is exact at the bound and ignores brackets in strings", () => {
  assert.equal(isDeeperThan(nested(5), 5), false);
  assert.equal(isDeeperThan(nested(6), 5), true);
  assert.equal(isDeeperThan(JSON.stringify({ a: ["[[[[[[", '"]\\"[[[[[['] }), 2), false);
  assert.equal(isDeeperThan(JSON.stringify([[1], [2], [{ a: 1 }]]), 3), false);
  assert.equal(isDeeperThan(JSON.stringify([[1], [2], [{ a: 1 }]]), 2), true);
});

Deno.test("isDeeperThan() scans millions of levels at once", () => {
  const start = performance.now();
  assert.equal(isDeeperThan("[".repeat(4_000_000), 200), true);
  assert.equal(isDeeperThan("[],".repeat(4_000_000), 200), false);
  assert.ok(performance.now() - start < 30_000);
});

Deno.test("utf8Bytes() counts as TextEncoder does", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: anyCharacter }),
      (text) => utf8Bytes(text) === new TextEncoder().encode(text).length,
    ),
  );
  assert.equal(utf8Bytes("\ud800a\udc00"), 7);
});

Deno.test("values are counted in text and in what it builds, up to a bound", () => {
  const values = (count: number) => JSON.stringify(Array.from({ length: count - 1 }, () => 1));
  for (
    const text of [values(1_000), `{"a":${values(999)}}`, values(3)]
  ) {
    const count = text.split(/[,[{]/).length;
    assert.equal(hasMoreValues(text, count), false, text.slice(0, 40));
    assert.equal(holdsMoreValues(JSON.parse(text), count), false);
  }
  assert.equal(hasMoreValues(values(1_002), 1_000), true);
  assert.equal(holdsMoreValues(JSON.parse(values(1_002)), 1_000), true);
  assert.equal(hasMoreValues(JSON.stringify(',[{\\"'.repeat(1_000)), 10), false);
  assert.equal(holdsMoreValues(",[{".repeat(1_000), 10), false);
  assert.equal(holdsMoreValues({ a: undefined, b: Array(20).fill([]) }, 20), true);
});
