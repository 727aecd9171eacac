import assert from "node:assert/strict";
import { runKillRounds } from "./kill_rounds.ts";

Deno.test("a service that is killed 100 times under load starts each time and has recorded every effect", async () => {
  const figures = await runKillRounds(100);
  console.log(`killed 100 times: ${JSON.stringify(figures)}`);
  assert.equal(figures.starts, 101);
});
