import assert from "node:assert/strict";
import { busyError, refusedOutcome } from "../../../src/sandbox/pool/pool_refusals.ts";
import { LIMITS } from "../open_pool.ts";

const LOAD = { queued: 12, running: 4, placesMax: 4, meanRunMs: 250 };

Deno.test("busyError() says when to come again: when those before should be through", () => {
  const error = busyError(LOAD);
  assert.equal(error.code, "ERR_BUSY");
  assert.match(error.message, /12 others are waiting/);
  assert.equal(error.retryAfterMs, 1_000);
  assert.match(error.hint, /1000 ms/);
});

Deno.test("busyError() keeps the time between two bounds", () => {
  assert.equal(busyError({ ...LOAD, meanRunMs: 0.5 }).retryAfterMs, 100);
  assert.equal(busyError({ ...LOAD, meanRunMs: 1e9 }).retryAfterMs, 30_000);
});

Deno.test("refusedOutcome() tells a cancelled program from one that is too long", () => {
  const cancelled = refusedOutcome("ERR_CANCELLED", LIMITS);
  assert.deepEqual([cancelled.status, cancelled.error?.code], ["cancelled", "ERR_CANCELLED"]);
  const long = refusedOutcome("ERR_SANDBOX_CODE_SIZE", LIMITS);
  assert.deepEqual([long.status, long.error?.code], ["error", "ERR_SANDBOX_CODE_SIZE"]);
  assert.match(long.error!.message, /262144 bytes/);
});
