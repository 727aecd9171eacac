import assert from "node:assert/strict";
import { holdQuota } from "../../../../src/supervisor/call/held_quota.ts";

const USED = { bytes: 1, tokens: 2 };

Deno.test("holdQuota() ends a reservation once, whichever end comes first", async () => {
  for (const first of ["settle", "refund"] as const) {
    const order: string[] = [];
    const quota = holdQuota({
      settle: ({ bytes, tokens }) => Promise.resolve(void order.push(`settle ${bytes} ${tokens}`)),
      refund: () => Promise.resolve(void order.push("refund")),
    });
    await (first === "settle" ? quota.settle(USED) : quota.refund());
    assert.equal(await quota.refund(), null);
    assert.equal(await quota.settle(USED), null);
    assert.deepEqual(order, [first === "settle" ? "settle 1 2" : "refund"]);
  }
});

Deno.test("holdQuota() says why an end failed, and never tries another one", async () => {
  let ends = 0;
  const quota = holdQuota({
    settle() {
      ends++;
      throw new Error("The store is gone");
    },
    refund: () => Promise.resolve(void ends++),
  });
  assert.equal(await quota.settle(USED), "The store is gone");
  assert.equal(await quota.refund(), null);
  assert.equal(ends, 1);
});
