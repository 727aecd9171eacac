import fc from "fast-check";
import assert from "node:assert/strict";
import { parsePolicy } from "../../../src/policy/file/parse_policy.ts";
import { PolicyError, renderProblem } from "../../../src/policy/file/policy_error.ts";

const HEAD = "version: 1\nname: test\n";

function parse(text: string, path = "p.yaml") {
  return parsePolicy([{ path, text }]);
}

function errorOf(...texts: string[]): PolicyError {
  try {
    parsePolicy(texts.map((text, index) => ({ path: `p${index}.yaml`, text })));
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error));
    return error;
  }
  assert.fail("the policy was accepted");
}

/** Every problem, one line each. */
function problemsOf(...texts: string[]): string[] {
  return errorOf(...texts).problems.map(renderProblem);
}

Deno.test("parsePolicy() reads every part of a file", () => {
  const document = parse(`${HEAD}
mode: observe
groups:
  eng: { claim: groups, has: acme-eng }
  ci: { client: ci-bot }
  ann: { sub: ann }
tools:
  pay: { read: [get_*], write: [refund], destructive: [wipe], price: { refund: 0.02 }, untrusted: [get_*] }
spaces:
  all: { tools: ["*"] }
rules:
  - { id: a, allow: [read, write], tools: [pay.*], for: [eng], scopes: [s], when: args.x == 1, message: m, observe: true }
  - { id: b, ask: write, by: owner, expires: 2h, covers: tool, max: 3 }
  - { id: c, deny: destructive }
limits:
  - { id: l, per: principal, max: 2.5, unit: usd, every: 1d, over: ask, by: eng, tools: [pay.*], for: [eng], message: stop }
output: { redact: [secrets, email, { name: case, pattern: "ACME-*" }], max: { bytes: 2048 }, schema: block }
tests:
  - { as: { groups: [g], scopes: [s], client: c, sub: u, claims: { x: [1] }, spaces: [all] }, call: pay.refund, args: { a: 1 }, exec: { tainted: true }, space: all, expect: ask owner }
`);
  assert.equal(document.mode, "observe");
  assert.deepEqual([...document.groups.keys()], ["eng", "ci", "ann"]);
  assert.deepEqual(document.rules.map(({ id, effect, observe }) => [id, effect, observe]), [
    ["a", "allow", true],
    ["b", "ask", false],
    ["c", "deny", false],
  ]);
  assert.deepEqual(document.rules[1]?.approval, {
    by: "owner",
    expiresMs: 7_200_000,
    covers: "tool",
    max: 3,
  });
  assert.equal(document.limits[0]?.per, "user");
  assert.equal(document.limits[0]?.everyMs, 86_400_000);
  assert.equal(document.output.max?.bytes, 2_048);
  assert.deepEqual(document.tests[0]?.exec, { tainted: true, sources: [] });
  assert.deepEqual(document.rules[1]?.place, { path: "p.yaml", line: 15 });
  assert.deepEqual(document.rules[0]?.placeOf("when"), { path: "p.yaml", line: 14 });
});

Deno.test("parsePolicy() reads JSON, which is YAML", () => {
  const text = JSON.stringify({ version: 1, name: "json", rules: [{ id: "r", allow: "read" }] });
  assert.equal(parse(text).rules.length, 1);
});

Deno.test("parsePolicy() names file, line and the nearest key of an unknown key", () => {
  const error = errorOf(`${HEAD}rules:\n  - id: a\n    allow: read\n    wehn: args.x\n`);
  assert.equal(error.code, "ERR_CONFIG");
  assert.equal(error.path, "p0.yaml");
  assert.equal(error.line, 6);
  assert.equal(error.near, "when");
  assert.match(error.message, /p0\.yaml:6: "rules\[0\]\.wehn" is an unknown key/);
  assert.match(error.hint, /Did you mean "when"/);
  assert.equal(errorOf(`${HEAD}gruops: {}\n`).near, "groups");
  assert.equal(errorOf(`${HEAD}tools: { pay: { raed: [x] } }\n`).near, "read");
  assert.equal(errorOf(`${HEAD}output: { redact: [] , schemas: off }\n`).near, "schema");
  assert.equal(errorOf(`${HEAD}spaces: { s: { tool: ["*"] } }\n`).near, "tools");
});

