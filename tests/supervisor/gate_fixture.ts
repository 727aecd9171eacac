import { LimitsSchema } from "../../src/config/schema.ts";
import type { AuditEvent } from "../../src/model/event.ts";
import type { Principal } from "../../src/model/principal.ts";
import type { Tool } from "../../src/model/tool.ts";
import type { UpstreamAnswer, UpstreamCall } from "../../src/model/upstream.ts";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import { createOutputGate } from "../../src/supervisor/call/output_gate.ts";
import type { CallToolDeps } from "../../src/supervisor/call/tool_call.ts";
import type { ExecutionContext } from "../../src/supervisor/execution_context.ts";

export function answerOf(value: unknown): UpstreamAnswer {
  return { content: [], structuredContent: value, isError: false, bytes: 10, credential: "none" };
}

/** The gate over recorders: what reached the audit and the upstream, in order. */
export function setUpGate(
  policyText: string,
  tools: readonly Tool[],
  overrides: Partial<CallToolDeps> = {},
) {
  const order: string[] = [];
  const events: AuditEvent[] = [];
  const calls: UpstreamCall[] = [];
  const policy = compilePolicy(parsePolicy([{ path: "p.yaml", text: policyText }]), tools).policy;
  const snapshot = {
    revision: 1,
    tools: new Map(tools.map((entry) => [entry.id, entry])),
    servers: new Map(),
    quarantined: [],
  };
  const deps: CallToolDeps = {
    now: () => 0,
    snapshot: () => snapshot,
    policy: () => policy,
    audit: {
      append(event) {
        order.push(event.kind);
        events.push(event);
        return Promise.resolve({ ...event, v: 1, chain: "c", seq: 0, ts: "", prev: "" });
      },
    },
    upstreams: {
      call(call) {
        order.push("upstream");
        calls.push(call);
        return Promise.resolve(answerOf({ ok: true }));
      },
    },
    quotas: {
      reserve() {
        order.push("reserve");
        return Promise.resolve({
          ok: true,
          quota: {
            settle: () => Promise.resolve(void order.push("settle")),
            refund: () => Promise.resolve(void order.push("refund")),
          },
        });
      },
    },
    output: createOutputGate(),
    observeResult: () => {},
    countTokens: (text) => text.length / 4,
    ...overrides,
  };
  return { deps, policy, order, events, calls };
}

export function contextOf(
  principal: Principal,
  overrides: Partial<ExecutionContext> = {},
): ExecutionContext {
  return {
    id: "e1",
    principal,
    space: "default",
    task: null,
    traceparent: null,
    program: { startedAt: 0, heardAtMs: new Map() },
    span: null,
    limits: LimitsSchema.parse({}),
    dryRun: false,
    signal: new AbortController().signal,
    taint: { tainted: false, sources: new Set() },
    recorded: [],
    start: { refused: null },
    sent: new Map(),
    planned: [],
    ...overrides,
  };
}

export function callOf(id: string, args: unknown = {}) {
  const [server = "", name = ""] = id.split(".");
  return { server, tool: name, index: 0, args, signal: new AbortController().signal };
}
