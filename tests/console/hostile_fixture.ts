import type { ConsoleDeps } from "../../src/console/console_deps.ts";
import type { ExecutionView } from "../../src/operations/show_execution.ts";
import type { Principal } from "../../src/model/principal.ts";
import { recordKey } from "../../src/model/record_key.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import { makeTool } from "../policy/sample_tools.ts";
import { consoleFixture, type Fixture, PEOPLE } from "./console_fixture.ts";
import { chainOf, SHOP_NOW } from "./shop_records.ts";
import { usageRow } from "./console_fixture.ts";

/** Breaks out of text, of an attribute, of a script, of a comment, of a table; loads, runs and listens. */
export const HOSTILE =
  `"'></td></table></script><script>alert(1)</script><img src=x onerror=alert(2)>` +
  `<svg onload=alert(3)>" onfocus="alert(4)" autofocus="<!--${"${7*7}"}{{constructor}}` +
  `" hx-get="/console/audit" hx-trigger="load" javascript:alert(5)//\u202Eevil\u2066\u0000`;

/** Everything of the hostile text that must never be markup. */
export const LIVE_MARKUP = [
  "<script>alert",
  "<img src=x",
  "<svg onload",
  '" onfocus="alert',
  '" hx-get="/console/audit" hx-trigger="load"',
  "</td></table></script>",
  "<!--",
  'href="javascript:',
];

export const HOSTILE_ID = `exec${HOSTILE}`;

/** The console over data in which every text is hostile. */
export async function hostileFixture(): Promise<Fixture> {
  const records = hostileRecords();
  const tool = makeTool(HOSTILE, HOSTILE, {
    id: HOSTILE,
    title: HOSTILE,
    description: HOSTILE,
    inputSchema: { description: HOSTILE, properties: { [HOSTILE]: { enum: [HOSTILE] } } },
    outputSchema: { title: HOSTILE },
    pin: HOSTILE,
    tags: [HOSTILE],
  });
  return await consoleFixture({
    records,
    anonymous: {
      ...PEOPLE["key-ada"] as NonNullable<typeof PEOPLE[string]>,
      sub: HOSTILE,
      issuer: HOSTILE,
      scopes: [...PEOPLE["key-ada"]?.scopes ?? [], HOSTILE],
    },
    more: {
      showExecution: () => Promise.resolve(hostileView(records)),
      tools: () =>
        Promise.resolve({
          tools: [{ tool, access: "write", effect: "ask" }],
          servers: [{
            server: HOSTILE,
            serverIdentifier: HOSTILE,
            title: HOSTILE,
            status: "stale",
            error: HOSTILE,
            toolCount: 1,
            listedAt: SHOP_NOW,
          }],
          quarantined: [{ server: HOSTILE, name: HOSTILE, reason: "drift", detail: HOSTILE }],
        }),
      diff: () =>
        Promise.resolve({
          server: HOSTILE,
          name: HOSTILE,
          state: "drift",
          change: "semantic",
          changes: [{ path: HOSTILE, before: HOSTILE, after: HOSTILE }],
          approvedPin: HOSTILE,
          pin: HOSTILE,
          definition: {
            kind: "tool",
            name: HOSTILE,
            title: HOSTILE,
            description: HOSTILE,
            inputSchema: { [HOSTILE]: HOSTILE },
            outputSchema: HOSTILE,
            annotations: { [HOSTILE]: HOSTILE },
            http: { method: HOSTILE, path: HOSTILE },
            server: HOSTILE,
            identity: HOSTILE,
          },
        }),
      declareTool: () => HOSTILE,
      policyStatus: () => ({
        source: HOSTILE,
        name: HOSTILE,
        digest: HOSTILE,
        since: "2026-04-01T00:00:00.000Z",
        mode: "enforce",
        problems: [HOSTILE],
        rejected: HOSTILE,
      }),
      spaces: () => [HOSTILE],
      explain: () => Promise.resolve(hostileExplanation()),
      usage: () =>
        Promise.resolve({
          total: usageRow(HOSTILE, 1),
          rows: [usageRow(HOSTILE, 1)],
          days: [usageRow(HOSTILE, 1)],
          tasksAreCut: true,
        }),
      verifyState: () =>
        Promise.resolve({
          checkedAtMs: 1,
          isChecking: false,
          chains: [{
            chain: HOSTILE,
            records: 1,
            ok: false,
            anchored: 0,
            signed: 0,
            problems: [HOSTILE],
          }],
          writing: { ok: false, reason: HOSTILE },
        }),
    },
  });
}

