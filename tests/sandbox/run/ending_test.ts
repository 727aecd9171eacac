import assert from "node:assert/strict";
import { createEnding } from "../../../src/sandbox/run/ending.ts";
import type { ProgramEnd } from "../../../src/sandbox/run/program_end.ts";
import { LIMITS } from "../open_pool.ts";

function recordedEnding(signal = new AbortController().signal, wallTimeMs = 5_000) {
  const ends: ProgramEnd[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const ending = createEnding({
    limits: { ...LIMITS, wallTimeMs },
    signal,
    onEnd: (end) => {
      ends.push(end);
      resolve();
    },
  });
  const codes = () => ends.map(({ status, error }) => [status, error?.code ?? null]);
  return { ending, codes, ended: promise };
}

Deno.test("createEnding() ends once, with what came first", () => {
  const { ending, codes } = recordedEnding();
  ending.stopFor(null);
  assert.ok(!ending.isOver);
  ending.finish({ status: "ok", clean: true });
  ending.stopFor("ERR_SANDBOX_CALLS");
  ending.finish(null);
  ending.violate();
  assert.deepEqual(codes(), [["ok", null]]);
  assert.ok(ending.isOver);
});

Deno.test("createEnding() takes an end that no honest host says as a broken protocol", () => {
  const { ending, codes } = recordedEnding();
  ending.finish(null);
  assert.deepEqual(codes(), [["error", "ERR_SANDBOX_PROTOCOL"]]);
});

Deno.test("createEnding() ends when the client gives up, and not after the end", () => {
  const client = new AbortController();
  const first = recordedEnding(client.signal);
  const second = recordedEnding(client.signal);
  second.ending.finish({ status: "ok", clean: true });
  client.abort();
  assert.deepEqual(first.codes(), [["cancelled", "ERR_CANCELLED"]]);
  assert.deepEqual(second.codes(), [["ok", null]]);
});

Deno.test("createEnding() ends by the clock", async () => {
  const { codes, ended } = recordedEnding(undefined, 1);
  await ended;
  assert.deepEqual(codes(), [["timeout", "ERR_SANDBOX_WALL_TIME"]]);
});
