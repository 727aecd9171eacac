import assert from "node:assert/strict";
import type { Tool } from "../../src/model/tool.ts";
import { defaultPolicy, openPolicy } from "../../src/policy/builtin_policies.ts";
import { compile, EVERYTHING, request } from "./policy_fixture.ts";
import { makePrincipal, makeTool } from "./sample_tools.ts";

Deno.test("classify() follows the operator, takes the worst of two, and fears what it does not know", () => {
  const policy = compile(`
tools:
  pay: { read: [get_*, both], write: [refund, both], destructive: [get_rid_*] }
  "*": { read: [ping] }
  my-mail: { write: [send_it] }
`);
  const access = (server: string, name: string, more: Partial<Tool> = {}) =>
    policy.classify(makeTool(server, name, more));
  assert.equal(access("pay", "get_refund"), "read");
  assert.equal(access("pay", "refund"), "write");
  assert.equal(access("pay", "both"), "write");
  assert.equal(access("pay", "get_rid_of"), "destructive");
  assert.equal(access("pay", "unknown"), "destructive");
  assert.equal(access("other", "ping"), "read");
  assert.equal(access("my-mail", "send-it"), "write", "identifier spelling");
  const lies = { hints: { readOnly: true, destructive: false } };
  assert.equal(access("pay", "unknown", lies), "destructive", "hints are advice, not class");
  assert.equal(access("pay", "refund", lies), "write");
  assert.equal(access("pay", "resource", { kind: "resource" }), "destructive");
});

Deno.test("classify() gives an HTTP operation the class of its method unless the operator says otherwise", () => {
  const policy = compile("tools: { api: { write: [search] } }");
  const access = (method: string, name = "op") =>
    policy.classify(makeTool("api", name, { http: { method, path: "/" } }));
  assert.equal(access("GET"), "read");
  assert.equal(access("head"), "read");
  assert.equal(access("POST"), "write");
  assert.equal(access("PUT"), "write");
  assert.equal(access("PATCH"), "write");
  assert.equal(access("DELETE"), "destructive");
  assert.equal(access("PURGE"), "destructive");
  assert.equal(access("GET", "search"), "write");
});

Deno.test("price() and isUntrusted() follow the patterns of the server", () => {
  const policy = compile(`
tools:
  pay: { price: { "*": 0.01, refund: 0.02 } }
  web: { untrusted: true }
  mix: { untrusted: [fetch*] }
`);
  assert.equal(policy.price(makeTool("pay", "refund")), 0.02);
  assert.equal(policy.price(makeTool("pay", "other")), 0.01);
  assert.equal(policy.price(makeTool("web", "refund")), 0);
  assert.ok(policy.isUntrusted(makeTool("web", "anything")));
  assert.ok(policy.isUntrusted(makeTool("mix", "fetch_page")));
  assert.ok(!policy.isUntrusted(makeTool("mix", "add")));
});

Deno.test("groups() reads claims, clients and subjects, and nothing that is inherited", () => {
  const policy = compile(`
groups:
  eng: { claim: groups, has: acme-eng }
  dotted: { claim: "https://acme.com/roles", has: admin }
  nested: { claim: realm_access.roles, has: admin }
  ci: { client: ci-bot }
  ann: { sub: ann }
  both: { client: ci-bot, claim: groups, has: acme-eng }
  odd: { claim: constructor, has: Object }
`);
  const groups = (more: Parameters<typeof makePrincipal>[0]) =>
    policy.groups(makePrincipal(more)).toSorted();
  assert.deepEqual(groups({ claims: { groups: ["x", "acme-eng"] } }), ["eng"]);
  assert.deepEqual(groups({ claims: { groups: "acme-eng" } }), ["eng"]);
  assert.deepEqual(groups({ claims: { groups: "acme-eng other" } }), []);
  assert.deepEqual(groups({ claims: { groups: { "acme-eng": true } } }), []);
  assert.deepEqual(groups({ claims: { groups: [["acme-eng"], 1, null] } }), []);
  assert.deepEqual(groups({ claims: { "https://acme.com/roles": ["admin"] } }), ["dotted"]);
  assert.deepEqual(groups({ claims: { realm_access: { roles: ["admin"] } } }), ["nested"]);
  assert.deepEqual(groups({ client: "ci-bot" }), ["ci"]);
  assert.deepEqual(groups({ client: "ci-bot", claims: { groups: ["acme-eng"] } }), [
    "both",
    "ci",
    "eng",
  ]);
  assert.deepEqual(
    groups({ issuer: "keys", client: "9f2c", sub: "ci-bot" }),
    ["ci"],
    "a key's name",
  );
  assert.deepEqual(groups({ issuer: "keys", client: "ci-bot", sub: "x" }), ["ci"], "a key's id");
  assert.deepEqual(groups({ issuer: "https://idp", client: "x", sub: "ci-bot" }), [], "a person");
  assert.deepEqual(groups({ sub: "ann" }), ["ann"]);
  assert.deepEqual(groups({ claims: JSON.parse('{"__proto__":{"groups":["acme-eng"]}}') }), []);
});

