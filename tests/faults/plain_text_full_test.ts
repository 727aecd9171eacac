import assert from "node:assert/strict";
import { withApp } from "../fakes/app.ts";
import { startHttpMcpServer } from "../fakes/http_mcp_server.ts";

/**
 * Where a secret of a program may lie in the files of the store: encrypted, or not at all. Records
 * hold error texts and the beginnings of search queries as they are; docs/threat-model.md says so.
 */
Deno.test("arguments, results, code, logs and kept results lie in no file of the store as plain text", async () => {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-plain-" });
  await using upstream = startHttpMcpServer("stateless");
  const marker = (name: string) => `MARK-${name}-7d1f`;
  const names = ["code", "args", "result", "log", "small", "kept", "denied", "observed"];
  const check = async (when: string) => {
    for await (const { name } of Deno.readDir(folder)) {
      const bytes = Buffer.from(await Deno.readFile(`${folder}/${name}`));
      for (const place of names) {
        assert.equal(bytes.indexOf(marker(place)), -1, `${place} in ${name}, ${when}`);
      }
    }
  };
  try {
    const config = {
      store: `kv:${folder}/t.kv`,
      policies: "open",
      mcpServers: { far: { url: upstream.url } },
    };
    let uri = "";
    await withApp(config, async ({ execute, json }) => {
      await json("GET", "/tools");
      const program = (body: string) => `// ${marker("code")}\n${body}`;
      const small = await execute(program(`
        console.log("${marker("log")}");
        const heard = await tools.far.echo({ text: "${marker("args")} ${marker("result")}" });
        await tools.far.echo({ text: "${marker("observed")}" });
        try { await tools.far.echo({ wrong: "${marker("denied")}" }); } catch {}
        try { await tools.far.echo({ wrong: "${marker("denied")}".repeat(2_000) }); } catch {}
        return ["${marker("small")}", heard];`));
      assert.equal(small.status, "ok", JSON.stringify(small.error));
      assert.ok(small.logs.some(({ text }) => text.includes(marker("log"))));
      const large = await execute(program(`return "${marker("kept")} ".repeat(120_000);`));
      uri = large.handle?.uri ?? "";
      assert.match(uri, /^toolgate:\/\/executions\//);
      await json("POST", "/audit/verify");
      await check("while it runs");
    });
    await check("after its end");
    // The same files under a new process: the handle still opens.
    await withApp(config, async ({ app }) => {
      const message = { jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri } };
      const response = await app.fetch(
        new Request("http://127.0.0.1/mcp", {
          method: "POST",
          headers: {
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            authorization: `Bearer ${app.localToken}`,
          },
          body: JSON.stringify(message),
        }),
      );
      assert.ok((await response.text()).includes(marker("kept")));
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
