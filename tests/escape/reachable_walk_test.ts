/** A small part of the search of `reachable_walk_full_test.ts`. */
import assert from "node:assert/strict";
import { withPool } from "../sandbox/open_pool.ts";
import { renderMutationWalk, renderStackWalk } from "./reachable_walk.ts";
import { runWalks, WALK_LIMITS } from "./run_walks.ts";

Deno.test("a search through what a program can reach meets no object of another realm", async () => {
  const walks = [
    ["assign", renderMutationWalk("assign", /^(Error|TypeError|Promise)$/)],
    ["getter", renderMutationWalk("getter", /^(Error|Symbol|Function)$/)],
    ["stack", renderStackWalk([0, 3, 8], 0, 6)],
  ] as const;
  await withPool({ isolation: "worker", limits: WALK_LIMITS }, async (pool) => {
    const report = await runWalks(pool, walks);
    assert.deepEqual(report.problems, []);
    assert.ok(report.visited > 3_000 && report.thrown > 2_000, JSON.stringify(report));
  });
});
