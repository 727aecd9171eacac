import fc from "fast-check";
import assert from "node:assert/strict";
import type { Decision, DecisionRequest } from "../../src/model/decision.ts";
import type { Principal } from "../../src/model/principal.ts";
import type { Tool } from "../../src/model/tool.ts";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { compilePolicy, type Policy } from "../../src/policy/policy.ts";
import { makePrincipal, makeTool } from "./sample_tools.ts";

/**
 * The semantics of the policy, stated over random policies and random calls. Policies are written as
 * JSON, which is YAML.
 */

const TOOLS: readonly Tool[] = [
  makeTool("pay", "refund"),
  makeTool("pay", "get_refund"),
  makeTool("pay", "delete-all"),
  makeTool("my-mail", "send"),
  makeTool("web", "fetch"),
  makeTool("api", "op", { http: { method: "GET", path: "/" } }),
];
const GROUPS = ["a", "b", "c"];
const SPACES = [...Array<string>(9).fill("default"), "s1", "s2", "nowhere"];

/** Conditions that are true, false, or without an answer, depending on the call. */
const CONDITIONS = [
  "args.amount > 50",
  "args.amount == 40",
  "args.flag",
  "!args.flag",
  "args.to.all(a, a.endsWith('@acme.com'))",
  "exec.tainted",
  "'web' in exec.sources",
  "'a' in user.groups",
  "has(args.amount) && args.amount < 10",
  "tool.access == 'write'",
  "args.missing == 1",
  "args.name.glob('x*')",
  "size(args) > 1",
];

const patternArb = fc.constantFrom(
  "*",
  "pay.*",
  "pay.refund",
  "my-mail.*",
  "my_mail.send",
  "web.fetch",
  "*.op",
  "p*.get_*",
  "nope.*",
);
const EVERYTHING = ["read", "write", "destructive"];
const accessArb = fc.oneof(
  fc.constant(EVERYTHING),
  fc.uniqueArray(fc.constantFrom(...EVERYTHING), { minLength: 1, maxLength: 3 }),
);

function ruleArb(verbs: readonly string[]) {
  return fc.record({
    verb: fc.constantFrom(...verbs),
    access: accessArb,
    tools: fc.option(fc.uniqueArray(patternArb, { minLength: 1, maxLength: 3 }), {
      nil: undefined,
      freq: 2,
    }),
    for: fc.option(fc.uniqueArray(fc.constantFrom(...GROUPS), { minLength: 1, maxLength: 2 }), {
      nil: undefined,
      freq: 2,
    }),
    scopes: fc.option(fc.constant(["s"]), { nil: undefined, freq: 4 }),
    when: fc.option(fc.constantFrom(...CONDITIONS), { nil: undefined, freq: 2 }),
    by: fc.constantFrom("owner", ...GROUPS),
    covers: fc.constantFrom("call", "tool"),
    observe: fc.constant<boolean>(false),
  });
}
type RuleSketch = ReturnType<typeof ruleArb> extends fc.Arbitrary<infer T> ? T : never;

const anyRuleArb = ruleArb(["allow", "allow", "allow", "ask", "ask", "deny"]);

interface PolicySketch {
  readonly rules: readonly RuleSketch[];
  readonly withSpaces: boolean;
}

const policyArb: fc.Arbitrary<PolicySketch> = fc.record({
  rules: fc.array(anyRuleArb, { minLength: 1, maxLength: 8, size: "max" }),
  withSpaces: fc.constantFrom(false, false, true),
});

function writePolicy({ rules, withSpaces }: PolicySketch): string {
  return JSON.stringify({
    version: 1,
    name: "random",
    groups: Object.fromEntries(GROUPS.map((name) => [name, { claim: "groups", has: name }])),
    tools: {
      pay: { read: ["get_*"], write: ["refund"] },
      "my-mail": { write: ["send"] },
      web: { read: ["fetch"] },
    },
    ...(withSpaces
      ? { spaces: { s1: { for: ["a", "b"], tools: ["pay.*", "api.*"] }, s2: { tools: ["web.*"] } } }
      : {}),
    rules: rules.map((rule, index) => writeRule(rule, `r${index}`)),
  });
}

function writeRule({ verb, access, by, covers, ...rest }: RuleSketch, id: string): object {
  return { id, [verb]: access, ...rest, ...(verb === "ask" ? { by, covers } : {}) };
}

function compile(text: string): Policy {
  return compilePolicy(parsePolicy([{ path: "random.json", text }]), []).policy;
}

const principalArb: fc.Arbitrary<Principal> = fc.record({
  groups: fc.oneof(fc.constant(GROUPS), fc.uniqueArray(fc.constantFrom(...GROUPS, "z"))),
  scopes: fc.constantFrom([], ["s"], ["s"]),
  spaces: fc.constantFrom(null, null, null, null, null, ["s1"], ["default"], []),
}).map(({ groups, scopes, spaces }) => makePrincipal({ claims: { groups }, scopes, spaces }));

