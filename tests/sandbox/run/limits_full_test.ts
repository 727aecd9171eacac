import assert from "node:assert/strict";
import type { SandboxOutcome } from "../../../src/sandbox/run/outcome.ts";
import { LIMITS, runCode, withPool } from "../open_pool.ts";

const ONE_HOST = { isolation: "worker", workersPerHost: 8, warm: 1, hostsMax: 2 } as const;

/** Ended by this limit, with a remedy, and not later than a second after its bound. */
function assertLimit(outcome: SandboxOutcome, code: string, boundMs?: number): void {
  assert.equal(outcome.error?.code, code, outcome.error?.message);
  assert.ok(outcome.error!.hint.length > 10);
  assert.equal(outcome.resultJson, null);
  if (boundMs !== undefined) assert.ok(outcome.wallMs < boundMs + 1_000, `${outcome.wallMs} ms`);
}

Deno.test("wall time ends a program that waits, and one that does not gets through", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const inTime = await runCode(pool, "await sleep(20); return 1", {
      limits: { wallTimeMs: 2_000 },
    });
    assert.equal(inTime.resultJson, "1");
    const late = await runCode(pool, "await sleep(5000); return 1", {
      limits: { wallTimeMs: 200 },
    });
    assertLimit(late, "ERR_SANDBOX_WALL_TIME", 200);
    assert.equal(late.status, "timeout");
    const call = await runCode(pool, "await tools.slow.never({})", { limits: { wallTimeMs: 200 } });
    assertLimit(call, "ERR_SANDBOX_WALL_TIME", 200);
  });
});

Deno.test("CPU time is counted apart from waiting", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const waits = await runCode(
      pool,
      "await sleep(600); return await tools.slow.wait({ ms: 300 })",
      {
        limits: { cpuTimeMs: 300 },
      },
    );
    assert.equal(waits.resultJson, "1");
    assert.ok(waits.cpuMs < 300 && waits.wallMs > 850, `${waits.cpuMs} of ${waits.wallMs}`);
    const loops = await runCode(pool, "for (;;) {}", {
      limits: { cpuTimeMs: 250, wallTimeMs: 20_000 },
    });
    assertLimit(loops, "ERR_SANDBOX_CPU_TIME");
    assert.equal(loops.status, "timeout");
    assert.ok(loops.cpuMs >= 250 && loops.cpuMs < 1_000, `${loops.cpuMs} ms`);
    const inTime = await runCode(
      pool,
      "const end = Date.now() + 50; while (Date.now() < end); return 1",
      {
        limits: { cpuTimeMs: 2_000 },
      },
    );
    assert.equal(inTime.resultJson, "1");
  });
});

Deno.test("memory is bounded whatever holds it", async () => {
  await withPool({ ...ONE_HOST, limits: { ...LIMITS, memoryMb: 64 } }, async (pool) => {
    const limits = { cpuTimeMs: 20_000, wallTimeMs: 30_000 };
    const fits = await runCode(
      pool,
      `const bytes = Array.from({ length: 24 }, () => new Uint8Array(1 << 20).fill(1));
       const rows = Array.from({ length: 50000 }, (_, i) => ({ i, name: "row " + i }));
       return bytes.length + rows.length`,
      { limits },
    );
    assert.equal(fits.resultJson, "50024", fits.error?.message);
    const hogs = [
      "const all = []; for (;;) all.push(new Array(1e5).fill(1.5))",
      "const all = []; for (;;) all.push({ a: {}, b: [] })",
      "const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1))",
      "const all = []; for (let i = 0;; i++) all.push(String(i).padEnd(1e6, 'y') + i)",
      "return new ArrayBuffer(4e9).byteLength",
      "let x = 3n ** 100000n; for (;;) x = x * x",
      "let s = 'x'; for (;;) s += s",
      "const map = new Map(); for (let i = 0;; i++) map.set(i, [i])",
    ];
    for (const code of hogs) {
      assertLimit(await runCode(pool, code, { limits }), "ERR_SANDBOX_MEMORY");
    }
  });
});

Deno.test("answers that do not fit into memory are the memory limit, wherever they meet it", async () => {
  const json = JSON.stringify("x".repeat(12_000_000));
  await withPool({ ...ONE_HOST, limits: { ...LIMITS, memoryMb: 32 } }, async (pool) => {
    const outcome = await runCode(
      pool,
      "return (await Promise.all(Array.from({ length: 40 }, () => tools.math.obj()))).length",
      {
        limits: { cpuTimeMs: 20_000, wallTimeMs: 30_000 },
        onCall: () => Promise.resolve({ ok: true, json }),
      },
    );
    assertLimit(outcome, "ERR_SANDBOX_MEMORY");
    assert.equal((await runCode(pool, "return 1")).resultJson, "1");
  });
});

