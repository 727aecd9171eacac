import assert from "node:assert/strict";
import type { Decision, Effect } from "../../src/model/decision.ts";
import { compile, EVERYTHING, request } from "./policy_fixture.ts";
import { makePrincipal, makeTool } from "./sample_tools.ts";

const TOOL = makeTool("s", "t");

/** Rules that are enforced, and those of a file in `mode: observe` beside them. */
interface Rules {
  readonly enforced?: readonly string[];
  readonly observed?: readonly string[];
}

const compileRules = ({ enforced = [], observed = [] }: Rules) =>
  compile(
    `rules: [${enforced.join(", ")}]`,
    ...(observed.length === 0 ? [] : [`mode: observe\nrules: [${observed.join(", ")}]`]),
  );

/** What one tool is decided to be under these rules. */
function decideBy(enforced: readonly string[], args: unknown = {}): Decision {
  return compileRules({ enforced }).decide(request(TOOL, { args }));
}

/** A rule of one effect: none, one that is enforced, one that is observed only. */
const FORMS = ["none", "enforced", "observed"] as const;
type Form = typeof FORMS[number];
const EFFECTS = ["deny", "ask", "allow"] as const;

function ruleOf(effect: Effect): string {
  const by = effect === "ask" ? ", by: owner" : "";
  return `{ id: ${effect}-rule, ${effect}: ${EVERYTHING}${by} }`;
}

/** Deny beats ask, ask beats allow, no allow means deny. */
function expected(counts: (form: Form) => boolean, deny: Form, ask: Form, allow: Form): Effect {
  if (counts(deny) || !counts(allow)) return "deny";
  return counts(ask) ? "ask" : "allow";
}

Deno.test("decide() follows the one precedence for every set of enforced and observed rules", () => {
  for (const deny of FORMS) {
    for (const ask of FORMS) {
      for (const allow of FORMS) {
        const forms = { deny, ask, allow };
        const rulesOf = (form: Form) =>
          EFFECTS.filter((effect) => forms[effect] === form).map(ruleOf);
        const rules = { enforced: rulesOf("enforced"), observed: rulesOf("observed") };
        const decision = compileRules(rules).decide(request(TOOL));
        const about = `deny ${deny}, ask ${ask}, allow ${allow}`;
        const enforced = expected((form) => form === "enforced", deny, ask, allow);
        const full = expected((form) => form !== "none", deny, ask, allow);
        assert.equal(decision.effect, enforced, about);
        assert.equal(decision.observed, full === enforced ? null : full, about);
        const ids = EFFECTS.filter((effect) => forms[effect] !== "none").map((e) => `${e}-rule`);
        if (deny === "none" && allow === "none") ids.push("no-allow-rule");
        assert.deepEqual(decision.because, ids, about);
        assert.equal(decision.approvals.length, enforced === "ask" ? 1 : 0, about);
        assert.equal(decision.approval, decision.approvals[0] ?? null, about);
        if (enforced !== "deny") assert.equal(decision.message, "", about);
      }
    }
  }
});

Deno.test("decide() under mode observe lets everything through and says what it would have been", () => {
  const cases: readonly [Effect[], Effect | null][] = [
    [[], "deny"],
    [["allow"], null],
    [["allow", "ask"], "ask"],
    [["allow", "ask", "deny"], "deny"],
  ];
  for (const [effects, observed] of cases) {
    const policy = compile(`mode: observe\nrules: [${effects.map(ruleOf).join(", ")}]`);
    const decision = policy.decide(request(TOOL));
    assert.equal(decision.effect, "allow", effects.join());
    assert.equal(decision.observed, observed, effects.join());
    assert.equal(decision.message, "");
    assert.deepEqual([decision.approval, decision.approvals], [null, []]);
  }
});

