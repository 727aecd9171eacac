import assert from "node:assert/strict";
import type { ToolDiff } from "../../src/catalog/diff_definition.ts";
import { withApp } from "../fakes/app.ts";
import { startHttpMcpServer } from "../fakes/http_mcp_server.ts";

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly pin?: string;
  readonly diff?: ToolDiff;
}

Deno.test("approving and blocking take the pin that was shown, and say what it is if it is another", async () => {
  await using upstream = startHttpMcpServer("stateless");
  const config = { mcpServers: { files: { url: upstream.url } }, policies: "open" };
  await withApp(config, async ({ ask, json }) => {
    await json("GET", "/tools");
    await upstream.addTool("extra");
    const diffOf = async () =>
      (await json<{ diff: ToolDiff | null }>("GET", "/tools/files.extra/diff")).diff;
    let diff = await diffOf();
    for (let tries = 0; diff === null && tries < 200; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      diff = await diffOf();
    }
    assert.ok(diff !== null);
    assert.equal(diff.state, "pending");
    assert.equal(diff.definition.name, "extra");

    const isPending = async () => assert.equal((await diffOf())?.state, "pending");
    for (const verb of ["approve", "block"]) {
      for (const body of [undefined, {}, { pin: "" }, { pin: 1 }, { pin: diff.pin, all: true }]) {
        const refused = await ask("POST", `/tools/files.extra/${verb}`, body);
        assert.equal(refused.status, 400, JSON.stringify(body));
        assert.match((await refused.json() as Problem).title, /pin|all/);
      }
      const other = await ask("POST", `/tools/files.extra/${verb}`, { pin: "0".repeat(64) });
      assert.equal(other.status, 409);
      assert.equal(other.headers.get("content-type"), "application/problem+json");
      const problem = await other.json() as Problem;
      assert.deepEqual([problem.code, problem.pin], ["ERR_CHANGED", diff.pin]);
      assert.deepEqual(problem.diff, diff);
      await isPending();
    }
    const all = await ask("POST", "/tools/files.*/approve", { pin: diff.pin });
    assert.equal(all.status, 404);
    await all.body?.cancel();
    await isPending();

    const { pin } = diff;
    const name = "files.extra";
    assert.deepEqual(await json("POST", `/tools/${name}/approve`, { pin }), {
      approved: name,
      pin,
    });
    assert.equal((await diffOf())?.state, "approved");
    assert.deepEqual(await json("POST", `/tools/${name}/block`, { pin }), { blocked: name, pin });
    assert.equal((await diffOf())?.state, "blocked");
  });
});
