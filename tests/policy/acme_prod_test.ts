import assert from "node:assert/strict";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import { ACME_TOOLS, acmeTool, makePrincipal } from "./sample_tools.ts";

const path = new URL("../../policies/acme-prod.yaml", import.meta.url);
const text = await Deno.readTextFile(path);

function compileAcme() {
  return compilePolicy(parsePolicy([{ path: "acme-prod.yaml", text }]), ACME_TOOLS);
}

const finance = makePrincipal({ claims: { groups: ["acme-finance"] } });
const engineer = makePrincipal({
  claims: { groups: ["acme-eng"] },
  scopes: ["github:write"],
});
const untainted = { tainted: false, sources: [] };

Deno.test("the example policy has no problem with the tools it is about", () => {
  assert.deepEqual(compileAcme().problems, []);
});

Deno.test("the example policy allows a small refund and asks for a larger one", () => {
  const { policy } = compileAcme();
  const ask = (amount: number) =>
    policy.decide({
      principal: finance,
      space: "refunds",
      tool: acmeTool("pay.refund"),
      args: { amount, customer: "c1" },
      execution: untainted,
    });
  assert.equal(ask(40).effect, "allow");
  assert.deepEqual(ask(40).because, ["refunds"]);
  assert.equal(ask(50).effect, "allow");
  const large = ask(50.5);
  assert.equal(large.effect, "ask");
  assert.deepEqual(large.because, ["big-refund", "refunds"]);
  assert.deepEqual(large.approval, {
    rule: "big-refund",
    by: "finance-leads",
    message: "Refund 50.5 to c1?",
    expiresMs: 900_000,
    covers: "call",
    max: null,
  });
  assert.equal(ask(5000).effect, "ask");
  assert.equal(ask(5001).effect, "deny");
  assert.equal(ask(0).effect, "deny");
  assert.equal(ask(-1).effect, "deny");
});

Deno.test("the example policy denies mail to outsiders with the operator's words", () => {
  const { policy } = compileAcme();
  const decision = policy.decide({
    principal: finance,
    space: "refunds",
    tool: acmeTool("mail.send"),
    args: { to: ["a@acme.com", "x@evil.com"] },
    execution: untainted,
  });
  assert.equal(decision.effect, "deny");
  assert.deepEqual(decision.because, ["no-outside-mail", "mail"]);
  assert.equal(decision.message, "Recipients must be @acme.com; post to #outreach instead.");
});

Deno.test("the example policy asks the owner to write once something untrusted was read", () => {
  const { policy } = compileAcme();
  const decide = (tainted: boolean) =>
    policy.decide({
      principal: engineer,
      space: "engineering",
      tool: acmeTool("github.create_issue"),
      args: { owner: "acme", repo: "api", title: "t" },
      execution: { tainted, sources: tainted ? ["web"] : [] },
    });
  assert.equal(decide(false).effect, "allow");
  assert.equal(decide(true).approval?.by, "owner");
});

Deno.test("visibility() shows a tool only where a rule could allow it", () => {
  const { policy } = compileAcme();
  const sees = (principal: typeof finance, space: string, id: string) =>
    policy.visibility(principal, space, acmeTool(id));
  assert.deepEqual(sees(finance, "refunds", "pay.refund"), { access: "write", effect: "ask" });
  assert.deepEqual(sees(finance, "refunds", "pay.get_refund"), { access: "read", effect: "allow" });
  assert.deepEqual(sees(finance, "default", "pay.get_refund"), { access: "read", effect: "allow" });
  assert.equal(sees(finance, "engineering", "github.get_repo"), null);
  assert.equal(sees(finance, "refunds", "github.create_issue"), null);
  assert.equal(sees(engineer, "engineering", "github.delete_repo"), null);
  assert.equal(sees(engineer, "default", "pay.get_refund"), null);
  const ci = makePrincipal({ client: "ci-bot", scopes: ["github:write"] });
  assert.equal(sees(ci, "engineering", "github.create_issue"), null);
  assert.deepEqual(sees(ci, "engineering", "github.get_repo"), { access: "read", effect: "allow" });
});