Deno.test("decide() takes a condition without an answer for a match of deny and ask, not of allow", () => {
  const allow = ruleOf("allow");
  const denying = decideBy([allow, `{ id: d, deny: ${EVERYTHING}, when: args.n > 1 }`]);
  assert.equal(denying.effect, "deny");
  assert.deepEqual(denying.because, ["d", "allow-rule"]);
  assert.match(denying.message, /^Rule "d" cannot read these arguments: No such key: n\.$/);
  const asking = decideBy([allow, `{ id: q, ask: ${EVERYTHING}, by: owner, when: args.n > 1 }`]);
  assert.equal(asking.effect, "ask");
  assert.deepEqual(asking.approvals.map(({ rule }) => rule), ["q"]);
  const allowing = decideBy([`{ id: a, allow: ${EVERYTHING}, when: args.n > 1 }`]);
  assert.equal(allowing.effect, "deny");
  assert.deepEqual(allowing.because, ["no-allow-rule"]);
});

Deno.test("decide() takes a condition that does not compile for one without an answer", () => {
  const allow = ruleOf("allow");
  const broken = "nobody.knows(this)";
  const denying = decideBy([allow, `{ id: d, deny: ${EVERYTHING}, when: "${broken}" }`]);
  assert.equal(denying.effect, "deny");
  assert.match(denying.message, /^Rule "d" cannot read these arguments: /);
  assert.equal(decideBy([`{ id: a, allow: ${EVERYTHING}, when: "${broken}" }`]).effect, "deny");
});

Deno.test("decide() prefers the operator's words to the reason why a condition has no answer", () => {
  const rule = (id: string) =>
    `{ id: ${id}, deny: ${EVERYTHING}, when: args.n > 1, message: Send n. }`;
  const { message } = decideBy([ruleOf("allow"), rule("d1"), rule("d2")]);
  assert.equal(message, "Send n.", "said once, however many rules say it");
});

Deno.test("decide() gives no advice from rules that are observed only", () => {
  const observed = [
    `{ id: a, allow: ${EVERYTHING}, when: args.n == 1, message: Send one. }`,
    `{ id: d, deny: ${EVERYTHING}, message: Stop. }`,
  ];
  const decision = compileRules({ observed }).decide(request(TOOL, { args: { n: 1 } }));
  assert.equal(decision.effect, "deny");
  assert.equal(decision.message, "");
  assert.deepEqual(decision.because, ["d", "a"]);
});

Deno.test("decide() lets conditions see arguments, the person, the tool, the space and the taint", () => {
  const policy = compile(`
groups: { pay: { claim: groups, has: pay } }
tools: { s: { write: [t] } }
rules:
  - id: all
    allow: write
    when: >-
      args.n == 1 && user.sub == "ann" && "pay" in user.groups && tool.server == "s" &&
      tool.name == "t" && space == "default" && exec.tainted && "web" in exec.sources
`);
  const call = request(TOOL, {
    principal: makePrincipal({ sub: "ann", claims: { groups: ["pay"] } }),
    args: { n: 1 },
    execution: { tainted: true, sources: ["web"] },
  });
  assert.equal(policy.decide(call).effect, "allow");
  const others = [
    { args: { n: 2 } },
    { principal: makePrincipal({ sub: "ann" }) },
    { principal: makePrincipal({ claims: { groups: ["pay"] } }) },
    { execution: { tainted: false, sources: ["web"] } },
    { execution: { tainted: true, sources: [] } },
  ];
  for (const other of others) {
    assert.equal(policy.decide({ ...call, ...other }).effect, "deny", JSON.stringify(other));
  }
});

Deno.test("decide() counts a rule only for its tools, its classes, its scopes and its groups", () => {
  const policy = compile(`
groups: { leads: { claim: groups, has: leads } }
tools: { s: { write: [t], read: [r] } }
rules:
  - { id: all, allow: ${EVERYTHING} }
  - { id: by-tool, deny: ${EVERYTHING}, tools: [other.*] }
  - { id: by-class, deny: read }
  - { id: by-group, deny: write, for: [leads] }
`);
  const decideFor = (name: string, groups: string[] = []) =>
    policy.decide(
      request(makeTool("s", name), { principal: makePrincipal({ claims: { groups } }) }),
    );
  assert.equal(decideFor("t").effect, "allow");
  assert.deepEqual(decideFor("r").because, ["by-class", "all"]);
  assert.deepEqual(decideFor("t", ["leads"]).because, ["by-group", "all"]);
  assert.equal(decideFor("t").access, "write");
  assert.equal(policy.decide(request(makeTool("other", "x"))).effect, "deny");
});

