import assert from "node:assert/strict";
import type { ExecutionResult } from "../../src/model/execution.ts";
import { withApp } from "../fakes/app.ts";

Deno.test("execute without code is refused, over MCP and over the API", async () => {
  await withApp({}, async ({ app, ask }) => {
    const problem = await (await ask("POST", "/execute", {})).json();
    assert.deepEqual([problem.status, problem.code], [400, "ERR_BAD_REQUEST"]);
    assert.match(problem.message, /no code/);
    const { status, error } = await call(app.fetch, {});
    assert.deepEqual([status, error?.code], ["error", "ERR_BAD_REQUEST"]);
  });
});

Deno.test("resume of what does not wait runs nothing, with code or without", async () => {
  await withApp({}, async ({ app, json }) => {
    for (const input of [{ resume: "01a2" }, { resume: "01a2", code: "return 1" }]) {
      const { status, error, result } = await call(app.fetch, input);
      assert.deepEqual([status, error?.code, result], ["error", "ERR_NOT_FOUND", undefined]);
      assert.match(error?.message ?? "", /"01a2"/);
    }
    const audit = await json<{ records: unknown[] }>("GET", "/audit?kind=execution.start");
    assert.deepEqual(audit.records, []);
  });
});

async function call(
  fetch: (request: Request) => Promise<Response>,
  input: unknown,
): Promise<ExecutionResult> {
  const response = await fetch(
    new Request("http://127.0.0.1/mcp", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "execute", arguments: input },
      }),
    }),
  );
  const [line = ""] = (await response.text()).match(/\{.*\}/) ?? [];
  const { result } = JSON.parse(line);
  assert.equal(result.isError, true);
  return result.structuredContent;
}
