import assert from "node:assert/strict";
import { AMOUNT_MAX, ITEMS_MAX, measureArgument } from "../../src/usage/argument_sum.ts";

const problemOf = (args: unknown, unit = "args.amount") => measureArgument(args, unit).problem;

Deno.test("a number is its own sum, a list on the way sums its items", () => {
  assert.deepEqual(measureArgument({ amount: 2.5 }, "args.amount"), { sum: 2.5, problem: null });
  assert.equal(measureArgument({ amount: 7n }, "args.amount").sum, 7);
  assert.equal(measureArgument({ amount: 0 }, "args.amount").sum, 0);
  const payments = [{ amount: 1 }, { amount: 2 }];
  assert.equal(measureArgument({ payments }, "args.payments.amount").sum, 3);
  assert.equal(measureArgument({ payments: [] }, "args.payments.amount").sum, 0);
  assert.equal(measureArgument({ amount: [1, 2, 3] }, "args.amount").sum, 6);
});

Deno.test("what nobody can read never counts as nothing", () => {
  const unreadable = [
    {},
    { amount: null },
    { amount: "5" },
    { amount: -1 },
    { amount: -1n },
    { amount: NaN },
    { amount: Infinity },
    { amount: [[1]] },
    { amount: { value: 1 } },
    [],
    "text",
    null,
    Object.create({ amount: 1 }),
  ];
  for (const args of unreadable) assert.equal(problemOf(args), "unreadable", Deno.inspect(args));
  assert.equal(problemOf({ list: [{ amount: 1 }, {}] }, "args.list.amount"), "unreadable");
  assert.equal(problemOf({}, "args.constructor"), "unreadable");
});

Deno.test("a sum and a number of items have a bound each", () => {
  assert.equal(problemOf({ amount: AMOUNT_MAX }), null);
  assert.equal(problemOf({ amount: AMOUNT_MAX + 1 }), "large");
  assert.equal(problemOf({ amount: [AMOUNT_MAX, 1] }), "large");
  assert.equal(problemOf({ amount: 2n ** 70n }), "large");
  assert.equal(problemOf({ amount: Array(ITEMS_MAX).fill(0) }), null);
  assert.equal(problemOf({ amount: Array(ITEMS_MAX + 1).fill(0) }), "items");
  const lists = Array.from({ length: 2 }, () => ({ amount: Array(ITEMS_MAX / 2 + 1).fill(0) }));
  assert.equal(problemOf({ lists }, "args.lists.amount"), "items");
});
