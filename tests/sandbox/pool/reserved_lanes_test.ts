import assert from "node:assert/strict";
import { createLanePace, laneHostsMax } from "../../../src/sandbox/pool/reserved_lanes.ts";

Deno.test("laneHostsMax() leaves places to others at every size of a pool", () => {
  assert.deepEqual(laneHostsMax(1), {
    watched: { ofOne: 1, ofAll: 1 },
    slow: { ofOne: 1, ofAll: 1 },
  });
  assert.deepEqual(laneHostsMax(16), {
    watched: { ofOne: 4, ofAll: 8 },
    slow: { ofOne: 2, ofAll: 4 },
  });
});

Deno.test("createLanePace() keeps the starts of one lane apart, and not those of the other", () => {
  let now = 0;
  const pace = createLanePace(() => now, () => {});
  assert.ok(pace.isDue("slow"));
  pace.noteStart("slow");
  now = 199;
  assert.ok(!pace.isDue("slow"));
  assert.ok(pace.isDue("watched"));
  now = 200;
  assert.ok(pace.isDue("slow"));
  pace.close();
});

Deno.test("createLanePace() says when it is worth asking again, once for many questions", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  const pace = createLanePace(() => 0, () => {
    calls++;
    resolve();
  });
  pace.noteStart("watched");
  for (let count = 0; count < 5; count++) assert.ok(!pace.isDue("watched"));
  await promise;
  assert.equal(calls, 1);
  pace.close();
});
