import fc from "fast-check";
import assert from "node:assert/strict";
import { LimitsSchema } from "../../src/config/schema.ts";
import { formOfRecord, toQuestion } from "../../src/console/explain_form.ts";
import { readRecordedCall } from "../../src/operations/recorded_call.ts";
import type { AuditEvent, AuditRecord } from "../../src/model/event.ts";
import { API_KEYS, type Principal } from "../../src/model/principal.ts";
import { verdictOf } from "../../src/model/verdict.ts";
import { explainNotes } from "../../src/policy/explain_notes.ts";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { principalInGroups } from "../../src/policy/principal_facts.ts";
import { openStore } from "../../src/store/open_store.ts";
import { callTool } from "../../src/supervisor/call/call_tool.ts";
import { explainGate, type ExplainGateDeps } from "../../src/supervisor/call/explain_gate.ts";
import { createQuotaGate } from "../../src/supervisor/call/quota_gate.ts";
import { createQuotas } from "../../src/usage/quota.ts";
import { makePrincipal, makeTool, objectSchema } from "../policy/sample_tools.ts";
import { callOf, contextOf, setUpGate } from "./gate_fixture.ts";

const TOOLS = [
  makeTool("pay", "get", { inputSchema: objectSchema({ id: { type: "string" } }) }),
  makeTool("pay", "refund", { inputSchema: objectSchema({ amount: { type: "number" } }) }),
  makeTool("mail", "send"),
  makeTool("web", "fetch"),
];
const RULES = [
  "{ id: read, allow: read }",
  "{ id: blocked, allow: write, for: [finance], when: 'args.amount < 100' }",
  "{ id: write, allow: write, for: [finance, ci, ann] }",
  "{ id: scoped, allow: write, scopes: [pay] }",
  "{ id: big, ask: write, when: 'has(args.amount) && args.amount > 50', by: leads, message: 'Ok?' }",
  "{ id: tainted, deny: write, when: exec.tainted }",
  "{ id: after-web, deny: read, when: '\"web\" in exec.sources', tools: [pay.get] }",
  "{ id: no-ci, deny: write, for: [ci], tools: [mail.*] }",
  "{ id: shadow, deny: read, observe: true }",
  "{ id: twice, ask: read, when: exec.tainted, tools: [web.*], by: leads, message: 'Again?' }",
  '{ id: named, allow: write, when: \'user.sub == "ann" && "leads" in user.groups\' }',
];
const LIMITS = [
  "{ id: run, per: execution, max: 3, unit: calls }",
  "{ id: hourly, per: user, max: 5, unit: calls, every: 1h }",
  "{ id: sum, per: tenant, max: 120, unit: args.amount, every: 1d, tools: [pay.refund] }",
  "{ id: team, per: group, max: 8, unit: calls, every: 1d, for: [finance], over: ask, by: leads }",
];
const SPACES = `spaces:
  money: { for: [finance, leads], tools: [pay.*] }
  web: { tools: [web.*, mail.send] }
`;

const policies = fc.record({
  rules: fc.subarray(RULES, { minLength: 1 }),
  limits: fc.subarray(LIMITS),
  hasSpaces: fc.boolean(),
  mode: fc.constantFrom("enforce", "enforce", "observe"),
}).map(({ rules, limits, hasSpaces, mode }) =>
  `version: 1
name: made
mode: ${mode}
groups:
  finance: { claim: groups, has: acme-finance }
  leads: { claim: roles.names, has: lead }
  ci: { client: ci-bot }
  ann: { sub: ann }
  legacy: { claim: groups, has: finance }
tools: { pay: { read: [get], write: [refund] }, mail: { write: [send] }, web: { read: [fetch], untrusted: true } }
${hasSpaces ? SPACES : ""}rules:
${rules.map((rule) => `  - ${rule}`).join("\n")}
${limits.length === 0 ? "" : `limits:\n${limits.map((limit) => `  - ${limit}`).join("\n")}\n`}`
);

const principals = fc.record({
  groups: fc.subarray(["acme-finance", "finance", "other"]),
  roles: fc.subarray(["lead"]),
  scopes: fc.subarray(["pay", "execute", "admin"]),
  who: fc.constantFrom(["ann", "agent"], ["bob", "ci-bot"], ["ci-bot", "key-1"]),
});
const calls = fc.array(
  fc.record({
    tool: fc.constantFrom("pay.get", "pay.refund", "mail.send", "web.fetch", "pay.old", "no.such"),
    args: fc.oneof(
      fc.constant({}),
      fc.record({ amount: fc.integer({ min: -5, max: 120 }) }),
      fc.constantFrom({ amount: "5" }, { id: "x" }, { id: 3 }),
    ),
  }),
  { minLength: 1, maxLength: 6 },
);

