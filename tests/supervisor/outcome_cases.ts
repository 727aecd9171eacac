import { LimitsSchema } from "../../src/config/schema.ts";
import { type ErrorCode, GateError } from "../../src/model/errors.ts";
import type { AuditEvent } from "../../src/model/event.ts";
import { callTool } from "../../src/supervisor/call/call_tool.ts";
import type { CallOutcome, CallToolDeps } from "../../src/supervisor/call/tool_call.ts";
import type { ExecutionContext } from "../../src/supervisor/execution_context.ts";
import { makePrincipal, makeTool } from "../policy/sample_tools.ts";
import { answerOf, callOf, contextOf, setUpGate } from "./gate_fixture.ts";

const POLICY = `
version: 1
name: test
groups: { finance: { claim: groups, has: finance } }
tools: { pay: { read: [get], write: [refund, send] } }
rules:
  - { id: read, allow: read }
  - { id: refunds, allow: write, tools: [pay.refund], for: [finance] }
  - { id: blocked, deny: write, tools: [pay.refund], when: 'has(args.currency) && args.currency == "EUR"' }
  - { id: big, ask: write, tools: [pay.refund], when: 'has(args.amount) && args.amount > 1000', by: finance, message: "Refund?" }
`;
const TOOLS = [
  makeTool("pay", "get", {
    inputSchema: { type: "object", properties: { id: { type: "string" } } },
  }),
  makeTool("pay", "refund", {
    inputSchema: {
      type: "object",
      properties: { amount: { type: "number" }, currency: { type: "string" } },
    },
  }),
  makeTool("pay", "send"),
];
const FINANCE = makePrincipal({ claims: { groups: ["finance"] } });

/** One way in which a call ends, and what is said of it. */
export interface OutcomeCase {
  readonly what: string;
  readonly call: string;
  readonly args?: unknown;
  readonly deps?: Partial<CallToolDeps>;
  readonly context?: Partial<ExecutionContext>;
  readonly effect: string;
  readonly reasons: string;
}

const failing = (code: ErrorCode): Partial<CallToolDeps> => ({
  upstreams: { call: () => Promise.reject(new GateError(code, "No", { hint: "" })) },
});
export const overLimit = (code: ErrorCode): Partial<CallToolDeps> => ({
  quotas: {
    reserve: () =>
      Promise.resolve({
        ok: false,
        limit: "refund-day",
        freesAt: null,
        error: new GateError(code, "Used up", { hint: "" }),
      }),
  },
});
const quarantined = (reason: "pending" | "drift" | "blocked"): Partial<CallToolDeps> => ({
  snapshot: () => ({
    revision: 1,
    tools: new Map(),
    servers: new Map(),
    quarantined: [{ server: "pay", name: "refund", reason, detail: "" }],
  }),
});

/** Every way in which the gate ends a call. */
export const OUTCOME_CASES: readonly OutcomeCase[] = [
  { what: "it worked", call: "pay.refund", effect: "allow", reasons: "rule refunds" },
  {
    what: "a limit is used up",
    call: "pay.refund",
    deps: overLimit("ERR_LIMIT_REACHED"),
    effect: "refused",
    reasons: "limit refund-day, rule refunds",
  },
  {
    what: "a limit wants a person",
    call: "pay.refund",
    deps: overLimit("ERR_APPROVAL_REQUIRED"),
    effect: "ask",
    reasons: "limit refund-day, rule refunds",
  },
  {
    what: "a limit cannot count the arguments",
    call: "pay.refund",
    deps: overLimit("ERR_INVALID_ARGUMENTS"),
    effect: "refused",
    reasons: "limit refund-day, rule refunds",
  },
  {
    what: "the arguments do not fit the schema",
    call: "pay.refund",
    args: { amount: "1" },
    effect: "refused",
    reasons: "its arguments",
  },
  {
    what: "the arguments are not an object",
    call: "pay.refund",
    args: [1],
    effect: "refused",
    reasons: "its arguments",
  },
  {
    what: "the arguments are too large",
    call: "pay.get",
    args: { id: "x".repeat(2_000) },
    context: { limits: { ...LimitsSchema.parse({}), toolArgumentBytesMax: 1_000 } },
    effect: "refused",
    reasons: "its arguments",
  },
  {
    what: "the definition drifted",
    call: "pay.refund",
    deps: quarantined("drift"),
    effect: "refused",
    reasons: "its definition changed since it was approved",
  },
  {
    what: "the definition is new",
    call: "pay.refund",
    deps: quarantined("pending"),
    effect: "refused",
    reasons: "its definition was never approved",
  },
  {
    what: "an operator blocked the tool",
    call: "pay.refund",
    deps: quarantined("blocked"),
    effect: "refused",
    reasons: "an operator blocked it",
  },
  {
    what: "a rule that is called as a pin's word denies",
    call: "pay.refund",
    args: { currency: "EUR" },
    effect: "deny",
    reasons: "rule blocked, rule refunds",
  },
  {
    what: "a rule asks",
    call: "pay.refund",
    args: { amount: 2_000 },
    effect: "ask",
    reasons: "rule big, rule refunds",
  },
  {
    what: "the tool is hidden",
    call: "pay.send",
    effect: "hidden",
    reasons: "hidden from this principal",
  },
  { what: "there is no such tool", call: "pay.x", effect: "hidden", reasons: "no such tool" },
  ...(["ERR_UPSTREAM_UNREACHABLE", "ERR_UPSTREAM_TIMEOUT", "ERR_CREDENTIAL", "ERR_BUSY"] as const)
    .map((code): OutcomeCase => ({
      what: code,
      call: "pay.refund",
      deps: failing(code),
      effect: "failed",
      reasons: "rule refunds",
    })),
  {
    what: "the upstream refuses the arguments",
    call: "pay.refund",
    deps: failing("ERR_INVALID_ARGUMENTS"),
    effect: "failed",
    reasons: "rule refunds",
  },
  {
    what: "it may have happened",
    call: "pay.refund",
    deps: failing("ERR_OUTCOME_UNKNOWN"),
    effect: "unknown",
    reasons: "rule refunds",
  },
  {
    what: "it was cancelled",
    call: "pay.refund",
    deps: failing("ERR_CANCELLED"),
    effect: "cancelled",
    reasons: "rule refunds",
  },
  {
    what: "the tool itself reports an error",
    call: "pay.refund",
    deps: { upstreams: { call: () => Promise.resolve({ ...answerOf(1), isError: true }) } },
    effect: "failed",
    reasons: "rule refunds",
  },
  {
    what: "the result is not let through",
    call: "pay.refund",
    deps: {
      output: {
        check: () => ({ error: new GateError("ERR_UPSTREAM_RESULT", "Too large", { hint: "" }) }),
        redactText: (_policy, text) => text,
        redactValue: (_policy, value) => value,
      },
    },
    effect: "failed",
    reasons: "rule refunds",
  },
  {
    what: "a dry run",
    call: "pay.refund",
    context: { dryRun: true },
    effect: "planned",
    reasons: "rule refunds",
  },
];

/** Makes the call of a case through the gate; answers what the gate recorded. */
export async function makeCallOf(
  { call, args, deps, context }: Pick<OutcomeCase, "call" | "args" | "deps" | "context">,
): Promise<{ readonly outcome: CallOutcome; readonly events: readonly AuditEvent[] }> {
  const gate = setUpGate(POLICY, TOOLS, deps);
  const outcome = await callTool(gate.deps, contextOf(FINANCE, context), callOf(call, args));
  return { outcome, events: gate.events };
}
