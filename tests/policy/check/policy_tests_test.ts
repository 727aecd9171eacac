import assert from "node:assert/strict";
import { runPolicyTests } from "../../../src/policy/check/policy_tests.ts";
import { parsePolicy } from "../../../src/policy/file/parse_policy.ts";
import { compilePolicy } from "../../../src/policy/policy.ts";
import { ACME_TOOLS, makeTool } from "../sample_tools.ts";

const acme = await Deno.readTextFile(new URL("../../../policies/acme-prod.yaml", import.meta.url));

function run(text: string, tools = ACME_TOOLS) {
  return runPolicyTests(
    compilePolicy(parsePolicy([{ path: "p.yaml", text }]), tools).policy,
    tools,
  );
}

Deno.test("runPolicyTests() passes the tests of the example, with and without its tools", () => {
  assert.deepEqual(run(acme), { total: 5, passed: 5, failures: [] });
  assert.deepEqual(run(acme, []), { total: 5, passed: 5, failures: [] });
});

/** More than the example itself asks, in its own words. */
const MORE = `
  - { as: {groups: [acme-finance]}, call: pay.refund, args: {customer: c1}, expect: deny }
  - { as: {groups: [acme-finance]}, call: mail.send, args: {to: ["a@acme.com"]}, expect: allow }
  - { as: {groups: [acme-finance]}, call: mail.send, args: {to: "a@acme.com"}, expect: deny }
  - { as: {groups: [acme-eng], scopes: ["github:write"]}, call: github.create_issue, args: {owner: acme}, expect: allow }
  - { as: {groups: [acme-eng], scopes: ["github:write"]}, call: github.create_issue, args: {owner: acme}, exec: {tainted: true}, expect: ask owner }
  - { as: {groups: [acme-eng], scopes: ["github:write"]}, call: github.create_issue, args: {owner: acme}, exec: {tainted: true}, expect: ask }
  - { as: {groups: [acme-eng]}, call: github.create_issue, args: {owner: acme}, expect: deny }
  - { as: {groups: [acme-eng]}, call: github.create_issue, args: {owner: acme}, expect: hidden }
  - { as: {groups: [acme-eng], scopes: ["github:write"]}, call: github.delete_repo, args: {owner: acme}, expect: deny }
  - { as: {groups: [acme-eng]}, call: github.list_issues, args: {owner: other}, expect: allow }
  - { as: {client: ci-bot}, call: github.create_issue, args: {owner: acme}, expect: deny }
  - { as: {client: ci-bot}, call: github.get_repo, space: engineering, expect: allow }
  - { as: {client: ci-bot}, call: github.get_repo, space: refunds, expect: hidden }
  - { as: {claims: {groups: [acme-finance]}, spaces: [engineering]}, call: pay.get_refund, expect: hidden }
`;

Deno.test("runPolicyTests() understands every way to expect something", () => {
  const report = run(acme.trimEnd() + MORE);
  assert.deepEqual(report.failures.map(({ message }) => message), []);
  assert.equal(report.passed, 19);
});

Deno.test("runPolicyTests() says where, what was expected, what came and why", () => {
  const wrong = acme.replace(
    "args: {amount: 400, customer: c1}, expect: ask finance-leads",
    [
      "args: {amount: 400, customer: c1}, expect: allow",
    ].join(),
  ).replace("expect: hidden", "expect: ask owner");
  const report = run(wrong);
  assert.equal(report.passed, 3);
  assert.deepEqual(report.failures.map(({ message }) => message), [
    "p.yaml:46: pay.refund expected allow, got ask finance-leads because of big-refund, refunds",
    "p.yaml:49: pay.get_refund expected ask owner, got hidden because of space",
  ]);
  assert.deepEqual(report.failures[0]?.place, { path: "p.yaml", line: 46 });
});

Deno.test("runPolicyTests() tests what an observing policy would do once it is enforced", () => {
  assert.equal(run(acme.replace("mode: enforce", "mode: observe")).passed, 5);
  const watched =
    acme.replace("{ id: nothing-destructive", "{ observe: true, id: nothing-destructive")
      .trimEnd() + MORE;
  assert.deepEqual(run(watched).failures, []);
});

Deno.test("runPolicyTests() takes the tool's own method where the catalog knows it", () => {
  const text = (expected: string) =>
    `version: 1
name: t
rules: [{ id: r, allow: read }]
tests: [{ as: {}, call: api.get, expect: ${expected} }]
`;
  const get = [makeTool("api", "get", { http: { method: "GET", path: "/" } })];
  const remove = [makeTool("api", "get", { http: { method: "DELETE", path: "/" } })];
  assert.equal(run(text("allow"), get).passed, 1);
  assert.equal(run(text("allow"), remove).passed, 0);
  assert.equal(run(text("allow"), []).passed, 1, "it may be a GET");
  assert.equal(run(text("deny"), []).passed, 1, "it may be a DELETE");
  assert.equal(run(text("ask"), []).passed, 0, "no rule asks, whatever it is");
});
