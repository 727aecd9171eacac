import assert from "node:assert/strict";
import { GateError } from "../../src/model/errors.ts";
import type { AuditEvent } from "../../src/model/event.ts";
import type { SearchAnswer } from "../../src/model/search.ts";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import type { SearchOptions } from "../../src/search/search_index.ts";
import { createProgramDiscovery } from "../../src/supervisor/program/program_discovery.ts";
import { searchEvent } from "../../src/supervisor/search_event.ts";
import { findTools, searchTools, type SearchToolsDeps } from "../../src/supervisor/search_tools.ts";
import { makePrincipal } from "../policy/sample_tools.ts";
import { contextOf } from "./gate_fixture.ts";

const POLICY = `version: 1\nname: p\nrules: []\n`;
const { policy } = compilePolicy(parsePolicy([{ path: "p.yaml", text: POLICY }]), []);
const ANSWER: SearchAnswer = {
  hits: [{
    name: "pay.get",
    server: "pay",
    title: "",
    description: "",
    access: "read",
    effect: "allow",
    score: 1,
  }],
  total: 7,
  truncated: true,
  declarations: "declare const tools: {};",
};
const ANNA = { principal: makePrincipal({ sub: "anna" }), space: "default" };
const ORIGIN = { ...ANNA, task: "t1", traceparent: null };

/** What happened, in order, and what was recorded. */
function setUp(overrides: Partial<SearchToolsDeps> = {}) {
  const order: string[] = [];
  const events: AuditEvent[] = [];
  const options: (SearchOptions | undefined)[] = [];
  const deps: SearchToolsDeps = {
    admit: () => Promise.resolve(void order.push("admit")),
    ready: () => Promise.resolve(order.push("ready")),
    view: () => ({ key: "", tools: [], visible: () => null }),
    index: {
      search(_request, _visible, asked) {
        order.push("search");
        options.push(asked);
        return Promise.resolve(ANSWER);
      },
    },
    audit: {
      append(event) {
        order.push("append");
        events.push(event);
        return Promise.resolve({ ...event, v: 1, chain: "c", seq: 0, ts: "", prev: "" });
      },
    },
    policy: () => policy,
    countTokens: (text) => text.length,
    ...overrides,
  };
  return { deps, order, events, options };
}

Deno.test("searchTools() admits, searches and records before it answers", async () => {
  const { deps, order, events } = setUp();
  assert.equal(await searchTools(deps, ORIGIN, { query: "x".repeat(300) }), ANSWER);
  assert.deepEqual(order, ["admit", "ready", "search", "append"]);
  const [{ actor, ...event }] = events as [AuditEvent];
  assert.equal(actor?.sub, "anna");
  assert.deepEqual(event, {
    kind: "search",
    space: "default",
    task: "t1",
    result: { status: "ok", bytes: ANSWER.declarations.length },
    detail: {
      query: "x".repeat(200),
      hits: 1,
      total: 7,
      tokensReturned: ANSWER.declarations.length,
    },
  });
});

Deno.test("searchTools() records a search that fails, with why", async () => {
  const refused = new GateError("ERR_BUSY", "Cannot search", { hint: "Later" });
  const { deps, events } = setUp({ index: { search: () => Promise.reject(refused) } });
  await assert.rejects(searchTools(deps, ORIGIN, { query: "refund" }), refused);
  const [{ result, err, detail }] = events as [AuditEvent];
  assert.deepEqual(result, { status: "ERR_BUSY" });
  assert.deepEqual(err, { code: "ERR_BUSY", message: "Cannot search", hint: "Later" });
  assert.deepEqual(detail, { query: "refund" });
});

Deno.test("searchTools() neither searches nor records for a caller over the budget", async () => {
  const over = new GateError("ERR_LIMIT_REACHED", "Used up", { hint: "" });
  const { deps, order } = setUp({ admit: () => Promise.reject(over) });
  await assert.rejects(searchTools(deps, ORIGIN, { query: "refund" }), over);
  assert.deepEqual(order, []);
});

Deno.test("searchTools() gives no answer that is not recorded", async () => {
  const down = new GateError("ERR_AUDIT_UNAVAILABLE", "No log", { hint: "" });
  const { deps } = setUp({ audit: { append: () => Promise.reject(down) } });
  await assert.rejects(searchTools(deps, ORIGIN, { query: "refund" }), down);
});

Deno.test("findTools() shows what is quarantined to operators only, and records nothing", async () => {
  const { deps, order, options } = setUp();
  await findTools(deps, ANNA, { query: "" });
  await findTools(deps, { ...ANNA, principal: makePrincipal({ scopes: ["admin"] }) }, {
    query: "",
  });
  assert.deepEqual(options, [{ showsQuarantined: false }, { showsQuarantined: true }]);
  assert.ok(!order.includes("append"));
});

Deno.test("a program's search is recorded in the same form, and its query stays out of the chain", async () => {
  const { deps } = setUp();
  const discovery = createProgramDiscovery({
    snapshot: () => ({ revision: 1, tools: new Map(), servers: new Map(), quarantined: [] }),
    view: deps.view,
    search: (...asked) => findTools(deps, ...asked),
  });
  const context = contextOf(ANNA.principal);
  const call = (tool: string, args: unknown[]) => ({
    server: "",
    tool,
    index: 0,
    args,
    argsBytes: 0,
  });
  const signal = new AbortController().signal;
  const found = await discovery.answer(context, { ...call("$search", ["secret"]), signal });
  assert.deepEqual(found.reply, { ok: true, json: JSON.stringify(ANSWER.hits) });
  const base = { execution: "e1", call: "e1:0", detail: { tool: "$search" } };
  const event = searchEvent(base, found.end);
  assert.deepEqual(event, {
    ...base,
    kind: "search",
    result: { status: "ok" },
    detail: { tool: "$search", hits: 1, total: 7 },
  });
  const wrong = await discovery.answer(context, { ...call("$search", [5]), signal });
  assert.equal(wrong.reply.ok, false);
  const { result, err } = searchEvent(base, wrong.end);
  assert.deepEqual([result?.status, err?.code], [
    "ERR_INVALID_ARGUMENTS",
    "ERR_INVALID_ARGUMENTS",
  ]);
});
