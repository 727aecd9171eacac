/** Records that do not fit their program: each difference is found, and named. */
import assert from "node:assert/strict";
import { openAuditLog } from "../../src/audit/audit_log.ts";
import type { AuditEvent } from "../../src/model/event.ts";
import type { Principal } from "../../src/model/principal.ts";
import type { SandboxPool } from "../../src/sandbox/pool/sandbox_pool.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { replayExecution, type ReplayReport } from "../../src/supervisor/program/replay.ts";
import { CONFIG, intent, outcome } from "../audit/audit_fixture.ts";
import { LIMITS, withPool } from "../sandbox/open_pool.ts";

const AUDITOR: Principal = {
  sub: "eve",
  issuer: "keys",
  client: "cli",
  claims: {},
  scopes: ["auditor"],
  spaces: null,
};

const TWO_CALLS = `const one = await tools.pay.get({ n: 1 });
  const two = await tools.pay.get({ n: 2 });
  return [one, two];`;

interface Recorded {
  readonly code?: string;
  readonly calls?: readonly {
    readonly tool?: string;
    readonly args?: string;
    readonly result?: string;
    readonly error?: string;
  }[];
  readonly result?: string;
  readonly end?: Partial<AuditEvent>;
  /** What the sandbox is told, beyond the limits of tests. */
  readonly wallTimeMs?: number;
}

/** Writes an execution as told and replays it. */
async function replayRecorded(pool: SandboxPool, recorded: Recorded): Promise<ReplayReport> {
  const log = await openAuditLog({ store: createMemoryStore(), chain: "main", config: CONFIG });
  const { actor } = intent("x:0");
  const base = { execution: "x", space: "default", ...(actor ? { actor } : {}) };
  await log.append({ ...base, kind: "execution.start" }, {
    code: JSON.stringify(recorded.code ?? TWO_CALLS),
  });
  const calls = recorded.calls ?? [{}, {}];
  for (const [index, { tool = "pay.get", args, result, error }] of calls.entries()) {
    const call = `x:${index}`;
    await log.append(intent(call, tool), { args: args ?? `{"n":${index + 1}}` });
    if (error === undefined) {
      await log.append(outcome(call, tool), { result: result ?? `"v${index + 1}"` });
    } else {
      await log.append({
        ...outcome(call, tool),
        result: { status: error },
        err: { code: error, message: "It failed", hint: "Wait" },
      });
    }
  }
  await log.append(
    { ...base, kind: "execution.end", result: { status: "ok" }, ...recorded.end },
    recorded.end?.err === undefined ? { result: recorded.result ?? '["v1","v2"]' } : {},
  );
  try {
    return await replayExecution(
      {
        audit: log,
        sandbox: pool,
        limits: { ...LIMITS, wallTimeMs: recorded.wallTimeMs ?? 5_000 },
        now: () => performance.now(),
        names: () => null,
      },
      AUDITOR,
      "x",
      new AbortController().signal,
    );
  } finally {
    await log.close();
  }
}

const DIFFERENCES: readonly (readonly [
  name: string,
  recorded: Recorded,
  call: number | null,
  what: string,
  was: RegExp | null,
  is: RegExp | null,
])[] = [
  ["other arguments", { calls: [{}, { args: '{"n":3}' }] }, 1, "arguments", /"n":3/, /"n":2/],
  [
    "another tool",
    { calls: [{ tool: "pay.refund" }, {}] },
    0,
    "tool",
    /^pay\.refund$/,
    /^pay\.get$/,
  ],
  ["a call too many", { calls: [{}] }, 1, "not recorded", null, /^pay\.get\(\{"n":2\}\)$/],
  [
    "a call too few",
    { calls: [{}, {}, { tool: "pay.refund" }] },
    2,
    "not made",
    /^pay\.refund\(\{"n":3\}\)$/,
    null,
  ],
  ["another result", { result: '["v1","v3"]' }, null, "result", /"v3"/, /"v2"/],
  [
    "a value of a call",
    { calls: [{ result: '"forged"' }, {}] },
    null,
    "result",
    /"v1"/,
    /"forged"/,
  ],
  [
    "another status",
    { end: { result: { status: "error" }, err: { code: "ERR_PROGRAM", message: "No" } } },
    null,
    "status",
    /^error ERR_PROGRAM No$/,
    /^ok$/,
  ],
  [
    "another message",
    {
      code: `throw new Error("one")`,
      calls: [],
      end: { result: { status: "error" }, err: { code: "ERR_PROGRAM", message: "two" } },
    },
    null,
    "error",
    /two/,
    /one/,
  ],
];

Deno.test("a replay names the call that differs, and how", async (t) => {
  await withPool({ isolation: "realm" }, async (pool) => {
    for (const [name, recorded, call, what, was, is] of DIFFERENCES) {
      await t.step(name, async () => {
        const report = await replayRecorded(pool, recorded);
        assert.equal(report.verdict, "diverged");
        assert.equal(report.divergence?.what, what);
        assert.equal(report.divergence?.call, call);
        const texts = [report.divergence?.recorded ?? null, report.divergence?.replayed ?? null];
        for (const [index, wanted] of [was, is].entries()) {
          if (wanted === null) assert.equal(texts[index], null);
          else assert.match(texts[index] ?? "", wanted);
        }
      });
    }
  });
});

Deno.test("recorded failures are thrown again with code, tool, message and hint", async () => {
  await withPool({ isolation: "realm" }, async (pool) => {
    const report = await replayRecorded(pool, {
      code:
        `try { await tools.pay.get({ n: 1 }) } catch (e) { return [e.code, e.tool, e.message, e.hint] }`,
      calls: [{ error: "ERR_UPSTREAM_TIMEOUT" }],
      result: '["ERR_UPSTREAM_TIMEOUT","pay.get","It failed","Wait"]',
    });
    assert.equal(report.verdict, "identical", JSON.stringify(report.divergence));
  });
});

Deno.test("a record without a seed says that chance may explain a difference", async () => {
  await withPool({ isolation: "realm" }, async (pool) => {
    const report = await replayRecorded(pool, {
      code: "return Math.random()",
      calls: [],
      result: "0.5",
    });
    assert.equal(report.verdict, "diverged");
    assert.equal(report.seeded, false);
  });
});

Deno.test("a program that waits for an answer it never got ends as it did, or is said to differ", async () => {
  await withPool({ isolation: "realm" }, async (pool) => {
    const wallTimeMs = 300;
    const message = "The program ran longer than 300 ms";
    const report = await replayRecorded(pool, {
      code: "while (true) await sleep(1_000)",
      calls: [],
      wallTimeMs,
      end: {
        result: { status: "timeout" },
        err: { code: "ERR_SANDBOX_WALL_TIME", message },
      },
    });
    assert.equal(report.verdict, "identical", JSON.stringify(report.divergence));
    const cancelled = await replayRecorded(pool, {
      code: "while (true) await sleep(1_000)",
      calls: [],
      end: {
        result: { status: "cancelled" },
        err: { code: "ERR_CANCELLED", message: "The execution was cancelled" },
        ms: { total: 80 },
      },
    });
    assert.equal(cancelled.verdict, "identical", JSON.stringify(cancelled.divergence));
  });
});