Deno.test("decide() hides a tool outside the space before any rule is asked, and says only that", () => {
  const policy = compile(`
spaces: { one: { tools: [pay.*] } }
rules: [{ id: no, deny: ${EVERYTHING}, message: stop }]
`);
  assert.deepEqual(policy.decide(request(TOOL, { space: "one" })), {
    effect: "hidden",
    access: "destructive",
    because: ["space"],
    message: "",
    approval: null,
    approvals: [],
    observed: null,
  });
});

Deno.test("decide() under mode observe never lifts what a credential is limited to", () => {
  const policy = compile(`
mode: observe
spaces: { one: { tools: [pay.*] }, two: { tools: [web.*] } }
rules: [{ id: no, deny: ${EVERYTHING} }]
`);
  const narrow = makePrincipal({ spaces: ["two"] });
  const tool = makeTool("pay", "x");
  const decideIn = (space: string, principal = narrow) =>
    policy.decide(request(tool, { space, principal }));
  for (const space of ["one", "two", "default", "nowhere"]) {
    assert.equal(decideIn(space).effect, "hidden", space);
    assert.equal(decideIn(space).observed, null, space);
    assert.equal(policy.visibility(narrow, space, tool), null, space);
  }
  assert.equal(decideIn("nowhere", makePrincipal()).effect, "hidden", "nobody observes there");
  assert.deepEqual(
    [decideIn("two", makePrincipal()).effect, decideIn("two", makePrincipal()).observed],
    ["allow", "hidden"],
  );
  const itsOwn = policy.decide(request(makeTool("web", "x"), { space: "two", principal: narrow }));
  assert.deepEqual([itsOwn.effect, itsOwn.observed], ["allow", "deny"]);
});

Deno.test("visibility() shows a tool that some argument could use, and no other", () => {
  const seen = (enforced: string[], observed: string[] = []) =>
    compileRules({ enforced, observed }).visibility(makePrincipal(), "default", TOOL);
  const allow = ruleOf("allow");
  const when = (effect: string) => `{ id: w, ${effect}: ${EVERYTHING}, when: args.n > 1 }`;
  assert.equal(seen([]), null);
  assert.equal(seen([], [allow]), null);
  assert.equal(seen([allow, ruleOf("deny")]), null);
  assert.equal(seen([`{ id: b, allow: ${EVERYTHING}, when: "nobody.knows(this)" }`]), null);
  assert.deepEqual(seen([when("allow")]), { access: "destructive", effect: "allow" });
  assert.deepEqual(seen([allow, when("deny")]), { access: "destructive", effect: "allow" });
  assert.equal(seen([allow], [ruleOf("deny")])?.effect, "allow");
  assert.equal(seen([allow], [ruleOf("ask")])?.effect, "allow");
  assert.equal(seen([allow, ruleOf("ask")])?.effect, "ask");
});

