import assert from "node:assert/strict";
import { footprint, runMany } from "../../../bench/endurance_bench.ts";
import { measureHostile } from "../../../bench/hostile_bench.ts";
import type { Isolation } from "../../../src/sandbox/host/host_settings.ts";
import { withPool } from "../open_pool.ts";

const COUNTS: { readonly [isolation in Isolation]: number } = {
  process: 12,
  worker: 40,
  realm: 600,
};

for (const [isolation, count] of Object.entries(COUNTS) as [Isolation, number][]) {
  Deno.test(`many executions leave nothing behind at level ${isolation}`, async () => {
    const before = footprint();
    await withPool({ isolation, warm: 1, hostsMax: 4, workersPerHost: 4 }, async (pool) => {
      await runMany(pool, Math.ceil(count / 3));
      const early = footprint();
      await runMany(pool, count);
      const late = footprint();
      assert.ok(late.rssMb < early.rssMb * 1.2 + 60, `${early.rssMb} -> ${late.rssMb} MB`);
      assert.ok(late.descriptors <= early.descriptors + 12);
      assert.ok(late.children <= 5, `${late.children} children`);
    });
    const after = footprint();
    assert.equal(after.children, before.children);
    assert.ok(
      after.descriptors <= before.descriptors + 3,
      `${before.descriptors} -> ${after.descriptors}`,
    );
  });
}

Deno.test("hostile programs of one principal fail no execution of another", async () => {
  await withPool({ isolation: "worker", warm: 2, hostsMax: 8, workersPerHost: 4 }, async (pool) => {
    const { quiet, rows } = await measureHostile(pool, 6);
    assert.equal(rows.length, 9);
    for (const row of rows) {
      assert.equal(row.failed, 0, row.name);
      assert.ok(row.attacks > 0, row.name);
      // A shared machine adds what it likes; the bench measures the ratio.
      assert.ok(row.p50 < quiet.p50 * 3 + 200, `${row.name}: ${quiet.p50} -> ${row.p50} ms`);
      for (const code of row.codes) assert.match(code, /^ERR_SANDBOX_(?!CRASH|PROTOCOL)/);
    }
  });
});
