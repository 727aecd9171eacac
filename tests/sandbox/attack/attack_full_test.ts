import assert from "node:assert/strict";
import { runAttacks } from "../../../src/sandbox/attack/attack.ts";
import { ESCAPE_SAMPLE, HOSTILE_NINE } from "../../../src/sandbox/attack/attack_programs.ts";
import type { SandboxPool } from "../../../src/sandbox/pool/sandbox_pool.ts";
import type { SandboxOutcome } from "../../../src/sandbox/run/outcome.ts";
import { LIMITS, withPool } from "../open_pool.ts";

Deno.test("runAttacks() finds that the sandbox holds", async () => {
  // Enough CPU time for the program whose result is too large, on a busy machine too.
  const limits = { ...LIMITS, cpuTimeMs: 1_500, wallTimeMs: 8_000 };
  await withPool({ isolation: "worker", warm: 2, workersPerHost: 8 }, async (pool) => {
    const rows = await runAttacks(pool, limits);
    assert.equal(rows.length, HOSTILE_NINE.length + ESCAPE_SAMPLE.length);
    assert.deepEqual(rows.filter((row) => !row.ok), []);
    assert.ok(rows.every((row) => row.ms < 60_000 && row.expected !== "" && row.got !== ""));
  });
});

Deno.test("runAttacks() finds a sandbox that gives in, and one whose others suffer", async () => {
  const outcome: SandboxOutcome = {
    status: "ok",
    resultJson: "1",
    oversize: null,
    logs: [],
    error: null,
    callCount: 0,
    wallMs: 1,
    cpuMs: 1,
  };
  const weak: SandboxPool = {
    run: () => Promise.resolve(outcome),
    status: () => {
      throw new Error("not asked");
    },
    close: () => Promise.resolve(),
  };
  assert.ok((await runAttacks(weak, LIMITS)).every((row) => !row.ok));
  const dying = { ...weak, run: () => Promise.resolve({ ...outcome, resultJson: '"held"' }) };
  const rows = await runAttacks(dying, LIMITS);
  assert.ok(rows.every((row) => !row.ok && row.got.includes("another execution failed")));
});