Deno.test("without spaces there is one space with all tools", () => {
  const policy = compile("rules: [{ id: r, allow: [read, write, destructive] }]");
  const tool = makeTool("pay", "refund");
  assert.deepEqual(policy.spaces, ["default"]);
  assert.ok(policy.canEnter(makePrincipal(), "default"));
  assert.ok(!policy.canEnter(makePrincipal(), "other"));
  assert.equal(policy.decide(request(tool)).effect, "allow");
  assert.equal(policy.decide(request(tool, { space: "other" })).effect, "hidden");
  const narrow = makePrincipal({ spaces: ["other"] });
  assert.ok(!policy.canEnter(narrow, "default"));
  assert.equal(policy.decide(request(tool, { principal: narrow })).effect, "hidden");
});

Deno.test("with spaces the default space is the union of those that the principal may enter", () => {
  const policy = compile(`
groups: { a: { claim: groups, has: a }, b: { claim: groups, has: b } }
spaces:
  one: { for: [a], tools: [pay.*] }
  two: { for: [b], tools: [mail.*] }
  all: { tools: [web.*] }
rules: [{ id: r, allow: [read, write, destructive] }]
`);
  const tools = [makeTool("pay", "x"), makeTool("mail", "x"), makeTool("web", "x")];
  const sees = (groups: string[], space: string, spaces: string[] | null = null) => {
    const principal = makePrincipal({ claims: { groups }, spaces });
    return tools.filter((tool) => policy.visibility(principal, space, tool) !== null)
      .map(({ server }) => server);
  };
  assert.deepEqual(policy.spaces, ["one", "two", "all"]);
  assert.deepEqual(sees(["a", "b"], "default"), ["pay", "mail", "web"]);
  assert.deepEqual(sees(["a"], "default"), ["pay", "web"]);
  assert.deepEqual(sees(["a"], "one"), ["pay"]);
  assert.deepEqual(sees(["a"], "two"), []);
  assert.deepEqual(sees([], "all"), ["web"]);
  assert.deepEqual(sees(["a"], "nowhere"), []);
  assert.deepEqual(sees(["a", "b"], "default", ["two"]), ["mail"], "a narrow credential");
  assert.deepEqual(sees(["a", "b"], "one", ["two"]), []);
  assert.ok(policy.canEnter(makePrincipal(), "default"), "all is for everybody");
  assert.ok(!policy.canEnter(makePrincipal({ spaces: [] }), "default"));
  assert.ok(!policy.canEnter(makePrincipal(), "one"));
});

Deno.test("an operator may enter the union and finds nothing there that is not theirs", () => {
  const policy = compile(`
groups: { a: { claim: groups, has: a } }
spaces: { one: { for: [a], tools: ["*"] } }
rules: [{ id: r, allow: [read, write, destructive] }]
`);
  const admin = makePrincipal({ scopes: ["admin"] });
  assert.ok(policy.canEnter(admin, "default"));
  assert.ok(!policy.canEnter(admin, "one"));
  assert.ok(!policy.canEnter({ ...admin, spaces: ["one"] }, "default"));
  assert.ok(!policy.canEnter(makePrincipal({ scopes: ["audit"] }), "default"));
  assert.equal(policy.visibility(admin, "default", makeTool("pay", "x")), null);
  assert.equal(policy.decide(request(makeTool("pay", "x"), { principal: admin })).effect, "hidden");
});

Deno.test("a call through the union counts in every space that the tool comes from", () => {
  const policy = compile(`
groups: { a: { claim: groups, has: a }, b: { claim: groups, has: b } }
spaces:
  one: { for: [a], tools: [pay.*] }
  two: { for: [a], tools: [pay.x, mail.*] }
  three: { for: [b], tools: [pay.*] }
rules: [{ id: r, allow: [read, write, destructive] }]
`);
  const tool = makeTool("pay", "x");
  const both = makePrincipal({ claims: { groups: ["a"] } });
  assert.deepEqual(policy.countedIn(both, "default", tool), ["one", "two"]);
  assert.deepEqual(policy.countedIn(both, "two", tool), ["two"]);
  const narrow = { ...both, spaces: ["one"] };
  assert.deepEqual(policy.countedIn(narrow, "default", tool), ["one"]);
  assert.deepEqual(compile("rules: []").countedIn(both, "default", tool), ["default"]);
});

Deno.test("a file may define the default space itself", () => {
  const policy = compile(`
spaces: { default: { tools: [pay.*] }, more: { tools: [web.*] } }
rules: [{ id: r, allow: [read, write, destructive] }]
`);
  assert.equal(policy.decide(request(makeTool("pay", "x"))).effect, "allow");
  assert.equal(policy.decide(request(makeTool("web", "x"))).effect, "hidden");
});

