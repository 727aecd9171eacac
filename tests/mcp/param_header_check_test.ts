import assert from "node:assert/strict";
import type { Tool } from "../../src/model/tool.ts";
import { checkParamHeaders } from "../../src/mcp/param_header_check.ts";
import { toolOf } from "../catalog/tool_fixture.ts";
import { ANNA } from "../fakes/upstream_parts.ts";

const TOOL: Tool = toolOf("fixture", "query", {
  inputSchema: {
    type: "object",
    properties: {
      region: { type: "string", "x-mcp-header": "Region" },
      count: { type: "integer", "x-mcp-header": "Count" },
      other: { type: "string" },
    },
  },
});

const classic = () =>
  Promise.resolve({
    codeMode: false,
    byName: new Map([["query", TOOL]]),
    resources: [],
    prompts: [],
  });

async function check(
  args: unknown,
  headers: { readonly [name: string]: string },
  name = "query",
): Promise<string | null> {
  const request = new Request("http://localhost/mcp", { method: "POST", headers });
  const body = { jsonrpc: "2.0", id: 7, method: "tools/call", params: { name, arguments: args } };
  const response = await checkParamHeaders(
    classic,
    request,
    { principal: ANNA, space: "default" },
    body,
  );
  if (response === null) return null;
  assert.equal(response.status, 400);
  const { id, error } = await response.json();
  assert.deepEqual([id, error.code], [7, -32_020]);
  return error.message;
}

Deno.test("headers that repeat the arguments pass, in any spelling of the same value", async () => {
  assert.equal(
    await check({ region: "eu", count: 2 }, {
      "mcp-param-region": "eu",
      "mcp-param-count": "2.0",
    }),
    null,
  );
  assert.equal(
    await check({ region: "zürich" }, { "mcp-param-region": "=?base64?esO8cmljaA==?=" }),
    null,
  );
  assert.equal(await check({ region: "eu" }, { "mcp-param-region": "=?base64?ZXU=?=" }), null);
  assert.equal(await check({ other: "x" }, {}), null);
  assert.equal(await check({ region: null }, {}), null);
});

Deno.test("a header that is missing, differs, is too much or is badly encoded is refused", async () => {
  const refused: [unknown, { [name: string]: string }, RegExp][] = [
    [{ region: "eu" }, {}, /region is missing/],
    [{ region: "eu" }, { "mcp-param-region": "us" }, /differs/],
    [{}, { "mcp-param-region": "eu" }, /has no such argument/],
    [{ region: "eu" }, { "mcp-param-region": "=?base64?ZXU?=" }, /encoded/],
    [{ region: "eu" }, { "mcp-param-region": "=?base64?%%?=" }, /encoded/],
    [{ region: "\u{fffd}" }, { "mcp-param-region": "=?base64?/w==?=" }, /encoded/],
    [{ count: 2 }, { "mcp-param-count": "3" }, /differs/],
    [{ region: "2" }, { "mcp-param-region": "two" }, /differs/],
  ];
  for (const [args, headers, message] of refused) {
    assert.match(await check(args, headers) ?? "passed", message, JSON.stringify([args, headers]));
  }
});

Deno.test("what is not a call of a tool with such parameters is none of its business", async () => {
  assert.equal(await check({ region: "eu" }, { "mcp-param-region": "us" }, "unknown"), null);
  for (const body of [null, [], {}, { method: "tools/list" }, { method: "tools/call" }]) {
    const request = new Request("http://localhost/mcp", { method: "POST" });
    const caller = { principal: ANNA, space: "default" };
    assert.equal(await checkParamHeaders(classic, request, caller, body), null);
  }
});
