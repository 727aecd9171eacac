import assert from "node:assert/strict";
import { runKillRounds } from "./kill_rounds.ts";

Deno.test("a service that is killed 5 times under load starts each time and has recorded every effect", async () => {
  assert.equal((await runKillRounds(5)).starts, 6);
});
