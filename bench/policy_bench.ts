/**
 * Decision time by rule count: the compiled policy compared with a linear scan of the compiled
 * rules.
 *
 * Run: `deno run --cached-only --no-prompt -A bench/policy_bench.ts [--json]`
 */
import type { DecisionRequest } from "../src/model/decision.ts";
import type { Tool } from "../src/model/tool.ts";
import { createAudiences, hasScopes } from "../src/policy/audience.ts";
import { compileClasses } from "../src/policy/classify.ts";
import { compileRule } from "../src/policy/compiled_rule.ts";
import { concernsTool } from "../src/policy/rule_tests.ts";
import { factsOf } from "../src/policy/decide.ts";
import { parsePolicy } from "../src/policy/file/parse_policy.ts";
import { matchRules } from "../src/policy/match_rules.ts";
import { compilePolicy } from "../src/policy/policy.ts";
import { createSpaceIndex } from "../src/policy/space_index.ts";
import { createToolPlans } from "../src/policy/tool_plan.ts";

const SERVERS = 40;
const RULE_COUNTS = [10, 100, 1_000];
const ROUNDS = 200;
const CALLS_PER_ROUND = 200;

/** Rules as operators write them: most name a server, some a class only; groups, scopes, conditions. */
function makePolicy(ruleCount: number): string {
  const rules = Array.from({ length: ruleCount }, (_, index) => {
    const server = `s${index % SERVERS}`;
    const id = `r${index}`;
    const group = [`g${index % 20}`];
    switch (index % 5) {
      case 0:
        return { id, allow: "read", tools: [`${server}.*`] };
      case 1:
        return {
          id,
          allow: "write",
          tools: [`${server}.update`],
          for: group,
          when: "args.amount > 0 && args.amount <= 5000",
        };
      case 2:
        return {
          id,
          ask: "write",
          tools: [`${server}.update`],
          when: "args.amount > 50",
          by: "owner",
        };
      case 3:
        return {
          id,
          deny: "write",
          tools: [`${server}.*`],
          for: group,
          when: '!args.to.all(a, a.endsWith("@acme.com"))',
        };
      default:
        return index % 100 === 4
          ? { id, ask: ["write", "destructive"], when: "exec.tainted", by: "owner" }
          : {
            id,
            allow: "write",
            tools: [`${server}.update`],
            for: group,
            scopes: [`${server}:w`],
          };
    }
  });
  return JSON.stringify({
    version: 1,
    name: "bench",
    groups: Object.fromEntries(
      Array.from(
        { length: 20 },
        (_, index) => [`g${index}`, { claim: "groups", has: `g${index}` }],
      ),
    ),
    tools: Object.fromEntries(
      Array.from({ length: SERVERS }, (_, index) => [`s${index}`, {
        read: ["get_*"],
        write: ["update"],
      }]),
    ),
    rules,
  });
}

function makeTool(server: string, name: string): Tool {
  return {
    id: `${server}.${name}`,
    server,
    name,
    serverIdentifier: server,
    identifier: name,
    kind: "tool",
    title: name,
    description: "",
    inputSchema: true,
    outputSchema: null,
    hints: {},
    tags: [],
    http: null,
    pin: "",
  };
}

function makeRequests(): DecisionRequest[] {
  const tools = Array.from({ length: SERVERS }, (_, index) => [
    makeTool(`s${index}`, "get_one"),
    makeTool(`s${index}`, "update"),
  ]).flat();
  const principals = Array.from({ length: 10 }, (_, index) => ({
    sub: `u${index}`,
    issuer: "bench",
    client: "bench",
    claims: { groups: [`g${index}`, `g${index + 5}`] },
    scopes: ["s1:w"],
    spaces: null,
  }));
  return tools.flatMap((tool) =>
    principals.map((principal, index) => ({
      principal,
      space: "default",
      tool,
      args: { amount: index * 30 + 0.5, customer: "c1", to: ["a@acme.com", "b@acme.com"] },
      execution: { tainted: index % 2 === 0, sources: [] },
    }))
  );
}

/** Median and 99th percentile of one call, in microseconds. */
function measure(decide: (request: DecisionRequest) => unknown, requests: DecisionRequest[]) {
  const times: number[] = [];
  let next = 0;
  for (let round = -20; round < ROUNDS; round++) {
    const startedAt = performance.now();
    for (let call = 0; call < CALLS_PER_ROUND; call++) {
      decide(requests[next++ % requests.length] as DecisionRequest);
    }
    if (round >= 0) times.push((performance.now() - startedAt) / CALLS_PER_ROUND * 1_000);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => Number(times[Math.floor(times.length * share)]?.toFixed(2));
  return { p50Us: at(0.5), p99Us: at(0.99) };
}

function linearScan(text: string): (request: DecisionRequest) => unknown {
  const document = parsePolicy([{ path: "bench.json", text }]);
  const rules = document.rules.map(compileRule);
  const classes = compileClasses(document.tools);
  const audiences = createAudiences(document.groups);
  const spaces = createSpaceIndex(null, audiences);
  const plans = createToolPlans([], classes, audiences);
  const indexes = { mode: "enforce" as const, audiences, spaces, plans };
  return (request) => {
    const plan = plans(request.tool);
    const audience = audiences.of(request.principal);
    const left = rules.filter((rule) =>
      concernsTool(rule, { tool: request.tool, access: plan.access }) &&
      audiences.hasGroup(audience, rule) &&
      hasScopes(audience, rule.rule.scopes)
    );
    return matchRules({
      deny: left.filter(({ rule }) => rule.effect === "deny"),
      ask: left.filter(({ rule }) => rule.effect === "ask"),
      allow: left.filter(({ rule }) => rule.effect === "allow"),
    }, factsOf(indexes, plan, request));
  };
}

const requests = makeRequests();
const rows = RULE_COUNTS.map((rules) => {
  const text = makePolicy(rules);
  const startedAt = performance.now();
  const { policy } = compilePolicy(parsePolicy([{ path: "bench.json", text }]), []);
  const compileMs = Number((performance.now() - startedAt).toFixed(1));
  const indexed = measure((request) => policy.decide(request), requests);
  const see = ({ principal, space, tool }: DecisionRequest) =>
    policy.visibility(principal, space, tool);
  const visible = measure(see, requests);
  // A new principal object per request, as the edge makes them: no cached work applies.
  const fresh = measure(
    (request) => policy.decide({ ...request, principal: { ...request.principal } }),
    requests,
  );
  const linear = measure(linearScan(text), requests);
  return {
    rules,
    compileMs,
    decideP50Us: indexed.p50Us,
    decideP99Us: indexed.p99Us,
    freshPrincipalP50Us: fresh.p50Us,
    visibilityP50Us: visible.p50Us,
    linearP50Us: linear.p50Us,
    linearP99Us: linear.p99Us,
  };
});
if (Deno.args.includes("--json")) console.log(JSON.stringify(rows));
else console.table(rows);