Deno.test("parsePolicy() reports all problems of all files at once", () => {
  const problems = problemsOf(
    `${HEAD}mode: watch\nrules:\n  - { id: a }\n`,
    `version: 2\nname: x\nlimits:\n  - { id: l, per: tenant, max: -1, unit: hours }\n`,
  );
  assert.ok(problems.some((text) => text.startsWith("p0.yaml:3:") && text.includes('"mode"')));
  assert.ok(problems.some((text) => text.startsWith("p0.yaml:5:")));
  assert.ok(problems.some((text) => text.startsWith("p1.yaml:1:") && text.includes('"version"')));
  assert.ok(problems.some((text) => text.startsWith("p1.yaml:4:") && text.includes("unit")));
});

Deno.test("parsePolicy() refuses rules that do not say one clear thing", () => {
  const rule = (text: string) => problemsOf(`${HEAD}rules:\n  - { id: a, ${text} }\n`).join("\n");
  assert.match(rule("allow: read, deny: write"), /exactly one of "allow", "ask", "deny"/);
  assert.match(rule("when: args.x"), /exactly one of/);
  assert.match(rule("ask: write"), /needs "by"/);
  assert.match(rule("allow: read, by: owner"), /"rules\[0\]\.by" goes with "ask" only/);
  assert.match(rule("deny: read, expires: 5m"), /goes with "ask" only/);
  assert.match(rule("ask: read, by: owner, max: 3"), /covers: tool/);
  assert.match(rule("ask: read, by: owner, expires: 5 minutes"), /duration such as 15m/);
  assert.match(rule("ask: read, by: owner, expires: 31d"), /duration/);
  assert.match(rule("allow: reed"), /read/);
  assert.match(rule("allow: []"), /at least 1/);
  assert.match(rule("allow: read, tools: []"), /at least 1/);
  assert.match(problemsOf(`${HEAD}rules: [{ id: space, allow: read }]`).join(), /reserved/);
  assert.match(problemsOf(`${HEAD}rules: [{ id: "a b", allow: read }]`).join(), /letters, digits/);
});

Deno.test("parsePolicy() refuses limits whose window makes no sense", () => {
  const limit = (text: string) => problemsOf(`${HEAD}limits:\n  - { id: a, ${text} }\n`).join("\n");
  assert.match(limit("per: tenant, max: 1, unit: calls"), /needs "every"/);
  assert.match(limit("per: execution, max: 1, unit: calls, every: 1h"), /per: execution/);
  assert.match(limit("per: tenant, max: 1.5, unit: calls, every: 1h"), /whole number/);
  assert.match(limit("per: tenant, max: 0, unit: usd, every: 1h"), /max/);
  assert.match(limit("per: tenant, max: 9000000001, unit: usd, every: 1h"), /at most/);
  assert.match(limit("per: tenant, max: 1, unit: args, every: 1h"), /args\.<path>/);
  assert.match(limit("per: tenant, max: 1, unit: usd, every: 1h, by: eng"), /over: ask/);
  assert.equal(
    parse(`${HEAD}limits: [{ id: a, per: tenant, max: 9000000000, unit: usd, every: 1h }]`).limits
      .length,
    1,
  );
});

