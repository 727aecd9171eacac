/** What `policy check|test|explain` say of files that cannot be activated. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type CliRun, runIn, withFolder } from "./cli_fixture.ts";

const PAY_SERVER = new URL("../fakes/pay_server.ts", import.meta.url).pathname;

const POLICY = `version: 1
name: pay
groups:
  finance: { claim: groups, has: acme-finance }
tools: { pay: { read: [get], write: [refund] } }
rules:
  - { id: read, allow: read }
  - { id: refunds, allow: write, tools: [pay.refund], for: [finance], when: args.amount <= 500 }
tests:
  - { as: { groups: [acme-finance] }, call: pay.refund, args: { amount: 40 }, expect: allow }
`;

/** Runs command lines against one policy over the payment server. */
async function withPolicy(
  policy: string,
  use: (run: (...args: string[]) => Promise<CliRun>) => Promise<void>,
  args: readonly string[] = ["run", "--cached-only", PAY_SERVER],
): Promise<void> {
  await withFolder(async (folder) => {
    const config = {
      store: "memory:",
      mcpServers: { pay: { command: Deno.execPath(), args } },
      policies: "./p.yaml",
    };
    await Deno.writeTextFile(join(folder, "toolgate.json"), JSON.stringify(config));
    await Deno.writeTextFile(join(folder, "p.yaml"), policy);
    await use((...args) => runIn(folder, args));
  });
}

Deno.test("policy check names the typo that makes the tests fail, with its line and remedy", async () => {
  await withPolicy(POLICY.replace("args.amount", "args.amout"), async (run) => {
    const check = await run("policy", "check");
    assert.equal(check.code, 1);
    const [first, second, ...rest] = check.stdout.trim().split("\n");
    assert.match(
      first ?? "",
      /p\.yaml:8: rule "refunds": no argument "amout".*; did you mean "amount"\?$/,
    );
    assert.match(second ?? "", /p\.yaml:10: pay\.refund expected allow, got deny .*amout/);
    assert.deepEqual(rest, []);
    const json = JSON.parse((await run("policy", "check", "--json")).stdout);
    assert.equal(json.ok, false);
    assert.equal(json.name, "pay");
    assert.deepEqual(
      json.problems.map(({ kind, line, near }: Record<string, unknown>) => [kind, line, near]),
      [["condition", 8, "amount"], ["test", 10, null]],
    );
  });
});

Deno.test("policy test counts, and explain explains, a policy that cannot be activated", async () => {
  await withPolicy(POLICY.replace("expect: allow", "expect: deny"), async (run) => {
    const test = await run("policy", "test", "--json");
    assert.equal(test.code, 1);
    const { total, passed, failures } = JSON.parse(test.stdout);
    assert.deepEqual([total, passed, failures.length], [1, 0, 1]);
    const args = ["--as", '{"groups":["finance"]}', "--call", "pay.refund"];
    const explain = await run("policy", "explain", ...args, "--args", '{"amount":40}', "--json");
    assert.equal(JSON.parse(explain.stdout).effect, "allow");
    assert.match(explain.stderr, /cannot be activated:[^]*p\.yaml:10/);
    const serve = await run("serve", "--port", "0");
    assert.equal(serve.code, 2, "a service refuses to start with it");
    assert.match(serve.stderr, /p\.yaml:10/);
    const tools = await run("tools", "list");
    assert.equal(tools.code, 2, "and so does every other command");
  });
});

Deno.test("policy explain takes groups by their own name and by the value of the claim", async () => {
  await withPolicy(POLICY, async (run) => {
    for (const name of ["finance", "acme-finance"]) {
      const as = JSON.stringify({ groups: [name] });
      const args = ["--as", as, "--call", "pay.refund", "--args", '{"amount":40}', "--json"];
      const explain = await run("policy", "explain", ...args);
      const { effect, because, notes } = JSON.parse(explain.stdout);
      assert.deepEqual([effect, because, notes], ["allow", ["refunds"], []], name);
    }
  });
});

Deno.test("policy explain says what of the question nothing knows", async () => {
  await withPolicy(POLICY, async (run) => {
    const as = '{"groups":["finanse"],"grups":["x"]}';
    const explain = await run("policy", "explain", "--as", as, "--call", "pay.refnd");
    assert.match(explain.stderr, /no tool "pay\.refnd".*did you mean "pay\.refund"/);
    assert.match(explain.stderr, /"finanse"; did you mean "finance"/);
    assert.match(explain.stderr, /claim "grups"; did you mean "groups"/);
  });
});

Deno.test("policy check holds nothing against a server that does not answer", async () => {
  await withPolicy(POLICY, async (run) => {
    const check = await run("policy", "check");
    assert.equal(check.code, 0, check.stdout);
    assert.match(check.stdout, /^warning .*p\.yaml: server "pay" does not answer/);
  }, ["eval", "Deno.exit(1)"]);
});
