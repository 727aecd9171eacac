/** The recipes of docs/usage.md and README.md, as they stand there, over a service with two teams. */
import assert from "node:assert/strict";
import { withApp } from "../fakes/app.ts";
import { type CliRun, runIn } from "./cli_fixture.ts";

const DOCS = await Deno.readTextFile(new URL("../../docs/usage.md", import.meta.url));
const RECIPES = [...DOCS.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, text = ""]) =>
  text.trim().split("\n")
);

/** Those of README.md, without the words that stand before the program's name in a clone. */
const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const README_RECIPES =
  /## What happened[^]*?```sh\n([^]*?)```/.exec(README)?.[1]?.trim().split("\n")
    .filter((line) => !line.startsWith("#")).map((line) => line.replace(/^deno task /, "")) ?? [];

const PAY = {
  command: Deno.execPath(),
  args: ["run", "--no-prompt", new URL("../fakes/pay_server.ts", import.meta.url).pathname],
};

const POLICY = `
version: 1
name: teams
groups: { finance: { claim: groups, has: finance }, sales: { claim: groups, has: sales } }
tools:
  pay: { read: [get], write: [refund], price: { refund: 0.5, get: 0.01 } }
rules:
  - { id: read, allow: read }
  - { id: refunds, allow: write, for: [finance], when: "args.amount <= 1000" }
  - { id: small-refunds, allow: write, for: [sales], when: "args.amount <= 50" }
`;

/** Amounts that were asked for, by whom. */
const REFUNDS = [["ada", 40], ["ada", 250], ["ada", 950], ["bob", 20], ["bob", 300]] as const;

/** A recipe's words; a program's id where the recipe says EXECUTION. */
function wordsOf(recipe: string, execution: string): string[] {
  const words = [...recipe.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
  return words.slice(1).map((word) => word === "EXECUTION" ? execution : word ?? "");
}

Deno.test("the recipes of docs/usage.md and README.md answer what they promise", async (t) => {
  assert.equal(RECIPES.length, 7);
  assert.equal(README_RECIPES.length, 4);
  await withApp({ policy: POLICY, auth: "keys", mcpServers: { pay: PAY } }, async (test) => {
    const keyOf = async (name: string, group: string) =>
      (await test.json<{ key: string }>("POST", "/keys", { name, groups: [group] })).key;
    const keys = { ada: await keyOf("ada", "finance"), bob: await keyOf("bob", "sales") };
    let execution = "";
    for (const [who, amount] of REFUNDS) {
      const code = `await tools.pay.get({ id: "p1" });
        return await tools.pay.refund({ amount: ${amount}, customer: "c" });`;
      const { executionId } = await test.json<{ executionId: string }>(
        "POST",
        "/execute",
        { code },
        keys[who],
      );
      if (amount === 250) execution = executionId;
    }
    const cli = (recipe: string, ...more: string[]): Promise<CliRun> =>
      runIn(test.folder, [...wordsOf(recipe, execution), ...more], {
        createApp: () => Promise.resolve({ ...test.app, close: () => Promise.resolve() }),
      });
    const recipe = (part: string) => {
      const found = RECIPES.find((line) => line.includes(part));
      assert.ok(found !== undefined, part);
      return found;
    };

    await t.step("every recipe ends with 0", async () => {
      for (const line of [...RECIPES, ...README_RECIPES]) {
        const run = await cli(line);
        assert.equal(run.code, 0, `${line}\n${run.stdout}${run.stderr}`);
        assert.notEqual(run.stdout, "", line);
      }
    });
    await t.step(
      "who called pay.refund above 100, under which rule, with what result",
      async () => {
        const line = recipe("--where");
        const text = (await cli(line)).stdout;
        assert.match(
          text,
          /ada +pay\.refund +\{"amount":250,"customer":"c"\} +allow +rule refunds +\{"refunded":250\}/,
        );
        const rows = (await cli(line, "--json")).stdout.trim().split("\n").map((row) =>
          JSON.parse(row)
        );
        assert.deepEqual(
          rows.map((row) => [row.principal, JSON.parse(row.args).amount, row.status, row.because]),
          [
            ["bob", 300, "ERR_POLICY_DENIED", ["no-allow-rule"]],
            ["ada", 950, "ERR_UPSTREAM", ["refunds"]],
            ["ada", 250, "ok", ["refunds"]],
          ],
        );
        const { records } = await test.json<{ records: { detail: unknown }[] }>(
          "GET",
          "/audit?kind=admin&limit=1",
        );
        assert.deepEqual(records[0]?.detail, {
          action: "payloads.read",
          calls: 3,
          tool: "pay.refund",
          where: "args.amount > 100",
        });
      },
    );
    await t.step("what team finance cost", async () => {
      const text = (await cli(recipe("--by group --since 30d"))).stdout;
      // Three refunds (one failed at the bank, and is paid for) and three reads.
      assert.match(text, /^finance +\$1\.53 +6 +1 +0 /m);
      assert.match(text, /^sales +\$0\.5200 +4 +0 +1 /m);
      const csv = (await cli(recipe("--csv"))).stdout;
      assert.match(csv, /^group,cost_usd,/);
      assert.match(csv, /^finance,1\.53,/m);
    });
    await t.step("which tool fails most", async () => {
      const usage = await cli(recipe("--by tool"), "--json");
      const { rows } = JSON.parse(usage.stdout);
      const most = rows.toSorted((a: { failed: number }, b: { failed: number }) =>
        b.failed - a.failed
      )[0];
      assert.deepEqual([most.key, most.failed, most.refused, most.calls], ["pay.refund", 1, 1, 5]);
    });
    await t.step("what a program did, proven", async () => {
      const run = await cli(recipe("replay"));
      assert.match(run.stdout, /^identical: 2 of 2 calls, ended ok$/m);
    });
  });
});
