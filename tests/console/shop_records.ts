import type { AuditEvent, AuditRecord } from "../../src/model/event.ts";

/** The moment at which the fixture's pages are looked at. */
export const SHOP_NOW = Date.parse("2026-05-18T09:42:10.000Z");

export const EXECUTIONS = {
  ok: "019ee8f1-6a10-7b52-9c3e-4d81f0a2c7e5",
  denied: "019ee8f5-a8d2-7e01-8f46-b39c05d1e8a2",
  failed: "019ee8f9-9bc4-74af-b0d7-2e6a91f3c40b",
  running: "019ee8fa-7d5e-7c18-a5e2-90f7b64d13c8",
} as const;

/** Places events in one chain, a little after another. */
export function chainOf(events: readonly (AuditEvent & { readonly at: number })[]): AuditRecord[] {
  return events.map(({ at, ...event }, seq) => ({
    ...event,
    v: 1,
    chain: "main",
    seq,
    ts: new Date(at).toISOString(),
    prev: "0".repeat(64),
  }));
}

const BUNDLE = "9a".repeat(32);

export function actor(sub: string): NonNullable<AuditEvent["actor"]> {
  return { sub, iss: "keys", client: `0123${sub}`, groups: ["ops"], scopes: ["search", "execute"] };
}

/** A morning of a made-up shop: executions that went well, were denied, failed, and still run. */
export function shopRecords(): AuditRecord[] {
  const at = (ago: number) => SHOP_NOW - ago;
  return chainOf([
    {
      at: at(900_000),
      kind: "policy.activate",
      decision: { effect: "allow", because: [], bundle: BUNDLE },
      detail: { source: "policies/demo.yaml", name: "demo" },
    },
    {
      at: at(880_000),
      kind: "auth.fail",
      detail: { path: "/mcp", reason: "Cannot authenticate: the credential is not valid" },
    },
    {
      at: at(601_000),
      kind: "search",
      space: "default",
      actor: actor("ada"),
      result: { status: "ok", bytes: 2_310 },
      detail: { query: "orders of a customer", hits: 5, total: 12 },
    },
    ...execution(EXECUTIONS.ok, "ada", at(600_000), "ok", [
      { tool: "orders.list", effect: "allow", ms: 212, offset: 14 },
      { tool: "customers.batchGet", effect: "allow", ms: 96, offset: 230 },
    ]),
    ...execution(EXECUTIONS.denied, "nightly-report", at(320_000), "denied", [
      { tool: "orders.list", effect: "allow", ms: 180, offset: 9 },
      { tool: "customers.batchGet", effect: "allow", ms: 88, offset: 194 },
      { tool: "orders.update", effect: "deny", ms: 1.4, offset: 286 },
    ]),
    ...execution(EXECUTIONS.failed, "grace", at(61_000), "error", [
      { tool: "orders.list", effect: "allow", ms: 40, offset: 10 },
      { tool: "orders.refund", effect: "ask", ms: 2, offset: 55 },
      { tool: "payroll.pay", effect: "hidden", ms: 1, offset: 60 },
    ]),
    ...execution(EXECUTIONS.running, "ada", at(3_400), null, [
      { tool: "orders.list", effect: "allow", ms: 212, offset: 14 },
    ]),
  ]);
}

interface ShopCall {
  readonly tool: string;
  readonly effect: "allow" | "ask" | "deny" | "hidden";
  readonly ms: number;
  readonly offset: number;
}

const REFUSALS = {
  ask: {
    because: ["refund"],
    code: "ERR_APPROVAL_REQUIRED",
    message: 'Calling "orders.refund" needs the approval of owner (refund)',
  },
  deny: {
    because: ["no-cancelling"],
    code: "ERR_POLICY_DENIED",
    message: "Set another status, or leave a note that asks a person to cancel the order.",
  },
  hidden: {
    because: ["no-such-tool"],
    code: "ERR_TOOL_NOT_FOUND",
    message: 'Tool "payroll.pay" does not exist',
  },
} as const;

/** @param status null while it runs. */
export function execution(
  id: string,
  sub: string,
  start: number,
  status: string | null,
  calls: readonly ShopCall[],
): (AuditEvent & { readonly at: number })[] {
  const base = { space: "default", actor: actor(sub), execution: id };
  const code = { sha256: "3b".repeat(32), bytes: 512 };
  const events: (AuditEvent & { readonly at: number })[] = [
    { at: start, kind: "execution.start", ...base, code },
  ];
  for (const [index, call] of calls.entries()) {
    events.push(...callEvents(base, id, start, call, index));
  }
  if (status === null) return events;
  const end = start + 420;
  events.push({
    at: end,
    kind: "execution.end",
    ...base,
    code,
    result: { status, bytes: 380, commit: "c".repeat(64), tokensKeptOut: 48_200 },
    ms: { total: 420 },
    ...(status === "ok" ? {} : {
      err: {
        code: status === "denied" ? "ERR_POLICY_DENIED" : "ERR_PROGRAM",
        message: status === "denied"
          ? 'Policy denies "orders.update" (no-cancelling)'
          : "Cannot read properties of undefined (reading 'city')",
      },
    }),
    detail: {
      calls: calls.length,
      cpuMs: 31.5,
      tokensReturned: 210,
      ...(status === "error" ? { line: 6 } : {}),
    },
  });
  return events;
}

function callEvents(
  base: AuditEvent | Omit<AuditEvent, "kind">,
  id: string,
  start: number,
  call: ShopCall,
  index: number,
): (AuditEvent & { readonly at: number })[] {
  const [server = "", name = ""] = call.tool.split(".");
  const refusal = call.effect === "allow" ? null : REFUSALS[call.effect];
  const common = {
    ...base,
    call: `${id}:${index}`,
    tool: {
      server,
      name,
      access: name === "list" || name === "batchGet" ? "read" : "write",
      pin: "5f".repeat(32),
    } as const,
    decision: { effect: call.effect, because: refusal?.because ?? ["read"], bundle: BUNDLE },
  };
  const at = start + call.offset;
  const outcome = {
    ...common,
    at: at + call.ms,
    kind: "call.outcome",
    ms: { total: call.ms, policy: 0.12, ...(refusal === null ? { upstream: call.ms * 0.8 } : {}) },
    ...(refusal === null ? { result: { status: "ok", bytes: 48_000 }, cost: 0.002 } : {
      result: { status: refusal.code },
      err: { code: refusal.code, message: refusal.message },
      args: { commit: "a".repeat(64), bytes: 42 },
    }),
  } as const;
  if (refusal !== null) return [outcome];
  return [
    { ...common, at, kind: "call.intent", args: { commit: "b".repeat(64), bytes: 22 } },
    outcome,
  ];
}
