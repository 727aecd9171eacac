import assert from "node:assert/strict";
import type { Tool } from "../../../src/model/tool.ts";
import { blockingProblems, withUnlisted } from "../../../src/policy/check/check_policy.ts";
import { parsePolicy } from "../../../src/policy/file/parse_policy.ts";
import { renderProblem } from "../../../src/policy/file/policy_error.ts";
import { compilePolicy } from "../../../src/policy/policy.ts";
import { ACME_TOOLS, makeTool, objectSchema } from "../sample_tools.ts";

const acme = await Deno.readTextFile(new URL("../../../policies/acme-prod.yaml", import.meta.url));

function check(text: string, tools: readonly Tool[]): string[] {
  return compilePolicy(parsePolicy([{ path: "p.yaml", text }]), tools).problems
    .map((problem) => `${problem.severity} ${renderProblem(problem)}`);
}

/** Problems of the example after one change to its text. */
function checkChanged(from: string, to: string): string[] {
  assert.ok(acme.includes(from), `the example has no ${from}`);
  return check(acme.replace(from, to), ACME_TOOLS);
}

/** Problems of one rule against one tool, without the place. */
function checkRule(rule: string, schema: object): string[] {
  const text =
    `version: 1\nname: t\ntools: { s: { write: [t] } }\nrules:\n  - { id: r, ${rule} }\n`;
  return check(text, [makeTool("s", "t", { inputSchema: schema as Tool["inputSchema"] })])
    .map((problem) => problem.replace(/^(\w+) p\.yaml:5: rule "r": /, "$1 "));
}

Deno.test("checkPolicy() names file, line and the nearest name of each planted typo", () => {
  assert.deepEqual(checkChanged("when: args.amount > 50", "when: args.amout > 50"), [
    'error p.yaml:25: rule "big-refund": no argument "amout" (pay.refund); did you mean "amount"?',
  ]);
  assert.deepEqual(checkChanged("for: [finance], tools: [pay.*", "for: [finanse], tools: [pay.*"), [
    'error p.yaml:17: space "refunds": unknown group "finanse"; did you mean "finance"?',
  ]);
  assert.deepEqual(checkChanged("by: finance-leads", "by: finance-lead"), [
    'error p.yaml:26: rule "big-refund": unknown group "finance-lead"; did you mean "finance-leads"?',
  ]);
  assert.deepEqual(checkChanged("by: owner", "by: onwer"), [
    'error p.yaml:36: rule "write-after-untrusted-read": unknown group "onwer"; did you mean "owner"?',
  ]);
  assert.deepEqual(checkChanged("tools: [mail.send]\n    when", "tools: [mail.sned]\n    when"), [
    'error p.yaml:33: rule "no-outside-mail": "mail.sned" matches no tool; did you mean "mail.send"?',
  ]);
  assert.deepEqual(checkChanged("[github.*, web.*]", "[gihtub.*, web.*]"), [
    'error p.yaml:16: space "engineering": "gihtub.*" matches no tool, there is no server "gihtub"; ' +
    'did you mean "github"?',
  ]);
  assert.deepEqual(checkChanged("when: exec.tainted", "when: exec.taintd"), [
    'error p.yaml:36: rule "write-after-untrusted-read": no field "taintd" ' +
    '(pay.refund, mail.send, github.create_issue and 2 more); did you mean "tainted"?',
  ]);
  assert.deepEqual(checkChanged('a.endsWith("@acme.com")', 'a.endWith("@acme.com")'), [
    'error p.yaml:34: rule "no-outside-mail": endWith() is not offered; did you mean endsWith()?',
  ]);
  assert.deepEqual(checkChanged("unit: args.amount", "unit: args.amuont"), [
    'error p.yaml:41: limit "refund-day": pay.refund has no args.amuont; did you mean "amount"?',
  ]);
  assert.deepEqual(checkChanged("{amount} to", "{amuont} to"), [
    'warning p.yaml:27: rule "big-refund": no tool it is about has an argument for {amuont}; ' +
    'did you mean "amount"?',
  ]);
  assert.match(checkChanged("write: [send]", "write: [sned]")[0] ?? "", /did you mean "send"/);
});

Deno.test("checkPolicy() says nothing about tools when there are none, but still reads conditions", () => {
  assert.deepEqual(check(acme, []), []);
  const broken = check(acme.replace("args.amount > 50", "args.amount >> 50"), []);
  assert.equal(broken.length, 1);
  assert.match(broken[0] ?? "", /^error p\.yaml:25: rule "big-refund": /);
});