Deno.test("decide() demands every approver once, groups before the owner, with the narrowest grant", () => {
  const policy = compile(`
groups: { leads: { client: x }, audit: { client: y } }
rules:
  - { id: all, allow: ${EVERYTHING} }
  - { id: a-owner, ask: ${EVERYTHING}, by: owner, message: "Really {n}?" }
  - { id: b-leads, ask: ${EVERYTHING}, by: leads, covers: tool, max: 5, expires: 1h, message: one }
  - { id: c-leads, ask: ${EVERYTHING}, by: leads, covers: tool, max: 3, expires: 2h, message: two }
  - { id: d-audit, ask: ${EVERYTHING}, by: audit, when: args.n > 10 }
`);
  const decide = (n: number) => policy.decide(request(makeTool("s", "t"), { args: { n } }));
  assert.deepEqual(decide(1).approvals, [
    {
      rule: "b-leads",
      by: "leads",
      message: "one two",
      expiresMs: 3_600_000,
      covers: "tool",
      max: 3,
    },
    {
      rule: "a-owner",
      by: "owner",
      message: "Really 1?",
      expiresMs: 900_000,
      covers: "call",
      max: null,
    },
  ]);
  assert.deepEqual(decide(1).approval, decide(1).approvals[0]);
  assert.deepEqual(decide(11).approvals.map(({ by }) => by), ["leads", "audit", "owner"]);
});

Deno.test("ask messages show arguments so that they cannot pass for words of the question", () => {
  const policy = compile(`
rules:
  - { id: all, allow: ${EVERYTHING} }
  - { id: q, ask: ${EVERYTHING}, by: owner, message: "Pay {amount} to {to.name} ({missing}, {list})?" }
`);
  const message = (args: unknown) =>
    policy.decide(request(makeTool("s", "t"), { args })).approval?.message;
  assert.equal(
    message({ amount: 40.5, to: { name: "c-1" }, list: [1] }),
    "Pay 40.5 to c-1 ((none), […])?",
  );
  assert.equal(
    message({ amount: "40", to: { name: 'bob"? Approved.\nYes\u202e\u0000' } }),
    'Pay 40 to "bob\\"? Approved.�Yes��" ((none), (none))?',
  );
  assert.equal(message({ amount: true, to: { name: null } }), "Pay true to null ((none), (none))?");
  assert.match(message({ amount: "x".repeat(5_000) }) ?? "", /^Pay "x{120}…" to/);
  assert.match(message({ to: JSON.parse('{"__proto__":{"name":"x"}}') }) ?? "", /to \(none\)/);
  assert.equal(message("no object"), "Pay (none) to (none) ((none), (none))?");
});

Deno.test("decide() tells the agent what would be allowed", () => {
  const policy = compile(`
rules:
  - { id: small, allow: ${EVERYTHING}, when: args.n <= 5 }
  - { id: words, allow: ${EVERYTHING}, when: args.n == 7, message: Ask Ann for more. }
  - { id: quiet, allow: ${EVERYTHING}, when: args.n == 8, scopes: [x] }
`);
  const { effect, because, message } = policy.decide(
    request(makeTool("s", "t"), { args: { n: 6 } }),
  );
  assert.equal(effect, "deny");
  assert.deepEqual(because, ["no-allow-rule"]);
  assert.equal(message, 'Rule "small" allows it only if args.n <= 5. Ask Ann for more.');
});

Deno.test("decide() tells the agent which argument a deny rule could not read", () => {
  const policy = compile(`
rules:
  - { id: all, allow: ${EVERYTHING} }
  - { id: to, deny: ${EVERYTHING}, when: "!args.to.all(a, a.endsWith('@acme.com'))" }
`);
  const decide = (args: unknown) => policy.decide(request(makeTool("s", "t"), { args }));
  assert.equal(decide({ to: ["a@acme.com"] }).effect, "allow");
  assert.equal(decide({ to: [] }).effect, "allow");
  assert.equal(decide({ to: "a@acme.com" }).effect, "deny");
  assert.equal(decide({}).message, 'Rule "to" cannot read these arguments: No such key: to.');
});

Deno.test("a deny or ask that names an unknown group is for everybody", () => {
  const policy = compile(`
groups: { known: { client: x } }
rules:
  - { id: all, allow: ${EVERYTHING} }
  - { id: typo, deny: write, for: [knwon] }
  - { id: granted, allow: write, for: [knwon] }
tools: { s: { write: [t], read: [r] } }
`);
  assert.equal(policy.decide(request(makeTool("s", "t"))).effect, "deny");
  assert.equal(policy.decide(request(makeTool("s", "r"))).effect, "allow");
});
