/**
 * The gate without a sandbox: cost of one call from `callTool()` to its durable outcome over Deno
 * KV, compared with the bare upstream call in the same run.
 */
import { openAuditLog } from "../src/audit/audit_log.ts";
import { ConfigSchema } from "../src/config/schema.ts";
import type { Principal } from "../src/model/principal.ts";
import type { Tool } from "../src/model/tool.ts";
import type { UpstreamAnswer } from "../src/model/upstream.ts";
import { parsePolicy } from "../src/policy/file/parse_policy.ts";
import { compilePolicy } from "../src/policy/policy.ts";
import { openStore } from "../src/store/open_store.ts";
import { callTool } from "../src/supervisor/call/call_tool.ts";
import { createOutputGate } from "../src/supervisor/call/output_gate.ts";
import { createQuotaGate } from "../src/supervisor/call/quota_gate.ts";
import type { CallToolDeps } from "../src/supervisor/call/tool_call.ts";
import type { ExecutionContext } from "../src/supervisor/execution_context.ts";
import { createQuotas } from "../src/usage/quota.ts";

const CONCURRENCIES = [1, 8, 64];
const CALLS = 4_000;

const policyText = `
version: 1
name: bench
tools: { pay: { read: [get], write: [refund] } }
rules:
  - { id: read, allow: read }
  - { id: refunds, allow: write, tools: [pay.refund], when: "args.amount <= 100" }
output: { redact: [secrets, email] }
`;

const tool: Tool = {
  id: "pay.refund",
  server: "pay",
  name: "refund",
  serverIdentifier: "pay",
  identifier: "refund",
  kind: "tool",
  title: "Refund",
  description: "",
  inputSchema: {
    type: "object",
    properties: { amount: { type: "number" }, customer: { type: "string" } },
    required: ["amount"],
    additionalProperties: false,
  },
  outputSchema: null,
  hints: {},
  tags: [],
  http: null,
  pin: "00",
};

const principal: Principal = {
  sub: "bench",
  issuer: "none",
  client: "bench",
  claims: {},
  scopes: [],
  spaces: null,
};

const answer: UpstreamAnswer = {
  content: [],
  structuredContent: {
    id: "r1",
    state: "done",
    lines: Array.from({ length: 20 }, (_, i) => ({ i })),
  },
  isError: false,
  bytes: 400,
  credential: "none",
};

const folder = await Deno.makeTempDir({ prefix: "toolgate-bench-" });
const config = ConfigSchema.parse({});
const store = await openStore(`kv:${folder}/bench.kv`);
const audit = await openAuditLog({ store, chain: "main", config: config.audit, keysPath: null });
const { policy } = compilePolicy(parsePolicy([{ path: "bench.yaml", text: policyText }]), [tool]);
const snapshot = {
  revision: 1,
  tools: new Map([[tool.id, tool]]),
  servers: new Map(),
  quarantined: [],
};
const deps: CallToolDeps = {
  now: () => performance.now(),
  snapshot: () => snapshot,
  policy: () => policy,
  audit,
  upstreams: { call: () => Promise.resolve(answer) },
  quotas: createQuotaGate(createQuotas({ store, now: Date.now }), Date.now),
  output: createOutputGate(),
  countTokens: (text) => text.length / 4,
  observeResult: () => {},
};

function contextOf(id: string): ExecutionContext {
  return {
    id,
    principal,
    space: "default",
    task: null,
    traceparent: null,
    span: null,
    limits: config.limits,
    dryRun: false,
    signal: new AbortController().signal,
    taint: { tainted: false, sources: new Set() },
    recorded: [],
    start: { refused: null },
    sent: new Map(),
    program: { startedAt: 0, heardAtMs: new Map() },
    planned: [],
  };
}

function percentile(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
}

/** Runs `CALLS` calls, some at once, and prints the time of one call and the calls per second. */
async function measure(
  name: string,
  concurrency: number,
  call: (index: number) => Promise<unknown>,
) {
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (next < CALLS) {
      const index = next++;
      const from = performance.now();
      await call(index);
      times.push(performance.now() - from);
    }
  }));
  const perSecond = Math.round(CALLS / (performance.now() - started) * 1000);
  times.sort((a, b) => a - b);
  console.log(
    `${name.padEnd(24)} ${String(concurrency).padStart(4)}  ${
      percentile(times, 0.5).padStart(8)
    }  ${percentile(times, 0.95).padStart(8)}  ${String(perSecond).padStart(9)}`,
  );
}

const gated = async (index: number) => {
  const context = contextOf(`bench-${index}`);
  const outcome = await callTool(deps, context, {
    server: "pay",
    tool: "refund",
    index: 0,
    args: { amount: 40, customer: "c1" },
    signal: new AbortController().signal,
  });
  if (!outcome.ok) throw new Error(outcome.error.message);
  await Promise.all(context.recorded);
};

try {
  console.log("case                   at once    p50 ms    p95 ms    calls/s");
  for (const concurrency of CONCURRENCIES) {
    await measure("audited call, kv", concurrency, gated);
    await measure(
      "audit record alone, kv",
      concurrency,
      () => audit.append({ kind: "admin", detail: { type: "bench" } }),
    );
  }
  const decide = performance.now();
  for (let index = 0; index < 100_000; index++) {
    policy.decide({
      principal,
      space: "default",
      tool,
      args: { amount: index % 200 },
      execution: { tainted: false, sources: [] },
    });
  }
  const micros = (performance.now() - decide) / 100;
  console.log(`policy decision with a condition: ${micros.toFixed(2)} µs`);
} finally {
  await audit.close();
  await store.close();
  await Deno.remove(folder, { recursive: true });
}
