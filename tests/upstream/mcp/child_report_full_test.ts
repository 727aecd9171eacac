import assert from "node:assert/strict";
import { childEndOf, ChildReport } from "../../../src/upstream/mcp/child_report.ts";
import { createSecretMask } from "../../../src/upstream/secret_mask.ts";
import { withApp } from "../../fakes/app.ts";
import { openTestUpstreams } from "../../fakes/upstream_parts.ts";

const SECRET = "s3cr3t-value-of-forty-characters-1234567";

Deno.test("a report keeps the last twenty lines within its bytes, without secrets", () => {
  const mask = createSecretMask();
  mask.add(SECRET);
  const report = new ChildReport(mask);
  for (let line = 1; line <= 30; line++) report.hear(`line ${line} ${SECRET}`);
  report.ended({ code: 3, signal: null });
  const failure = report.failure("Connection closed");
  assert.equal(
    failure.message,
    "The process ended with exit code 3; it wrote: line 30 ***",
  );
  assert.match(
    report.failure("Request timed out").message,
    /^Request timed out; the process ended/,
  );
  assert.equal(
    report.failure("Broken pipe (os error 32)").message,
    "The process ended with exit code 3; it wrote: line 30 ***",
  );
  const end = childEndOf(new Error("outer", { cause: failure }));
  assert.equal(end?.stderr.length, 20);
  assert.deepEqual([end?.stderr[0], end?.stderr[19]], ["line 11 ***", "line 30 ***"]);
  for (let line = 0; line < 20; line++) report.hear("x".repeat(2_048));
  assert.equal(childEndOf(report.failure(""))?.stderr.length, 8);
  assert.equal(childEndOf(new Error("no child")), null);
});

interface Server {
  readonly server: string;
  readonly error: string | null;
  readonly down?: {
    readonly since: number;
    readonly retryAt: number | null;
    readonly exit: string | null;
    readonly stderr: readonly string[];
  };
}

Deno.test("a server whose process ends shows its last lines, how it ended, since when and the next try", async () => {
  const program = `for (let i = 1; i <= 25; i++) console.error("reason " + i + " " + ` +
    `Deno.env.get("APP_TOKEN")); Deno.exit(7)`;
  const broken = {
    command: Deno.execPath(),
    args: ["eval", "--no-lock", program],
    env: { APP_TOKEN: SECRET },
  };
  await withApp({ mcpServers: { broken }, policies: "open" }, async ({ json, ask }) => {
    const before = Date.now();
    for (const path of ["/tools", "/health"]) {
      const { servers } = await json<{ servers: readonly Server[] }>("GET", path);
      const { down, error } = servers.find(({ server }) => server === "broken") ?? {};
      assert.ok(down !== undefined, path);
      assert.equal(down.exit, "exit code 7");
      assert.equal(down.stderr.length, 20);
      assert.equal(down.stderr.at(-1), "reason 25 ***");
      assert.equal(down.stderr[0], "reason 6 ***");
      assert.ok(down.since >= before - 60_000 && down.since <= Date.now());
      assert.ok(down.retryAt !== null && down.retryAt >= down.since);
      assert.match(error ?? "", /exit code 7; it wrote: reason 25/);
    }
    const page = await ask("GET", "/health");
    assert.ok(!(await page.text()).includes(SECRET));
  });
});

/** A configuration of a Node program that is given as text. */
const nodeServer = (program: string) => ({ command: "node", args: ["-e", program] });

Deno.test("why a Node server does not start is told, wherever it wrote that", async () => {
  const required = "ACME_TOKEN is required";
  const servers: { readonly [name: string]: readonly [reason: RegExp, program: string] } = {
    thrown: [
      /exit code 1; it wrote: Error: ACME_TOKEN is required$/,
      `throw new Error("${required}")`,
    ],
    rejected: [/exit code 1; it wrote: .*ACME_TOKEN is required/, `Promise.reject("${required}")`],
    stdout: [
      /exit code 1; it wrote: Error: ACME_TOKEN is required$/,
      `console.log("Error: ${required}"); process.exitCode = 1`,
    ],
    unended: [
      /exit code 3; it wrote: Error: ACME_TOKEN is required$/,
      `process.stderr.write("Error: ${required}"); process.exitCode = 3`,
    ],
    npm: [
      /exit code 1; it wrote: npm error 404 Not Found/,
      `console.error("npm error code E404\\nnpm error 404 Not Found - GET https://x.test/nope\\n" +
        "npm error A complete log of this run can be found in: /logs/x.log"); process.exitCode = 1`,
    ],
    silent: [/^The process ended with exit code 4$/, "process.exitCode = 4"],
    killed: [/^The process ended with signal SIGKILL$/, `process.kill(process.pid, "SIGKILL")`],
  };
  const mcpServers = Object.fromEntries(
    Object.entries(servers).map(([name, [, program]]) => [name, nodeServer(program)]),
  );
  await using upstreams = openTestUpstreams({ mcpServers });
  await Promise.all(
    Object.entries(servers).map(async ([name, [reason]]) => {
      for (let attempt = 0; attempt < 2; attempt++) {
        await assert.rejects(upstreams.list(name));
        assert.match(upstreams.status(name).error ?? "", reason);
      }
    }),
  );
});

Deno.test("a program or a folder that is not there is named", async () => {
  await using upstreams = openTestUpstreams({
    mcpServers: {
      program: { command: "no-such-program" },
      folder: { ...nodeServer(""), cwd: "/no/such/folder" },
    },
  });
  await assert.rejects(upstreams.list("program"), /There is no program "no-such-program"/);
  await assert.rejects(upstreams.list("folder"), /The folder "\/no\/such\/folder".*does not exist/);
});
