import type { AuditPayloads } from "../../../../src/audit/payloads/payload_box.ts";
import { LimitsSchema } from "../../../../src/config/schema.ts";
import type { CatalogSnapshot } from "../../../../src/model/catalog.ts";
import type { Decision } from "../../../../src/model/decision.ts";
import type { AuditEvent } from "../../../../src/model/event.ts";
import type { UpstreamAnswer } from "../../../../src/model/upstream.ts";
import type { Policy } from "../../../../src/policy/policy.ts";
import { callEvent } from "../../../../src/supervisor/call/call_events.ts";
import type {
  CheckedCall,
  FoundCall,
  IntendedCall,
  Passage,
  PermittedCall,
  ReservedCall,
  SentCall,
} from "../../../../src/supervisor/call/passage.ts";
import type { ToolCall } from "../../../../src/supervisor/call/tool_call.ts";
import type { ExecutionContext } from "../../../../src/supervisor/execution_context.ts";
import { makePrincipal, makeTool } from "../../../policy/sample_tools.ts";

export const TOOL = makeTool("pay", "refund", {
  inputSchema: {
    type: "object",
    properties: { amount: { type: "number" } },
    additionalProperties: false,
  },
});

export const ALLOWED: Decision & { readonly effect: "allow" } = {
  effect: "allow",
  access: "write",
  because: ["refunds"],
  message: "",
  approval: null,
  approvals: [],
  observed: null,
};

/** A policy that allows everything, with what a test changes of it. */
export function policyOf(overrides: Partial<Policy> = {}): Policy {
  const policy: Policy = {
    name: "test",
    digest: "digest",
    mode: "enforce",
    spaces: ["default"],
    groups: () => [],
    canEnter: () => true,
    countedIn: () => [],
    classify: () => "write",
    visibility: () => ({ access: "write", effect: "allow" }),
    decide: () => ALLOWED,
    explain() {
      throw new Error("No step explains");
    },
    price: () => 0,
    isUntrusted: () => false,
    limits: [],
    limitsFor: () => [],
    output: { redact: [], schema: "off" },
    tests: [],
    enforced: () => policy,
    ...overrides,
  };
  return policy;
}

export function snapshotOf(overrides: Partial<CatalogSnapshot> = {}): CatalogSnapshot {
  return {
    revision: 1,
    tools: new Map([[TOOL.id, TOOL]]),
    servers: new Map(),
    quarantined: [],
    ...overrides,
  };
}

export function contextOf(overrides: Partial<ExecutionContext> = {}): ExecutionContext {
  return {
    id: "e1",
    principal: makePrincipal(),
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

/** What enters the gate. */
export function passageOf(
  { call = {}, context = contextOf(), policy = policyOf() }: {
    readonly call?: Partial<ToolCall>;
    readonly context?: ExecutionContext;
    readonly policy?: Policy;
  } = {},
): Passage {
  const { signal } = new AbortController();
  return {
    context,
    call: { server: "pay", tool: "refund", index: 0, args: { amount: 40 }, signal, ...call },
    policy,
    startedAt: 0,
    base: callEvent(context, 0, policy),
  };
}

export function foundOf(passage = passageOf(), tool = TOOL): FoundCall {
  return { ...passage, snapshot: snapshotOf(), tool };
}

export function checkedOf(passage = passageOf(), tool = TOOL): CheckedCall {
  const { args } = passage.call;
  return { ...foundOf(passage, tool), args, argsText: JSON.stringify(args), checkedFrom: 0 };
}

export function permittedOf(passage = passageOf(), tool = TOOL): PermittedCall {
  return { ...checkedOf(passage, tool), decision: ALLOWED };
}

/** @param order hears how the reservation ends. */
export function reservedOf(order: string[], passage = passageOf(), tool = TOOL): ReservedCall {
  const ends = (how: string) => {
    order.push(how);
    return Promise.resolve(null);
  };
  const quota = {
    settle: ({ bytes, tokens }: { readonly bytes: number; readonly tokens: number }) =>
      ends(`settle ${bytes} ${tokens}`),
    refund: () => ends("refund"),
  };
  return { ...permittedOf(passage, tool), quota, policyMs: 1.23456 };
}

export function intendedOf(order: string[], passage = passageOf(), tool = TOOL): IntendedCall {
  return { ...reservedOf(order, passage, tool), idempotencyKey: "e1:0" };
}

export function sentOf(
  order: string[],
  reply: SentCall["reply"],
  passage = passageOf(),
): SentCall {
  const span = { traceparent: null, end: (code: string | null) => void order.push(`span ${code}`) };
  return { ...intendedOf(order, passage), reply, upstreamMs: 7, span };
}

export function answerOf(overrides: Partial<UpstreamAnswer> = {}): UpstreamAnswer {
  return {
    content: [],
    structuredContent: { ok: true },
    isError: false,
    bytes: 10,
    credential: "none",
    ...overrides,
  };
}

/** A clock that stands still, and a log that keeps what it is given. */
export function recorder(order: string[] = []) {
  const events: AuditEvent[] = [];
  const payloads: AuditPayloads[] = [];
  const audit = {
    append(event: AuditEvent, secrets: AuditPayloads = {}) {
      order.push(event.kind);
      events.push(event);
      payloads.push(secrets);
      return Promise.resolve({ ...event, v: 1 as const, chain: "c", seq: 0, ts: "", prev: "" });
    },
  };
  return { deps: { now: () => 5, audit }, events, payloads, order };
}