const argsArb = fc.record({
  amount: fc.oneof(fc.constantFrom(0, 5, 40, 51, "40", null, [1]), fc.double()),
  flag: fc.constantFrom(true, false, "true", null),
  to: fc.constantFrom([], ["x@acme.com"], ["x@evil.com"], "x@acme.com", [1], null),
  name: fc.constantFrom("x1", "y", 7),
}, { requiredKeys: [] });

const requestArb: fc.Arbitrary<DecisionRequest> = fc.record({
  principal: principalArb,
  space: fc.constantFrom(...SPACES),
  tool: fc.constantFrom(...TOOLS),
  args: fc.oneof(argsArb, argsArb, argsArb, fc.jsonValue({ maxDepth: 2 })),
  execution: fc.record({ tainted: fc.boolean(), sources: fc.constantFrom([], ["web"]) }),
});

Deno.test("random calls meet every effect, so that the properties below say something", () => {
  const counts = { hidden: 0, deny: 0, ask: 0, allow: 0 };
  fc.assert(
    fc.property(policyArb, requestArb, (sketch, request) => {
      counts[compile(writePolicy(sketch)).decide(request).effect]++;
    }),
    { numRuns: 400, seed: 1 },
  );
  for (const [effect, count] of Object.entries(counts)) {
    assert.ok(count >= 20, `${effect} came ${count} times`);
  }
});

/** Nothing, a person has to say yes, everything. */
const WIDTH = { hidden: 0, deny: 0, ask: 1, allow: 2 };

function isWider(after: Decision, before: Decision): boolean {
  if (WIDTH[after.effect] !== WIDTH[before.effect]) {
    return WIDTH[after.effect] > WIDTH[before.effect];
  }
  if (after.effect !== "ask") return false;
  // Every approver of before is still needed, and no grant reaches further.
  return before.approvals.some((old) => {
    const now = after.approvals.find(({ by }) => by === old.by);
    return now === undefined || now.expiresMs > old.expiresMs ||
      (old.covers === "call" && now.covers === "tool");
  });
}

Deno.test("the order of rules never matters", () => {
  fc.assert(
    fc.property(policyArb, requestArb, fc.infiniteStream(fc.nat()), (sketch, request, random) => {
      const policy = JSON.parse(writePolicy(sketch));
      const weights = policy.rules.map(() => random.next().value);
      const shuffled = {
        ...policy,
        rules: policy.rules.map((rule: unknown, index: number) => [weights[index], rule])
          .toSorted((a: [number], b: [number]) => a[0] - b[0])
          .map(([, rule]: [number, unknown]) => rule),
      };
      const [first, second] = [policy, shuffled].map((each) => compile(JSON.stringify(each)));
      assert.deepEqual(first?.decide(request), second?.decide(request));
      assert.equal(first?.digest, second?.digest);
    }),
    { numRuns: 300 },
  );
});

Deno.test("adding a deny or an ask never widens access", () => {
  fc.assert(
    fc.property(policyArb, ruleArb(["ask", "deny"]), requestArb, (sketch, extra, request) => {
      const before = compile(writePolicy(sketch)).decide(request);
      const wider = { ...sketch, rules: [...sketch.rules, extra] };
      const after = compile(writePolicy(wider)).decide(request);
      assert.ok(!isWider(after, before), JSON.stringify({ before, after }));
    }),
    { numRuns: 800 },
  );
});

Deno.test("adding an allow never takes access away", () => {
  fc.assert(
    fc.property(policyArb, ruleArb(["allow"]), requestArb, (sketch, extra, request) => {
      const before = compile(writePolicy(sketch)).decide(request);
      const after = compile(writePolicy({ ...sketch, rules: [...sketch.rules, extra] }))
        .decide(request);
      assert.ok(WIDTH[after.effect] >= WIDTH[before.effect]);
    }),
    { numRuns: 300 },
  );
});

Deno.test("a condition without an answer matches deny and ask, and does not match allow", () => {
  const failing = fc.constantFrom(
    "args.nope.deeper == 1",
    "args.amount.startsWith('x')",
    "args.amount",
    "1 / 0 == 1",
    "this does not parse",
    "args.amount.matches('(a+)+$')",
    "unknown == 1",
  );
  fc.assert(
    fc.property(failing, requestArb, (when, request) => {
      const call = {
        ...request,
        args: { amount: 40 },
        principal: makePrincipal(),
        space: "default",
      };
      const decide = (verb: string) => {
        const rule = { id: "r", [verb]: ["read", "write", "destructive"], when };
        const all = { id: "all", allow: ["read", "write", "destructive"] };
        const rules = verb === "allow"
          ? [rule]
          : [all, verb === "ask" ? { ...rule, by: "owner" } : rule];
        return compile(JSON.stringify({ version: 1, name: "n", rules })).decide(call);
      };
      assert.equal(decide("allow").effect, "deny");
      assert.deepEqual(decide("allow").because, ["no-allow-rule"]);
      assert.equal(decide("ask").effect, "ask");
      assert.equal(decide("deny").effect, "deny");
      assert.deepEqual(decide("deny").because, ["r", "all"]);
    }),
    { numRuns: 200 },
  );
});

