/** Makes `toolgate.run` and uses it as somebody would who has neither Deno nor Node. */
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { splitLines } from "../../src/cli/split_lines.ts";

interface Machine {
  readonly program: string;
  /** Empty at first. */
  readonly home: string;
  readonly work: string;
}

Deno.test("deno task pack makes one file that runs on an empty machine", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-pack-" });
  try {
    const machine = { program: `${folder}/toolgate.run`, home: `${folder}/home`, work: folder };
    await Deno.mkdir(machine.home);
    await pack(machine.program);

    await t.step("the same sources give the same bytes", async () => {
      await pack(`${folder}/again.run`);
      assert.equal(await digest(`${folder}/again.run`), await digest(machine.program));
    });
    await t.step("the first start unpacks into a folder of its user's own", async () => {
      const run = await start(machine, ["--version"]);
      assert.match(run.stdout, /^\d+\.\d+\.\d+\n$/);
      const [unpacked, ...others] = [...Deno.readDirSync(`${machine.home}/.cache/toolgate`)];
      assert.deepEqual(others, []);
      const { mode } = await Deno.stat(`${machine.home}/.cache/toolgate/${unpacked?.name}`);
      assert.equal((mode ?? 0) & 0o077, 0);
    });
    await t.step("two first starts at once leave one folder", async () => {
      const shared = { ...machine, home: `${folder}/shared` };
      const runs = await Promise.all([1, 2, 3].map(() => start(shared, ["--version"])));
      assert.deepEqual(runs.map((run) => run.code), [0, 0, 0]);
      assert.equal([...Deno.readDirSync(`${shared.home}/.cache/toolgate`)].length, 1);
    });
    await t.step("demo joins, is denied, and prints the audit", async () => {
      const run = await start(machine, ["demo", "--json"]);
      assert.equal(run.code, 0, run.stderr);
      const { joined, denied, records } = JSON.parse(run.stdout);
      assert.equal(joined.result.length, 3);
      assert.equal(denied.status, "denied");
      assert.ok(records.length > 5);
    });
    await t.step("the program checker is in it", async () => {
      const program = "return await tools.orders.list({ snice: '2026-04-01' });";
      const run = await start(machine, ["run", "-", "--json"], program);
      const { warnings, error } = JSON.parse(run.stdout);
      assert.match(JSON.stringify([warnings, error]), /snice/);
    });
    await t.step(
      "serve answers MCP, runs programs, and ends on SIGTERM with 0",
      () => serveAndCall(machine),
    );
    await t.step("wrong usage ends with 2", async () => {
      const run = await start(machine, ["serch", "x"]);
      assert.equal(run.code, 2);
      assert.match(run.stderr, /Did you mean "search"\?/);
    });
    await t.step("without a home it says what to set", async () => {
      const { success, stderr } = await new Deno.Command(machine.program, {
        args: ["--version"],
        clearEnv: true,
        env: { PATH: "/usr/bin:/bin" },
      }).output();
      assert.ok(!success);
      assert.match(new TextDecoder().decode(stderr), /set HOME or TOOLGATE_CACHE/);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function serveAndCall(machine: Machine): Promise<void> {
  const child = command(machine, ["serve", "--port", "0", "--json"]).spawn();
  await child.stdin.close();
  const errors = new Response(child.stderr).text();
  const lines = splitLines(child.stdout);
  const { value } = await lines.next();
  const { mcpUrl } = JSON.parse(value ?? assert.fail(await errors));
  const client = new Client({ name: "pack-test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(mcpUrl)));
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name).toSorted(), ["execute", "search"]);
  const answer = await client.callTool({
    name: "execute",
    arguments: { code: "return (await tools.customers.list({ limit: 2 })).length ?? 'some';" },
  });
  const execution = answer.structuredContent as { status: string } | undefined;
  assert.equal(execution?.status, "ok", JSON.stringify(answer));
  await client.close();
  child.kill("SIGTERM");
  const status = await child.status;
  await lines.return(undefined);
  assert.equal(status.code, 0, await errors);
}

async function pack(output: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "-A", "scripts/pack.ts", output],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

function command(machine: Machine, args: readonly string[]): Deno.Command {
  return new Deno.Command(machine.program, {
    args: [...args],
    cwd: machine.work,
    clearEnv: true,
    env: { HOME: machine.home, PATH: "/usr/bin:/bin" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

async function start(
  machine: Machine,
  args: readonly string[],
  input = "",
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = command(machine, args).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function digest(path: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(bytes).toHex();
}
