import assert from "node:assert/strict";
import fc from "fast-check";
import { createDistribution } from "../../src/usage/distribution.ts";

Deno.test("a distribution without values has no quantile", () => {
  assert.equal(createDistribution().quantile(0.5), null);
});

Deno.test("quantiles are exact up to 1,000 values, and within 1 % above", () => {
  for (const count of [1_000, 1_001]) {
    const distribution = createDistribution();
    for (let value = count; value > 0; value--) distribution.add(value * 10);
    assert.equal(distribution.count, count);
    for (const share of [0.5, 0.95, 1]) {
      const exact = Math.ceil(share * count) * 10;
      const found = distribution.quantile(share) ?? NaN;
      if (count === 1_000) assert.equal(found, exact);
      else assert.ok(Math.abs(found - exact) <= exact * 0.01, `${share}: ${found} for ${exact}`);
    }
  }
});

Deno.test("any values of one second and more have a median within 1 %", () => {
  const values = fc.array(fc.double({ min: 1_000, max: 1e9, noNaN: true }), {
    minLength: 1,
    maxLength: 1_500,
  });
  fc.assert(
    fc.property(values, (list) => {
      const distribution = createDistribution();
      list.forEach(distribution.add);
      const sorted = list.toSorted((a, b) => a - b);
      const exact = sorted[Math.ceil(list.length / 2) - 1] ?? 0;
      assert.ok(Math.abs((distribution.quantile(0.5) ?? 0) - exact) <= exact * 0.0101);
    }),
    { numRuns: 60 },
  );
});