Deno.test("checkPolicy() type-checks conditions against the input schema", () => {
  const schema = objectSchema({
    amount: { type: "number" },
    count: { type: "integer" },
    name: { type: "string" },
    kind: { enum: ["a", "b"] },
    flag: { type: "boolean" },
    to: { type: "array", items: { type: "string" } },
    items: { type: "array", items: objectSchema({ price: { type: "number" } }) },
    customer: objectSchema({ id: { type: "string" } }),
    ref: { $ref: "#/$defs/thing" },
    any: {},
    either: { anyOf: [{ type: "string" }, { type: "number" }] },
    free: { type: "object", additionalProperties: { type: "string" } },
  });
  const withDefs = {
    ...(schema as object),
    $defs: { thing: objectSchema({ x: { type: "number" } }) },
  };
  const ask = (when: string) => checkRule(`allow: write, when: ${JSON.stringify(when)}`, withDefs);
  const fits = [
    "args.amount > 0 && args.amount <= 5000",
    "args.amount == 40",
    "args.amount in [1, 2]",
    "args.amount * 2 + 1 > 3",
    "args.count == 3",
    "args.kind == 'a'",
    "args.flag",
    "args.to.all(a, a.endsWith('x'))",
    "args.items.all(i, i.price < 10)",
    "args.customer.id == 'c1'",
    "args.ref.x > 1",
    "args.any.thing.deeper == 1",
    "args.either == 'x'",
    "args.free.anything == 'x'",
    "size(args) > 1",
    "'name' in args",
    "has(args.name) && args.name == 'x'",
    "user.sub == 'ann' && 'eng' in user.groups",
    "tool.server == 's'",
    "space == 'default'",
    "'web' in exec.sources",
    "args.name.glob('a*') || glob(args.name, 'b*')",
    "parts(args.name, ',').all(p, p.lower() == 'x')",
    "args.name != '' && timestamp(args.name) > timestamp('2026-01-01T00:00:00Z') - duration('24h')",
    "int(args.amount) % 2 == 0",
    "args.name.size() < 5 && int(args.name) > 1",
  ];
  for (const when of fits) assert.deepEqual(ask(when), [], when);
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["int(args.name) > 1", /int\(args\.name\) has no answer for a text .*a deny or ask matches/],
    ["has(args.name) && double(args.name) > 1", /double\(args\.name\) has no answer/],
    ["timestamp(args.name) > timestamp('2026-01-01T00:00:00Z')", /timestamp\(args\.name\) has no/],
    ["args.amout > 1", /no argument "amout" \(s\.t\); did you mean "amount"/],
    ["args['amout'] > 1", /no argument "amout"/],
    ["args.amount == '40'", /no such overload: double == string/],
    ["args.name > 1", /no such overload: string > int/],
    ["args.name.endsWith(1)", /no matching overload/],
    ["args.amount.startsWith('x')", /no matching overload/],
    ["args.to.endsWith('x')", /no matching overload/],
    ["args.to.all(a, a > 1)", /string > int/],
    ["args.items.all(i, i.prize < 10)", /no field "prize"/],
    ["args.customer.name == 'x'", /no field "name"/],
    ["args.ref.y > 1", /no field "y"/],
    ["has(args.nmae) && args.nmae == 'x'", /argument "nmae"; did you mean "name"/],
    ["has(args.nmae)", /no tool it is about has an argument "nmae"; did you mean "name"/],
    ["user.grups == []", /no field "grups" \(s\.t\); did you mean "groups"/],
    ["tool.sever == 's'", /no field "sever"/],
    ["args.amount", /must give bool/],
    ["args.name", /must give bool/],
  ];
  for (const [when, message] of wrong) {
    const problems = ask(when);
    assert.ok(problems.length > 0, `${when} was accepted`);
    assert.match(problems.join("\n"), message, when);
  }
});

Deno.test("checkPolicy() leaves open what the schema leaves open", () => {
  const ask = (schema: object) => checkRule("allow: write, when: args.anything == 1", schema);
  assert.deepEqual(ask({ type: "object" }), []);
  assert.deepEqual(ask({ type: "object", properties: { a: {} }, additionalProperties: true }), []);
  assert.deepEqual(
    ask({ type: "object", properties: { a: {} }, patternProperties: { "^x": {} } }),
    [],
  );
  assert.equal(ask({ type: "object", properties: { a: {} } }).length, 1);
  assert.equal(ask({ type: "object", properties: {}, additionalProperties: false }).length, 1);
});

