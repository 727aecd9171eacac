import assert from "node:assert/strict";
import { nodeScript, startRealServer } from "../../fakes/real_server.ts";
import { callOf, openTestUpstreams } from "../../fakes/upstream_parts.ts";

/** Both give sessions; the first forgets them with 404, the second says that it is not initialized. */
const SCRIPTS = ["sdk_v1_express.mjs", "sdk_v1_single.mjs"];

for (const script of SCRIPTS) {
  Deno.test(`a call after a restart of ${script} is answered, again and again`, async () => {
    let server = await startRealServer(nodeScript(script));
    const port = Number(new URL(server.origin).port);
    try {
      await using upstreams = openTestUpstreams({
        mcpServers: { far: { url: `${server.origin}/mcp` } },
      });
      for (let time = 0; time < 3; time++) {
        const { content, isError } = await upstreams.call(callOf("far", "add", { a: time, b: 1 }));
        assert.equal(isError, false, JSON.stringify(content));
        assert.deepEqual(content, [{ type: "text", text: String(time + 1) }]);
        assert.equal(upstreams.status("far").status, "ready");
        await server[Symbol.asyncDispose]();
        server = await startRealServer({ ...nodeScript(script), port });
      }
      assert.equal((await upstreams.list("far")).tools.length, 1);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
}
