import assert from "node:assert/strict";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import { ACME_TOOLS, acmeTool, makePrincipal } from "./sample_tools.ts";

const text = await Deno.readTextFile(new URL("../../policies/acme-prod.yaml", import.meta.url));
const { policy } = compilePolicy(parsePolicy([{ path: "p.yaml", text }]), ACME_TOOLS);
const finance = makePrincipal({ claims: { groups: ["acme-finance"] } });

Deno.test("explain() says of every rule why it matched or did not", () => {
  const explanation = policy.explain({
    principal: finance,
    space: "refunds",
    tool: acmeTool("pay.refund"),
    args: { amount: 400, customer: "c1" },
    execution: { tainted: false, sources: [] },
  });
  assert.equal(explanation.decision.effect, "ask");
  const verdicts = explanation.rules.map(({ id, verdict, detail }) => [id, verdict, detail]);
  assert.deepEqual(verdicts, [
    ["big-refund", "matched", "args.amount > 50"],
    ["eng-write-own-repos", "tool", "github.*"],
    ["mail", "tool", "mail.send"],
    ["no-outside-mail", "tool", "mail.send"],
    ["nothing-destructive-from-ci", "group", "ci"],
    ["read", "class", "the tool is write"],
    ["refunds", "matched", "args.amount > 0 && args.amount <= 5000"],
    ["write-after-untrusted-read", "when=false", "exec.tainted"],
  ]);
  assert.deepEqual(explanation.groups, ["finance"]);
  assert.deepEqual(explanation.space, {
    name: "refunds",
    canEnter: true,
    hasTool: true,
    toolIsIn: ["refunds"],
    countedIn: ["refunds"],
  });
  assert.deepEqual(explanation.visibility, { access: "write", effect: "ask" });
  assert.deepEqual(explanation.rules[0]?.place, { path: "p.yaml", line: 22 });
});

Deno.test("explain() lists what the decision obliges the gate to", () => {
  const { obligations } = policy.explain({
    principal: finance,
    space: "refunds",
    tool: acmeTool("pay.refund"),
    args: { amount: 400, customer: "c1" },
    execution: { tainted: false, sources: [] },
  });
  assert.deepEqual(obligations.approvals.map(({ by }) => by), ["finance-leads"]);
  assert.deepEqual(obligations.redact, ["secrets", "email"]);
  assert.equal(obligations.resultBytesMax, 1_048_576);
  assert.equal(obligations.outputSchema, "warn");
  assert.equal(obligations.priceUsd, 0.02);
  assert.equal(obligations.untrusted, false);
  assert.deepEqual(obligations.limits.map(({ id }) => id), [
    "execution-calls",
    "user-hourly",
    "refund-day",
    "tenant-budget",
  ]);
  const web = policy.explain({
    principal: makePrincipal({ claims: { groups: ["acme-eng"] } }),
    space: "engineering",
    tool: acmeTool("web.fetch"),
    args: {},
    execution: { tainted: false, sources: [] },
  });
  assert.equal(web.obligations.untrusted, true);
  assert.ok(!web.obligations.limits.some(({ id }) => id === "refund-day"));
});

Deno.test("explain() tells a missing scope from a missing group and an error from a no", () => {
  const verdictOf = (id: string, principal: typeof finance, args: unknown) =>
    policy.explain({
      principal,
      space: "default",
      tool: acmeTool("github.create_issue"),
      args,
      execution: { tainted: false, sources: [] },
    }).rules.find((rule) => rule.id === id);
  const engineer = { claims: { groups: ["acme-eng"] } };
  const scoped = makePrincipal({ ...engineer, scopes: ["github:write"] });
  const rule = "eng-write-own-repos";
  const scope = verdictOf(rule, makePrincipal(engineer), { owner: "acme" });
  assert.deepEqual([scope?.verdict, scope?.detail], ["scope", "github:write"]);
  assert.equal(verdictOf(rule, finance, { owner: "acme" })?.verdict, "group");
  assert.equal(verdictOf(rule, scoped, { owner: "other" })?.verdict, "when=false");
  const failed = verdictOf(rule, scoped, {});
  assert.deepEqual([failed?.verdict, failed?.detail, failed?.matched], [
    "when=error",
    "No such key: owner",
    false,
  ]);
  assert.equal(verdictOf(rule, scoped, { owner: "acme" })?.matched, true);
});

Deno.test("explain() says that a tool is hidden, and where it would be", () => {
  const explanation = policy.explain({
    principal: makePrincipal({ claims: { groups: ["acme-eng"] } }),
    space: "engineering",
    tool: acmeTool("pay.get_refund"),
    args: {},
    execution: { tainted: false, sources: [] },
  });
  assert.equal(explanation.decision.effect, "hidden");
  assert.equal(explanation.visibility, null);
  assert.deepEqual(explanation.space, {
    name: "engineering",
    canEnter: true,
    hasTool: false,
    toolIsIn: ["refunds"],
    countedIn: ["engineering"],
  });
});