Deno.test("explain answers what the gate then does, asked by claims and from the record", async () => {
  await fc.assert(
    fc.asyncProperty(
      policies,
      principals,
      fc.constantFrom("default", "money"),
      calls,
      async (text, asked, space, made) => {
        const [sub = "", client = ""] = asked.who;
        const principal = makePrincipal({
          sub,
          client,
          issuer: sub === "ci-bot" ? API_KEYS : "https://login.example",
          claims: { groups: asked.groups, roles: { names: asked.roles } },
          scopes: asked.scopes,
        });
        await compare(text, principal, space, made);
      },
    ),
    { numRuns: 400 },
  );
});

async function compare(
  policyText: string,
  principal: Principal,
  space: string,
  made: readonly { readonly tool: string; readonly args: unknown }[],
): Promise<void> {
  const quotas = createQuotas({ store: await openStore("memory:"), now: () => 1_000 });
  const { deps, policy, events } = setUpGate(policyText, TOOLS, {
    quotas: createQuotaGate(quotas, () => 1_000),
    snapshot: () => SNAPSHOT,
  });
  const { groups } = parsePolicy([{ path: "p.yaml", text: policyText }]);
  const explaining: ExplainGateDeps = {
    policy: {
      explain({ as, issuer, call, tool = makeTool("no", "such"), ...asked }) {
        const principal = principalInGroups(as, issuer, groups);
        const notes = explainNotes({ as, call }, groups, TOOLS);
        return { ...policy.explain({ ...asked, principal, tool }), principal, notes };
      },
      status: () => ({
        source: "",
        name: "",
        digest: "",
        since: "2026-04-01T00:00:00.000Z",
        problems: [],
        rejected: null,
      }),
    },
    catalog: () => Promise.resolve({ snapshot: () => SNAPSHOT, listed: () => OLD }),
    quotas,
    limits: LimitsSchema.parse({}),
  };
  const context = contextOf(principal, { space });
  for (const [index, { tool, args }] of made.entries()) {
    const byClaims = await explainGate(explaining, {
      as: {
        sub: principal.sub,
        client: principal.client,
        claims: principal.claims as { [claim: string]: never },
        scopes: [...principal.scopes],
      },
      issuer: principal.issuer,
      call: tool,
      args,
      space,
      execution: { tainted: context.taint.tainted, sources: [...context.taint.sources] },
      executionId: context.id,
    });
    const before = events.length;
    // The counters as they were before the call, for the explanation of its record.
    await callTool(deps, context, { ...callOf(tool, args), index });
    const outcome = events.findLast(({ kind }) => kind === "call.outcome") as AuditEvent;
    const decided = verdictOf(outcome)?.effect;
    const what = JSON.stringify({ tool, args, policyText, principal, space });
    assert.equal(byClaims.gateEffect, decided, what);
    // Everything but what is counted is the same when it is asked from the record.
    const fromRecord = await explainRecord(explaining, events, `${context.id}:${index}`, args);
    const isCounted = byClaims.gateEffect === "allow" || events.slice(before).some(isLimit);
    if (fromRecord !== null && !isCounted) assert.equal(fromRecord.gateEffect, decided, what);
    if (fromRecord !== null) {
      assert.deepEqual(fromRecord.decision, byClaims.decision, what);
      assert.deepEqual(fromRecord.groups, byClaims.groups, what);
    }
  }
}

/** As the console asks: the form that a record fills in. */
async function explainRecord(
  deps: ExplainGateDeps,
  events: readonly AuditEvent[],
  call: string,
  args: unknown,
) {
  const records = events.map((event, seq): AuditRecord => ({
    ...event,
    ...(event.kind === "call.intent" ? { args: { commit: "", bytes: 2 } } : {}),
    v: 1,
    chain: "c",
    seq,
    ts: "2026-01-01T00:00:00.000Z",
    prev: "",
  }));
  const log = {
    query: () => Promise.resolve({ records: records.toReversed() }),
    payloads: () => Promise.resolve(null),
  };
  const recorded = await readRecordedCall(log, call, true);
  assert.ok(recorded !== null);
  // Records of calls that no rule decided do not say what the program had seen.
  if (recorded.policyDigest === null || recorded.verdict?.effect === "hidden") return null;
  if (recorded.verdict?.effect === "refused" && recorded.tool === "pay.old") return null;
  const asked = toQuestion(formOfRecord({ ...recorded, argsText: JSON.stringify(args) }));
  assert.ok("question" in asked);
  return await explainGate(deps, asked.question);
}

function isLimit({ kind }: AuditEvent): boolean {
  return kind === "limit.hit";
}

const OLD = makeTool("pay", "old");
const SNAPSHOT = {
  revision: 1,
  tools: new Map(TOOLS.map((tool) => [tool.id, tool])),
  servers: new Map(),
  quarantined: [{ server: "pay", name: "old", reason: "drift" as const, detail: "It changed" }],
};