Deno.test("calls are counted: the limit works, one more does not", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const limits = { toolCallsMax: 20 };
    const program = (count: number) =>
      `for (let i = 0; i < ${count}; i++) await tools.math.add({ a: i, b: 1 }); return "done"`;
    const fits = await runCode(pool, program(20), { limits });
    assert.deepEqual([fits.resultJson, fits.callCount], ['"done"', 20]);
    const over = await runCode(pool, program(21), { limits });
    assertLimit(over, "ERR_SANDBOX_CALLS");
    assert.equal(over.callCount, 20);
    assert.equal(over.error!.line, 1);
    const parallel = await runCode(
      pool,
      "return (await Promise.all(Array.from({ length: 21 }, () => tools.math.obj()))).length",
      { limits },
    );
    assertLimit(parallel, "ERR_SANDBOX_CALLS");
    const caught = await runCode(pool, "for (;;) { try { await tools.math.obj() } catch {} }", {
      limits,
    });
    assertLimit(caught, "ERR_SANDBOX_CALLS");
  });
});

Deno.test("calls in flight are bounded by waiting, not by failing", async () => {
  await withPool(ONE_HOST, async (pool) => {
    let active = 0;
    let most = 0;
    const outcome = await runCode(
      pool,
      "return (await Promise.all(Array.from({ length: 50 }, (_, i) => tools.math.add({ a: i, b: 0 })))).at(-1)",
      {
        limits: { concurrentCallsMax: 4 },
        onCall: async (call) => {
          most = Math.max(most, ++active);
          await new Promise((resolve) => setTimeout(resolve, 2));
          active--;
          return { ok: true, json: JSON.stringify((call.args as { a: number }).a) };
        },
      },
    );
    assert.equal(outcome.resultJson, "49");
    assert.equal(most, 4);
  });
});

Deno.test("arguments have a size in bytes: the limit works, one more does not", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const limits = { toolArgumentBytesMax: 2_000 };
    const frame = JSON.stringify({ text: "" }).length;
    const program = (text: string) =>
      `return (await tools.math.echo({ text: ${text} })).text.length`;
    const fits = await runCode(pool, program(`"x".repeat(${2_000 - frame})`), { limits });
    assert.equal(fits.resultJson, String(2_000 - frame));
    assertLimit(
      await runCode(pool, program(`"x".repeat(${2_001 - frame})`), { limits }),
      "ERR_SANDBOX_MESSAGE_SIZE",
    );
    assertLimit(
      await runCode(pool, program('"€".repeat(1000)'), { limits }),
      "ERR_SANDBOX_MESSAGE_SIZE",
    );
    const caught = await runCode(
      pool,
      "try { await tools.math.echo({ text: 'x'.repeat(5000) }) } catch (error) { return error.message }",
      { limits },
    );
    assert.match(caught.resultJson!, /Cannot call math\.echo: the arguments have 5011 characters/);
  });
});

Deno.test("many large arguments wait for room and all arrive", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const outcome = await runCode(
      pool,
      "return (await Promise.all(Array.from({ length: 30 }, (_, i) => tools.math.echo({ i, text: 'x'.repeat(90000) })))).map((row) => row.i)",
      { limits: { toolArgumentBytesMax: 100_000 } },
    );
    assert.deepEqual(JSON.parse(outcome.resultJson!), Array.from({ length: 30 }, (_, i) => i));
  });
});

Deno.test("a result has a size in bytes; one over it is handed to the caller aside", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const limits = { resultBytesMax: 5_000, toolResultBytesMax: 20_000 };
    const fits = await runCode(pool, "return 'x'.repeat(4998)", { limits });
    assert.equal(fits.resultJson?.length, 5_000);
    const over = await runCode(pool, "return 'x'.repeat(4999)", { limits });
    assertLimit(over, "ERR_SANDBOX_RESULT_SIZE");
    assert.deepEqual([over.oversize?.bytes, over.oversize?.json.length], [5_001, 5_001]);
    const wide = await runCode(pool, "return '€'.repeat(2000)", { limits });
    assertLimit(wide, "ERR_SANDBOX_RESULT_SIZE");
    assert.equal(wide.oversize?.bytes, 6_002);
    const huge = await runCode(pool, "return 'x'.repeat(20000)", { limits });
    assertLimit(huge, "ERR_SANDBOX_RESULT_SIZE");
    assert.equal(huge.oversize, null);
  });
});

Deno.test("a tool's result has a size in bytes; one over it is an error of that call", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const limits = { toolResultBytesMax: 3_000 };
    const run = (bytes: number) =>
      runCode(pool, "return (await tools.math.obj()).length", {
        limits,
        onCall: () => Promise.resolve({ ok: true, json: JSON.stringify("x".repeat(bytes - 2)) }),
      });
    assert.equal((await run(3_000)).resultJson, "2998");
    assert.equal((await run(3_001)).error?.code, "ERR_UPSTREAM_RESULT");
  });
});