Deno.test("without a rule there is no access and nothing to see", () => {
  fc.assert(
    fc.property(requestArb, (request) => {
      const policy = compile(JSON.stringify({ version: 1, name: "empty" }));
      const decision = policy.decide(request);
      assert.ok(decision.effect === "deny" || decision.effect === "hidden");
      assert.equal(policy.visibility(request.principal, request.space, request.tool), null);
    }),
  );
});

Deno.test("a tool that is not visible is never allowed and never asked for", () => {
  fc.assert(
    fc.property(policyArb, requestArb, (sketch, request) => {
      const policy = compile(writePolicy(sketch));
      if (policy.visibility(request.principal, request.space, request.tool) !== null) return;
      const { effect } = policy.decide(request);
      assert.ok(effect === "deny" || effect === "hidden");
    }),
    { numRuns: 400 },
  );
});

Deno.test("visibility says ask where some call may need an approval, allow where none does", () => {
  fc.assert(
    fc.property(policyArb, requestArb, (sketch, request) => {
      const policy = compile(writePolicy(sketch));
      const seen = policy.visibility(request.principal, request.space, request.tool);
      if (seen?.effect === "allow") assert.notEqual(policy.decide(request).effect, "ask");
    }),
    { numRuns: 400 },
  );
});

Deno.test("a hidden tool looks the same whatever the rules and the arguments say about it", () => {
  fc.assert(
    fc.property(policyArb, requestArb, requestArb, (sketch, request, other) => {
      const policy = compile(writePolicy({ ...sketch, withSpaces: true }));
      const first = policy.decide(request);
      if (first.effect !== "hidden") return;
      const second = policy.decide({ ...request, args: other.args, execution: other.execution });
      assert.deepEqual(second, first);
      assert.deepEqual({ ...first, access: null }, {
        effect: "hidden",
        access: null,
        because: ["space"],
        message: "",
        approval: null,
        approvals: [],
        observed: null,
      });
    }),
    { numRuns: 400 },
  );
});

Deno.test("explain() agrees with decide() and accounts for every rule", () => {
  fc.assert(
    fc.property(policyArb, requestArb, (sketch, request) => {
      const policy = compile(writePolicy(sketch));
      const decision = policy.decide(request);
      const explanation = policy.explain(request);
      assert.deepEqual(explanation.decision, decision);
      assert.deepEqual(explanation.rules.map(({ id }) => id), sketch.rules.map((_, i) => `r${i}`));
      if (decision.effect === "hidden") return;
      const matched = explanation.rules.filter((rule) => rule.matched).map(({ id }) => id);
      const because = decision.because.filter((word) => word !== "no-allow-rule");
      assert.deepEqual(matched, because.toSorted());
    }),
    { numRuns: 400 },
  );
});

Deno.test("equal calls get equal decisions, and other calls in between change nothing", () => {
  fc.assert(
    fc.property(
      policyArb,
      requestArb,
      fc.array(requestArb, { maxLength: 5 }),
      (sketch, request, others) => {
        const policy = compile(writePolicy(sketch));
        const first = policy.decide(request);
        for (const other of others) policy.decide(other);
        assert.deepEqual(policy.decide(structuredClone(request)), first);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("mode: observe decides the same and blocks nothing that a credential may see", () => {
  fc.assert(
    fc.property(policyArb, requestArb, (sketch, request) => {
      const text = writePolicy(sketch);
      const enforced = compile(text).decide(request);
      const policy = compile(JSON.stringify({ ...JSON.parse(text), mode: "observe" }));
      const observed = policy.decide(request);
      assert.deepEqual(observed.because, enforced.because);
      if (observed.effect === "allow") {
        assert.equal(observed.observed, enforced.effect === "allow" ? null : enforced.effect);
      } else {
        assert.equal(observed.effect, "hidden");
        assert.ok(
          request.principal.spaces !== null || !policy.canEnter(request.principal, request.space),
        );
      }
      assert.deepEqual(policy.enforced().decide(request), enforced);
    }),
    { numRuns: 300 },
  );
});

Deno.test("a rule with observe: true changes what is recorded and nothing else", () => {
  fc.assert(
    fc.property(policyArb, anyRuleArb, requestArb, (sketch, extra, request) => {
      const decideWith = (rules: readonly RuleSketch[]) =>
        compile(writePolicy({ ...sketch, rules })).decide(request);
      const without = decideWith(sketch.rules);
      const watched = decideWith([...sketch.rules, { ...extra, observe: true }]);
      const enforced = decideWith([...sketch.rules, extra]);
      assert.equal(watched.effect, without.effect);
      assert.deepEqual(watched.approvals, without.approvals);
      assert.equal(watched.message, without.message);
      assert.equal(watched.observed, enforced.effect === without.effect ? null : enforced.effect);
    }),
    { numRuns: 400 },
  );
});
