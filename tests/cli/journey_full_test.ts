/** The command line over the real service and the embedded demo, in this process and beside one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { splitLines } from "../../src/cli/split_lines.ts";
import { type CliRun, runIn, withFolder } from "./cli_fixture.ts";

const JOIN = `
const orders = await tools.orders.list({ since: "2026-04-01" });
const customers = await tools.customers.batchGet({ ids: orders.map((o) => o.customerId) });
return orders.map((o) => ({ ...o, customer: customers[o.customerId] })).filter((o) => o.total > 100).slice(0, 3);
`;

/** A configuration without spare hosts: each command of a test is a start of its own. */
const CONFIG = "sandbox: { warm: 1 }\npreflight: off\nserver: { port: 0, drainMs: 500 }\n";

const stdin = (text: string) => ({ readStdin: () => Promise.resolve(text) });

Deno.test("a newcomer searches, runs, is denied and reads the audit, without a service", async (t) => {
  await withFolder(async (folder) => {
    await t.step("search answers with declarations", async () => {
      const run = await runIn(folder, ["search", "list orders", "--limit", "2"]);
      assert.equal(run.code, 0, run.stderr);
      assert.match(run.stdout, /orders\.list|list\(args/);
    });
    let execution = "";
    await t.step("run joins two servers and prints three rows", async () => {
      const run = await runIn(folder, ["run", "-", "--json"], stdin(JOIN));
      assert.equal(run.code, 0, run.stdout);
      const { result, executionId } = JSON.parse(run.stdout);
      assert.equal(result.length, 3);
      assert.ok(
        result.every((row: { total: number; customer: unknown }) =>
          row.total > 100 && typeof row.customer === "object"
        ),
      );
      execution = executionId;
    });
    await t.step("audit show prints code hash, both calls, decisions and times", async () => {
      const run = await runIn(folder, ["audit", "show", execution]);
      assert.match(run.stdout, /code +sha256:[0-9a-f]{64}/);
      assert.match(run.stdout, /tool +orders\.list read/);
      assert.match(run.stdout, /tool +customers\.batchGet read/);
      assert.match(run.stdout, /decision +allow, because of rule read/);
      assert.match(run.stdout, /times +.*total [\d.]+ ms/);
    });
    await t.step("a call denied for its arguments ends with 3 and names the rule", async () => {
      const program = 'await tools.orders.update({ id: "ord-00001", status: "cancelled" });';
      const run = await runIn(folder, ["run", "-"], stdin(program));
      assert.equal(run.code, 3);
      assert.match(run.stderr, /no-cancelling/);
      const audit = await runIn(folder, ["audit", "list", "--effect", "deny", "--json"]);
      const records = audit.stdout.trim().split("\n").map((line) => JSON.parse(line));
      assert.ok(records.some((record) => record.tool.name === "update"), audit.stdout);
    });
    await t.step("a tool that nobody may use does not exist", async () => {
      const program = 'await tools.customers.delete({ id: "cus-00001" });';
      const run = await runIn(folder, ["run", "-"], stdin(program));
      assert.equal(run.code, 1);
      assert.match(run.stderr, /ERR_TOOL_NOT_FOUND/);
      assert.doesNotMatch((await runIn(folder, ["types"])).stdout, /Removes a customer/);
      assert.equal((await runIn(folder, ["tools", "show", "customers.delete"])).code, 1);
    });
    await t.step("policy check, test and explain", async () => {
      assert.equal((await runIn(folder, ["policy", "check"])).code, 0);
      assert.equal((await runIn(folder, ["policy", "test"])).code, 0);
      const args = ["policy", "explain", "--call", "orders.refund", "--args", '{"amount":5}'];
      const explained = await runIn(folder, args);
      assert.match(explained.stdout, /^orders\.refund: ask, because of refund, write/);
      assert.match(explained.stdout, /approval by owner/);
    });
    await t.step("keys are made once, listed without the secret, and revoked", async () => {
      const made = await runIn(folder, ["keys", "create", "--name", "ci", "--json"]);
      const { id, key } = JSON.parse(made.stdout);
      const list = await runIn(folder, ["keys", "list", "--json"]);
      assert.ok(list.stdout.includes(id) && !list.stdout.includes(key));
      assert.equal((await runIn(folder, ["keys", "revoke", id])).code, 0);
      assert.equal((await runIn(folder, ["keys", "revoke", id])).code, 1);
    });
    await t.step("doctor finds all in order", async () => {
      const run = await runIn(folder, ["doctor", "--json"]);
      assert.equal(run.code, 0, run.stdout);
    });
  });
});

Deno.test("a broken policy: serve ends with 2 and its line, policy check with 1", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), "policies: ./p.yaml\n");
    const policy = "version: 1\nname: p\nrules:\n  - { id: a, alow: read }\n";
    await Deno.writeTextFile(join(folder, "p.yaml"), policy);
    const serve = await runProcess(folder, ["serve", "--port", "0"]);
    assert.equal(serve.code, 2);
    assert.match(serve.stderr, /p\.yaml:4/);
    const check = await runProcess(folder, ["policy", "check"]);
    assert.equal(check.code, 1);
    assert.match(check.stdout, /p\.yaml:4/);
  });
});