Deno.test("checkPolicy() survives schemas made to break it", () => {
  const loop = { type: "object", properties: { a: { $ref: "#/properties/a" } } };
  assert.equal(checkRule("allow: write, when: args.a == 1", loop).length, 0);
  const self = { type: "object", properties: { a: { $ref: "#" } } };
  assert.equal(checkRule("allow: write, when: args.a.a.a.a.a.a.a.a.a == 1", self).length, 0);
  const proto = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"number"},"constructor":{"type":"string"}}}',
  );
  assert.deepEqual(checkRule("allow: write, when: args.constructor == 'x'", proto), []);
  const wide = objectSchema(
    Object.fromEntries(
      Array.from({ length: 3_000 }, (_, index) => [`p${index}`, { type: "string" }]),
    ),
  );
  assert.deepEqual(checkRule("allow: write, when: args.p2999 == 'x'", wide as object), []);
  const odd: readonly object[] = [
    { properties: null },
    { type: ["object", "null"], properties: { a: true } },
    { type: "object", properties: { a: { type: 7, items: 3 } } },
    { $ref: "https://example.com/schema" },
    { $ref: "#/nowhere" },
    { type: "object", properties: { a: { enum: [1, "x"] } } },
  ];
  for (const schema of odd) {
    assert.deepEqual(
      checkRule("allow: write, when: args.a == 1", schema),
      [],
      JSON.stringify(schema),
    );
  }
});

Deno.test("checkPolicy() reports rules that can never match and reserved names", () => {
  const text = `version: 1
name: t
groups: { owner: { client: x } }
tools: { pay: { read: [get_*] } }
rules:
  - { id: never, allow: write, tools: [pay.get_refund] }
tests:
  - { as: {}, call: pay.get_refund, space: nowhere, expect: deny }
`;
  assert.deepEqual(check(text, [makeTool("pay", "get_refund")]), [
    'error p.yaml:3: group "owner": the name is reserved for the signed-in user',
    'warning p.yaml:6: rule "never" never matches: no tool it names is write',
    'error p.yaml:8: unknown space "nowhere"',
  ]);
});

Deno.test("checkPolicy() wants tests to call tools that are there", () => {
  assert.deepEqual(checkChanged("call: pay.get_refund", "call: pay.get_refnud"), [
    'error p.yaml:49: there is no tool "pay.get_refnud"; did you mean "pay.get_refund"?',
  ]);
});

Deno.test("checkPolicy() wants a number behind a sum", () => {
  const limit = (unit: string) =>
    check(
      `version: 1\nname: t\nlimits:\n  - { id: l, per: tenant, max: 1, unit: ${unit}, every: 1h }\n`,
      [makeTool("s", "t", {
        inputSchema: objectSchema({
          amount: { type: ["number", "null"] },
          name: { type: "string" },
          order: objectSchema({ total: { type: "integer" } }),
          list: { type: "array", items: objectSchema({ total: { type: "integer" } }) },
        }),
      })],
    );
  assert.deepEqual(limit("args.amount"), []);
  assert.deepEqual(limit("args.order.total"), []);
  assert.deepEqual(limit("args.list.total"), []);
  assert.match(limit("args.name").join(), /has no number in args\.name/);
  assert.match(limit("args.order.totl").join(), /no args\.order\.totl; did you mean "total"/);
});

Deno.test("checkPolicy() bounds how many conditions run over the lists of one tool", () => {
  const policy = (count: number) =>
    `version: 1\nname: t\ntools: { s: { write: [t] } }\nrules:\n${
      Array.from(
        { length: count },
        (_, index) => `  - { id: r${index}, allow: write, when: "args.a.all(x, x > ${index})" }\n`,
      ).join("")
    }`;
  const tools = [makeTool("s", "t")];
  assert.deepEqual(check(policy(64), tools), []);
  assert.deepEqual(check(policy(65), tools), [
    "error p.yaml:69: 65 conditions with all(), exists(), map() or filter() are about s.t, " +
    "the limit is 64",
  ]);
});

Deno.test("blockingProblems() lets patterns of a server pass that is not listed now", () => {
  const { problems } = compilePolicy(
    parsePolicy([{ path: "p.yaml", text: acme }]),
    ACME_TOOLS.filter(({ server }) => server !== "mail"),
  );
  assert.ok(problems.length > 0);
  assert.deepEqual(blockingProblems(problems, (server) => server !== "mail"), []);
  assert.equal(blockingProblems(problems, () => true).length, problems.length);
  for (const problem of withUnlisted(problems, (server) => server !== "mail")) {
    assert.equal(problem.severity, "warning");
    assert.match(problem.message, /^cannot be judged while the server does not answer: /);
  }
  assert.deepEqual(withUnlisted(problems, () => true), problems);
});

Deno.test("checkPolicy() warns of a test that takes the name of a group for the claim", () => {
  assert.deepEqual(checkChanged("as: {groups: [acme-eng]}", "as: {groups: [eng]}"), [
    'warning p.yaml:49: "eng" is a group of this policy; "groups" in a test are values of the claim; ' +
    'did you mean "acme-eng"?',
  ]);
});