Deno.test("parsePolicy() merges files, and names both places of a clash", () => {
  const first =
    `version: 1\nname: b\ngroups: { eng: { client: x } }\nrules: [{ id: a, allow: read }]\n`;
  const second =
    `version: 1\nname: a\ngroups: { ops: { client: y } }\nrules: [{ id: b, allow: write }]\n`;
  const document = parsePolicy([
    { path: "two.yaml", text: first },
    { path: "one.yaml", text: second },
  ]);
  assert.equal(document.name, "a+b");
  assert.deepEqual(document.files.map(({ path }) => path), ["one.yaml", "two.yaml"]);
  assert.deepEqual([...document.groups.keys()].toSorted(), ["eng", "ops"]);
  assert.equal(document.rules.length, 2);
  const clash = [
    "groups: { eng: { client: x } }",
    "tools: { pay: { read: [x] } }",
    "spaces: { s: { tools: [x] } }",
    "rules: [{ id: a, allow: read }]",
    "limits: [{ id: l, per: execution, max: 1, unit: calls }]",
    "output: { redact: [email] }",
  ];
  for (const section of clash) {
    const [problem, ...others] = problemsOf(`${HEAD}${section}\n`, `${HEAD}\n\n${section}\n`);
    assert.match(problem ?? "", /^p1\.yaml:5: .* is defined twice, first at p0\.yaml:3$/);
    assert.equal(others.length, 0);
  }
  assert.match(
    problemsOf(`${HEAD}rules: [{ id: a, allow: read }, { id: a, deny: read }]`).join(),
    /rule "a" is defined twice/,
  );
});

Deno.test("parsePolicy() marks the rules of an observing file among enforcing ones", () => {
  const rule = (id: string) =>
    `rules: [{ id: ${id}, allow: read }]\n` +
    `limits: [{ id: ${id}, per: execution, max: 1, unit: calls }]\n`;
  const mixed = parsePolicy([
    { path: "a.yaml", text: `${HEAD}${rule("a")}` },
    { path: "b.yaml", text: `${HEAD}mode: observe\n${rule("b")}` },
  ]);
  assert.equal(mixed.mode, "enforce");
  assert.deepEqual(mixed.rules.map(({ observe }) => observe), [false, true]);
  assert.deepEqual(mixed.limits.map(({ id }) => id), ["a"], "what only observes limits nothing");
});

Deno.test("parsePolicy() survives hostile YAML", () => {
  const bomb = `${HEAD}x: &a [1,1,1,1,1,1,1,1,1,1]\n` +
    "bcdefghij".split("").map((name, index) => {
      const before = "abcdefghi"[index];
      return `y${name}: &${name} [${Array(10).fill(`*${before}`).join(",")}]\n`;
    }).join("");
  assert.match(errorOf(bomb).message, /alias/i);
  assert.match(
    errorOf(`${HEAD}rules: ${"[".repeat(20_000)}`).message,
    /nested too deeply/,
  );
  assert.match(errorOf(`${HEAD}rules: ${"{a: ".repeat(20_000)}`).message, /nested too deeply/);
  assert.match(errorOf("x".repeat(4_194_305)).message, /4194305 characters/);
  const keys = (count: number) =>
    Array.from({ length: count }, (_, index) => `k${index}: { client: x }`).join(", ");
  assert.equal(parse(`${HEAD}groups: { ${keys(10_000)} }`).groups.size, 10_000);
  assert.match(
    errorOf(`${HEAD}groups: { ${keys(10_001)} }`).message,
    /p0\.yaml:3: more than 10000 keys/,
  );
  assert.match(errorOf(`${HEAD}a: &x *x\n`).message, /p0\.yaml/);
  assert.match(errorOf(`${HEAD}name: again\n`).message, /p0\.yaml:3: "name" is there twice/);
  assert.match(errorOf(`${HEAD}? [1, 2]\n: 3\n`).message, /a list or map cannot be a key/);
  assert.match(errorOf(`${HEAD}rules: !!js/function "x"\n`).message, /p0\.yaml/);
  assert.match(errorOf("").message, /"version"/);
  assert.match(errorOf("just text").message, /p0\.yaml/);
  assert.match(errorOf("- 1\n- 2\n").message, /p0\.yaml/);
  assert.match(errorOf(`${HEAD}\u0000: 1`).message, /p0\.yaml/);
});