function hostileRecords(): AuditRecord[] {
  const base = {
    space: HOSTILE,
    actor: { sub: HOSTILE, iss: HOSTILE, client: HOSTILE, groups: [HOSTILE], scopes: [HOSTILE] },
    task: HOSTILE,
    trace: HOSTILE,
    execution: HOSTILE_ID,
  };
  const call = {
    ...base,
    call: `${HOSTILE_ID}:0`,
    tool: { server: HOSTILE, name: HOSTILE, pin: HOSTILE },
    decision: { effect: HOSTILE as "deny", because: [HOSTILE, "read"], bundle: HOSTILE },
    approval: HOSTILE,
    args: { commit: HOSTILE, bytes: 3 },
    upstream: { credential: HOSTILE },
  };
  const err = { code: HOSTILE, message: HOSTILE };
  return chainOf([
    { at: SHOP_NOW - 60_000, kind: "search", ...base, detail: { query: HOSTILE } },
    {
      at: SHOP_NOW - 50_000,
      kind: "execution.start",
      ...base,
      code: { sha256: HOSTILE, bytes: 10 },
    },
    { at: SHOP_NOW - 49_000, kind: "call.intent", ...call },
    { at: SHOP_NOW - 48_500, kind: "limit.hit", ...call, detail: { limit: HOSTILE } },
    {
      at: SHOP_NOW - 48_000,
      kind: "call.outcome",
      ...call,
      result: { status: HOSTILE, bytes: 4 },
      err,
      ms: { total: 3 },
    },
    {
      at: SHOP_NOW - 47_000,
      kind: "execution.end",
      ...base,
      result: { status: HOSTILE, bytes: 5 },
      err,
      ms: { total: 3_000 },
      detail: { line: 1 },
    },
    { at: SHOP_NOW - 40_000, kind: HOSTILE as "admin", ...base, detail: { [HOSTILE]: HOSTILE } },
  ]);
}

function hostileView(records: readonly AuditRecord[]): ExecutionView {
  const payloads = {
    args: JSON.stringify({ [HOSTILE]: HOSTILE }),
    result: HOSTILE,
    code: `${HOSTILE}\n// ${HOSTILE}\nconst a = "${HOSTILE}"; /* ${HOSTILE} */ \`${HOSTILE}\``,
    logs: JSON.stringify([{ level: HOSTILE, text: HOSTILE }]),
  };
  const found = records.filter((record) => record.execution === HOSTILE_ID);
  return {
    records: found,
    payloads: new Map(found.map((record) => [recordKey(record), payloads])),
    unopened: new Set(),
    truncated: true,
  };
}

function hostileExplanation(): Awaited<ReturnType<ConsoleDeps["explain"]>> {
  const demand = {
    rule: HOSTILE,
    by: HOSTILE,
    message: HOSTILE,
    expiresMs: 1,
    covers: "call" as const,
    max: null,
  };
  return {
    call: HOSTILE,
    effect: "ask",
    gateEffect: "ask",
    because: [HOSTILE],
    message: HOSTILE,
    steps: [{ step: "rules", outcome: "wait", text: HOSTILE }],
    limitUses: [],
    rejected: HOSTILE,
    notes: [HOSTILE],
    principal: { ...PEOPLE["key-none"] as Principal, sub: HOSTILE },
    decision: {
      effect: "ask",
      access: "write",
      because: [HOSTILE],
      message: HOSTILE,
      approval: demand,
      approvals: [demand],
      observed: "deny",
    },
    visibility: null,
    policy: { name: HOSTILE, digest: HOSTILE, mode: HOSTILE },
    groups: [HOSTILE],
    space: { name: HOSTILE, canEnter: false, hasTool: false, toolIsIn: [HOSTILE], countedIn: [] },
    rules: [true, false].map((matched) => ({
      id: HOSTILE,
      effect: "deny",
      matched,
      verdict: matched ? "matched" : "tool",
      detail: HOSTILE,
      error: HOSTILE,
      observe: true,
      place: { path: HOSTILE, line: 3 },
    })),
    obligations: {
      approvals: [demand],
      redact: [],
      resultBytesMax: null,
      outputSchema: "off",
      limits: [{
        id: HOSTILE,
        per: "user",
        max: 1,
        unit: `args.${HOSTILE}`,
        everyMs: 1,
        tools: null,
        for: null,
        over: "deny",
        by: HOSTILE,
        message: HOSTILE,
      }],
      untrusted: true,
      priceUsd: 1,
    },
  };
}