Deno.test("demo shows search, join, denial and audit, and leaves nothing behind", async () => {
  await withFolder(async (folder) => {
    const made: string[] = [];
    const makeTempDir = async () => {
      const path = await Deno.makeTempDir({ dir: folder });
      made.push(path);
      return path;
    };
    const run = await runIn(folder, ["demo"], { makeTempDir });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /bytes kept out of the context/);
    assert.match(run.stdout, /denied: .*no-cancelling/);
    assert.match(run.stdout, /call\.intent +local +orders\.list +allow/);
    assert.equal(made.length, 1);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("serve in a process of its own: commands use it, SIGTERM drains it", async (t) => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), CONFIG);
    const child = startServe(folder);
    const lines = splitLines(child.stdout);
    const errors = new Response(child.stderr).text();
    const { value = "" } = await lines.next();
    const { mcpUrl, pid } = JSON.parse(value);
    assert.equal(pid, child.pid);

    await t.step("commands go through it", async () => {
      const createApp = () => assert.fail("a second application was started");
      const run = await runIn(folder, ["run", "-"], { createApp, ...stdin("return 1 + 1") });
      assert.deepEqual([run.code, run.stdout], [0, "2\n"], run.stderr);
    });
    await t.step("SIGHUP reads the policy again", () => child.kill("SIGHUP"));
    await t.step("a second service is refused", async () => {
      const run = await runIn(folder, ["serve"]);
      assert.equal(run.code, 2);
      assert.match(run.stderr, new RegExp(`process ${pid} already serves`));
    });
    await t.step("its port cannot be taken twice", async () => {
      const { port } = new URL(mcpUrl);
      await withFolder(async (other) => {
        const run = await runIn(other, ["serve", "--port", port]);
        assert.equal(run.code, 2);
        assert.match(run.stderr, new RegExp(`port ${port} is in use|the port is in use`));
      });
    });
    await t.step("SIGTERM ends it with 0, also while somebody follows the audit", async () => {
      const tail = toolgate(folder, ["audit", "tail", "--json"]).spawn();
      const records = splitLines(tail.stdout);
      await records.next();
      child.kill("SIGTERM");
      assert.equal((await child.status).code, 0, await errors);
      assert.match(await errors, /Policy default is in force, digest/);
      await lines.return(undefined);
      await records.return(undefined);
      await tail.stderr.cancel();
      await tail.status;
    });
    await t.step("what it left does not keep the next command from working", async () => {
      const run = await runIn(folder, ["audit", "list", "--limit", "1", "--json"]);
      assert.equal(run.code, 0, run.stderr);
      assert.equal(JSON.parse(run.stdout).v, 1);
    });
  });
});

Deno.test("policy check says whether the service decides with what was checked", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "policy.yaml");
    const write = (name: string, tests = "") =>
      Deno.writeTextFile(
        path,
        `version: 1\nname: ${name}\nrules: [{ id: reads, allow: read }]\n${tests}`,
      );
    await write("first");
    await Deno.writeTextFile(join(folder, "toolgate.yaml"), `${CONFIG}policies: ./policy.yaml\n`);
    const child = startServe(folder);
    const lines = splitLines(child.stdout);
    await lines.next();
    const check = async () => await runIn(folder, ["policy", "check"]);
    assert.match((await check()).stderr, /The service has it in force since 2\d{3}-/);

    await write(
      "second",
      "tools: { pay: { read: [get] } }\ntests: [{ as: {}, call: pay.get, expect: deny }]\n",
    );
    const isRefused = async () =>
      JSON.parse((await runIn(folder, ["policy", "check", "--json"])).stdout).rejected !== null;
    for (let tries = 0; !await isRefused(); tries++) assert.ok(tries < 100, "never read");
    const refused = await check();
    assert.match(refused.stderr, /NOT in force: the service decides with "first", digest /);
    assert.match(refused.stderr, /has not activated these files: /);
    assert.equal(refused.code, 1);

    await Deno.writeTextFile(path, "name: [");
    const broken = await check();
    assert.match(broken.stderr, /NOT in force: the service decides with "first", digest /);
    assert.equal(broken.code, 1);
    child.kill("SIGTERM");
    await child.status;
    await lines.return(undefined);
    await child.stderr.cancel();
  });
});

function startServe(folder: string): Deno.ChildProcess {
  return toolgate(folder, ["serve", "--json"]).spawn();
}

async function runProcess(folder: string, args: readonly string[]): Promise<CliRun> {
  const { code, stdout, stderr } = await toolgate(folder, args).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** toolgate in a process of its own, with the folder's configuration. */
function toolgate(folder: string, args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--cached-only", "--no-prompt", "--allow-net", "--allow-read", "--allow-write"],
      ...["--allow-env", "--allow-run", "--allow-sys", "--config", "deno.json", "main.ts"],
      ...[...args, "--config", join(folder, "toolgate.yaml")],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}