Deno.test("parsePolicy() takes names that objects inherit for plain names", () => {
  const text = JSON.stringify({ version: 1, name: "n", groups: { constructor: { client: "x" } } });
  assert.deepEqual([...parse(text).groups.keys()], ["constructor"]);
  assert.match(errorOf(`${HEAD}groups: { __proto__: { client: x } }\n`).message, /__proto__/);
  assert.match(errorOf(`${HEAD}__proto__: { mode: observe }\n`).message, /"__proto__" cannot be/);
  assert.match(
    errorOf(`${HEAD}rules: [{ id: a, allow: read, __proto__: { deny: read } }]`).message,
    /p0\.yaml:3: "__proto__" cannot be a key/,
  );
  assert.match(errorOf(`${HEAD}toString: 1\n`).message, /unknown key/);
});

Deno.test("parsePolicy() either answers or names a place, whatever the text is", () => {
  const word = fc.constantFrom(
    ...["version", "name", "rules", "id", "allow", "read", ":", "- ", "{", "}", "[", "]", "\n"],
    ...["  ", "&a", "*a", "|", ">", "'", '"', "!", "%", "1", ",", "?", "#", "\t", "when", "args.x"],
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.array(word).map((words) => words.join(""))), (text) => {
      try {
        parse(text);
      } catch (error) {
        assert.ok(error instanceof PolicyError, `${error}`);
        assert.equal(error.path, "p.yaml");
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("parsePolicy() names the nearest word for a value that is none of those listed", () => {
  const file = (lines: string) => `version: 1\nname: p\n${lines}`;
  const cases: [string, number, string, RegExp][] = [
    ["mode: enforced", 3, "enforce", /"enforce", "observe"/],
    ["rules: [{ id: a, allow: wriet }]", 3, "write", /"read", "write", "destructive", a list/],
    [
      "limits:\n  - { id: a, per: user, max: 1, unit: cals, every: 1h }",
      4,
      "calls",
      /args\.<path>/,
    ],
    ["limits:\n  - { id: a, per: tenent, max: 1, unit: calls, every: 1h }", 4, "tenant", /"user"/],
    ["output: { redact: [secret] }", 3, "secrets", /"email", \{ name, pattern \}/],
    ["tests:\n  - { as: {}, call: a.b, expect: hiden }", 4, "hidden", /ask <group>/],
  ];
  for (const [lines, line, near, message] of cases) {
    const error = errorOf(file(lines));
    assert.equal(error.line, line, lines);
    assert.equal(error.near, near, lines);
    assert.match(error.message, message);
  }
});

Deno.test("parsePolicy() says what a number, a flag and a name may be", () => {
  const messageOf = (lines: string) => errorOf(`version: 1\nname: p\n${lines}`).message;
  const limit = "limits: [{ id: a, per: user, max: 0, unit: calls, every: 1h }]";
  assert.match(messageOf(limit), /must be more than 0, not 0/);
  assert.match(messageOf("tools: { a: { untrusted: yes } }"), /one of true, false, a list, not/);
  assert.match(messageOf("spaces: { my space: { tools: [a.b] } }"), /must be letters, digits/);
  assert.match(
    errorOf("version: 2\nname: p\n").message,
    /"version" must be 1, not 2/,
  );
});

Deno.test("parsePolicy() refuses numbers that are not finite", () => {
  for (const number of ["2000", ".inf", "-.inf", ".nan", "1e400"]) {
    for (
      const text of [
        `limits: [{ id: l, per: principal, max: ${number}, unit: usd, every: 1d }]`,
        `tools: { pay: { read: [x], price: { x: ${number} } } }`,
        `rules: [{ id: b, ask: write, by: owner, covers: tool, max: ${number} }]`,
        `output: { max: { bytes: ${number} } }`,
        `rules: [{ id: a, allow: read }]\ntests: [{ as: {}, call: pay.x, args: { n: [${number}] }, expect: allow }]`,
      ]
    ) {
      if (number === "2000") parse(`${HEAD}${text}\n`);
      else assert.ok(problemsOf(`${HEAD}${text}\n`).length > 0, text);
    }
  }
});