Deno.test("logs have a size in bytes and a number of lines", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const limits = { logBytesMax: 1_000 };
    const fits = await runCode(
      pool,
      "console.log('x'.repeat(600)); console.warn('x'.repeat(400))",
      { limits },
    );
    assert.deepEqual([fits.status, fits.logs.length], ["ok", 2]);
    const over = await runCode(pool, "console.log('x'.repeat(1000)); console.log('y')", { limits });
    assertLimit(over, "ERR_SANDBOX_LOG_SIZE");
    assert.equal(over.logs.length, 1);
    assertLimit(
      await runCode(pool, "console.log('€'.repeat(400))", { limits }),
      "ERR_SANDBOX_LOG_SIZE",
    );
    const lines = (count: number) =>
      runCode(pool, `for (let i = 0; i < ${count}; i++) console.log("")`);
    assert.equal((await lines(2_000)).logs.length, 2_000);
    assertLimit(await lines(2_001), "ERR_SANDBOX_LOG_SIZE");
    const silent = await runCode(pool, "return 1", { limits: { logBytesMax: 0 } });
    assert.equal(silent.resultJson, "1");
  });
});

Deno.test("timers are counted: the limit works, one more does not", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const program = (count: number) =>
      `const ids = []; for (let i = 0; i < ${count}; i++) ids.push(setTimeout(() => {}, 1e6));
       ids.forEach(clearTimeout); return ids.length`;
    assert.equal((await runCode(pool, program(1_000))).resultJson, "1000");
    assertLimit(await runCode(pool, program(1_001)), "ERR_SANDBOX_TIMERS");
  });
});

Deno.test("code has a size in bytes: the limit works, one more does not", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const limits = { codeBytesMax: 1_000 };
    const program = (bytes: number) => "return 1;".padEnd(bytes, " ");
    assert.equal((await runCode(pool, program(1_000), { limits })).resultJson, "1");
    assertLimit(await runCode(pool, program(1_001), { limits }), "ERR_SANDBOX_CODE_SIZE");
    const wide = `return "${"€".repeat(400)}".length`;
    assertLimit(await runCode(pool, wide, { limits }), "ERR_SANDBOX_CODE_SIZE");
  });
});

Deno.test("arguments and results have a depth: the limit works, one more does not", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const nest = (levels: number) => `let v = []; for (let i = 1; i < ${levels}; i++) v = [v];`;
    assert.equal((await runCode(pool, `${nest(200)} return v`)).status, "ok");
    assertLimit(await runCode(pool, `${nest(201)} return v`), "ERR_SANDBOX_NESTING");
    assert.equal(
      (await runCode(pool, `${nest(200)} await tools.math.echo(v); return 1`)).resultJson,
      "1",
    );
    assertLimit(
      await runCode(pool, `${nest(201)} await tools.math.echo(v)`),
      "ERR_SANDBOX_NESTING",
    );
  });
});

Deno.test("a program that nothing can wake ends at once", async () => {
  await withPool(ONE_HOST, async (pool) => {
    for (
      const code of [
        "await new Promise(() => {})",
        "await tools.math.add({ a: 1, b: 1 }); await new Promise(() => {})",
        "await sleep(5); await new Promise(() => {})",
        "const gate = Promise.withResolvers(); setTimeout(() => {}, 1); await gate.promise",
      ]
    ) {
      const outcome = await runCode(pool, code);
      assertLimit(outcome, "ERR_SANDBOX_STALLED", 0);
    }
    const wakes = await runCode(
      pool,
      "const gate = Promise.withResolvers(); setTimeout(() => gate.resolve(1), 30); crypto.randomUUID(); return await gate.promise",
    );
    assert.equal(wakes.resultJson, "1");
  });
});

Deno.test("cancelling ends a program at once and aborts its calls", async () => {
  await withPool(ONE_HOST, async (pool) => {
    const controller = new AbortController();
    const called = Promise.withResolvers<AbortSignal>();
    const running = runCode(pool, "await tools.slow.never({})", {
      signal: controller.signal,
      onCall: (call) => {
        called.resolve(call.signal);
        return new Promise(() => {});
      },
    });
    const callSignal = await called.promise;
    controller.abort();
    const outcome = await running;
    assert.equal(outcome.status, "cancelled");
    assertLimit(outcome, "ERR_CANCELLED");
    assert.ok(callSignal.aborted);
    const before = await runCode(pool, "return 1", { signal: AbortSignal.abort() });
    assert.equal(before.error?.code, "ERR_CANCELLED");
  });
});
