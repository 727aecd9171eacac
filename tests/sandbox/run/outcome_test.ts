import assert from "node:assert/strict";
import { causeOfDeath, limitError } from "../../../src/sandbox/run/outcome.ts";
import { LIMITS } from "../open_pool.ts";

Deno.test("causeOfDeath() names the limit behind the end of a host", () => {
  const cases: [string | null, string, string][] = [
    ["SIGXCPU", "", "ERR_SANDBOX_CPU_TIME"],
    ["SIGABRT", "thread 'worker-1' has overflowed its stack", "ERR_SANDBOX_NESTING"],
    ["SIGABRT", "memory allocation of 56 bytes failed", "ERR_SANDBOX_MEMORY"],
    [null, "Deno could not start: unable to create worker threads.", "ERR_SANDBOX_MEMORY"],
    ["SIGTRAP", "", "ERR_SANDBOX_MEMORY"],
    // ICU goes on without memory until it touches what it did not get.
    ["SIGSEGV", "", "ERR_SANDBOX_MEMORY"],
    ["SIGKILL", "", "ERR_SANDBOX_MEMORY"],
    [null, "", "ERR_SANDBOX_CRASH"],
    ["SIGTERM", "", "ERR_SANDBOX_CRASH"],
  ];
  for (const [signal, stderr, code] of cases) {
    assert.equal(causeOfDeath({ code: 1, signal, stderr }), code, `${signal} ${stderr}`);
  }
});

Deno.test("limitError() has words of its own for every limit", () => {
  const codes = [
    "ERR_SANDBOX_WALL_TIME",
    "ERR_SANDBOX_CPU_TIME",
    "ERR_SANDBOX_MEMORY",
    "ERR_SANDBOX_CALLS",
    "ERR_SANDBOX_CODE_SIZE",
    "ERR_SANDBOX_LOG_SIZE",
    "ERR_SANDBOX_RESULT_SIZE",
    "ERR_SANDBOX_NESTING",
    "ERR_SANDBOX_PROTOCOL",
    "ERR_SANDBOX_CRASH",
    "ERR_CANCELLED",
  ] as const;
  const errors = codes.map((code) => limitError(code, LIMITS));
  assert.equal(new Set(errors.map((error) => error.message)).size, codes.length);
  for (const { hint } of errors) assert.ok(hint.length > 10);
});