Deno.test("observing hides nothing, blocks nothing and says what it would have done", () => {
  const policy = compile(`
mode: observe
groups: { a: { claim: groups, has: a } }
spaces: { one: { for: [a], tools: [pay.*] } }
rules: [{ id: no, deny: ${EVERYTHING}, message: stop }]
limits: [{ id: l, per: tenant, max: 1, unit: calls, every: 1h }]
output: { redact: [secrets], max: { bytes: 2048 }, schema: block }
`);
  assert.deepEqual(policy.limits, []);
  assert.deepEqual(policy.output, { redact: ["secrets"], schema: "warn" });
  assert.equal(policy.enforced().limits.length, 1);
  assert.equal(policy.enforced().output.schema, "block");
  const tool = makeTool("pay", "x");
  const other = makeTool("web", "x");
  assert.deepEqual(policy.visibility(makePrincipal(), "default", other), {
    access: "destructive",
    effect: "allow",
  });
  const member = makePrincipal({ claims: { groups: ["a"] } });
  const denied = policy.decide(request(tool, { principal: member, space: "one" }));
  assert.deepEqual([denied.effect, denied.observed, denied.because], ["allow", "deny", ["no"]]);
  const hidden = policy.decide(request(tool, { space: "one" }));
  assert.deepEqual([hidden.effect, hidden.observed, hidden.because], ["allow", "hidden", [
    "space",
  ]]);
  const narrow = makePrincipal({ spaces: ["two"] });
  assert.equal(policy.decide(request(tool, { principal: narrow })).effect, "hidden");
  assert.equal(policy.visibility(narrow, "default", tool), null);
});

Deno.test("limitsFor() gives the limits of the tool and of the principal's groups", () => {
  const policy = compile(`
groups: { a: { claim: groups, has: a } }
limits:
  - { id: all, per: tenant, max: 1, unit: calls, every: 1h }
  - { id: pay, per: tenant, max: 1, unit: calls, every: 1h, tools: [pay.*] }
  - { id: group-a, per: group, max: 1, unit: calls, every: 1h, for: [a] }
`);
  const ids = (server: string, groups: string[]) =>
    policy.limitsFor({
      principal: makePrincipal({ claims: { groups } }),
      tool: makeTool(server, "x"),
    }).map(({ id }) => id);
  assert.deepEqual(ids("pay", []), ["all", "pay"]);
  assert.deepEqual(ids("web", ["a"]), ["all", "group-a"]);
});

Deno.test("the digest follows what a policy says, not how it is written", () => {
  const one = compile("rules: [{ id: a, allow: read }, { id: b, deny: write }]");
  const same = compile(
    "# a comment\nrules:\n  - { deny: [write], id: b }\n  - { id: a, allow: read }",
  );
  const other = compile("rules: [{ id: a, allow: read }, { id: b, deny: destructive }]");
  assert.match(one.digest, /^[0-9a-f]{64}$/);
  assert.equal(one.digest, same.digest);
  assert.notEqual(one.digest, other.digest);
});

Deno.test("the default policy allows what hints call a read, and says how to allow the rest", () => {
  const policy = defaultPolicy();
  const read = makeTool("s", "get", { hints: { readOnly: true } });
  const get = makeTool("api", "get", { http: { method: "GET", path: "/" } });
  const write = makeTool("my s", "put", { hints: { destructive: false } });
  const unknown = makeTool("s", "unknown");
  const resource = makeTool("s", "file", { kind: "resource" });
  for (const tool of [read, get, resource]) {
    assert.equal(policy.decide(request(tool)).effect, "allow");
    assert.deepEqual(policy.visibility(makePrincipal(), "default", tool), {
      access: "read",
      effect: "allow",
    });
  }
  assert.equal(policy.classify(write), "write");
  assert.equal(policy.classify(unknown), "destructive");
  const denied = policy.decide(request(write));
  assert.equal(denied.effect, "deny");
  assert.ok(policy.visibility(makePrincipal(), "default", write) !== null, "all is visible");
  assert.deepEqual(policy.explain(request(write)).decision, denied);
  const advice = /tools: (\{.*\}) and rules: (\[.*\])\.$/.exec(denied.message);
  assert.ok(advice, denied.message);
  const [, tools, rules] = advice;
  const following = compile(`tools: ${tools}\nrules: ${rules}`);
  assert.equal(following.decide(request(write)).effect, "allow", "the advice works");
});

Deno.test("the open policy allows everything to everybody", () => {
  const policy = openPolicy();
  const tool = makeTool("s", "drop_database");
  assert.equal(policy.decide(request(tool)).effect, "allow");
  assert.deepEqual(policy.visibility(makePrincipal(), "default", tool), {
    access: "destructive",
    effect: "allow",
  });
});
