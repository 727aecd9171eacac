/** Answers that MCP does not allow, on their way through a space that hands one upstream on. */
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { withApp } from "../fakes/app.ts";
import { INITIALIZED, rpcResponse, startRawHttpServer } from "../fakes/raw_http_server.ts";

const POLICY = `
version: 1
name: all
rules: [{ id: all, allow: [read, write, destructive] }]
`;

const RESULTS: { readonly [tool: string]: object } = {
  list: { content: [{ type: "text", text: "[1,2]" }], structuredContent: [1, 2] },
  number: { content: [], structuredContent: 7 },
  block: { content: [{ type: "json", json: { a: 1 } }] },
  image: { content: [{ type: "image", url: "https://example.com/x.png" }] },
  bare: { content: ["bare"] },
  none: {},
  failed: { isError: true, content: [], structuredContent: { code: "RATE_LIMITED" } },
};

function oddServer(called: string[]) {
  return startRawHttpServer(({ id, method, params }) => {
    switch (method) {
      case "initialize":
        return rpcResponse(id, {
          result: { ...INITIALIZED, capabilities: { tools: {}, prompts: {}, resources: {} } },
        });
      case "tools/list": {
        const tools = Object.keys(RESULTS).map((name) => ({
          name,
          inputSchema: {
            $schema: "https://json-schema.org/draft/2020-12/schema",
            $anchor: "input",
            type: "object",
            properties: { a: true, b: {} },
            required: null,
          },
        }));
        return rpcResponse(id, { result: { tools } });
      }
      case "tools/call":
        called.push(String(params.name));
        return rpcResponse(id, { result: RESULTS[String(params.name)] ?? {} });
      case "prompts/list":
        return rpcResponse(id, { result: { prompts: [{ name: "greet" }] } });
      case "prompts/get":
        return rpcResponse(id, {
          result: { messages: [{ role: "system", content: { type: "x" } }] },
        });
      case "resources/list":
        return rpcResponse(id, { result: { resources: [{ uri: "a://b", name: "b" }] } });
      case "resources/read":
        return rpcResponse(id, { result: { contents: [{ text: "no uri" }] } });
      default:
        return null;
    }
  });
}

for (const mode of ["auto", "legacy"] as const) {
  Deno.test(`an odd answer never becomes a protocol error for a ${mode} client`, async () => {
    const called: string[] = [];
    await using upstream = oddServer(called);
    const config = {
      policy: POLICY,
      mcpServers: { up: { url: upstream.url } },
      spaces: { default: { mode: "pass", upstream: "up" } },
    };
    await withApp(config, async ({ app }) => {
      const { url } = await app.listen();
      const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
      await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
      try {
        const { tools } = await client.listTools();
        assert.equal(tools.length, Object.keys(RESULTS).length);
        // As the upstream wrote it, but for what an older client cannot read.
        assert.deepEqual(tools[0]?.inputSchema, {
          $schema: "https://json-schema.org/draft/2020-12/schema",
          $anchor: "input",
          type: "object",
          properties: { a: {}, b: {} },
        });
        const answers: { [tool: string]: { content: unknown[]; structuredContent?: unknown } } = {};
        for (const name of Object.keys(RESULTS)) {
          answers[name] = await client.callTool({ name, arguments: {} });
        }
        assert.deepEqual(called, Object.keys(RESULTS), JSON.stringify(answers));
        const isModern = mode === "auto";
        assert.deepEqual(answers.list?.content, [{ type: "text", text: "[1,2]" }]);
        assert.deepEqual(answers.list?.structuredContent, isModern ? [1, 2] : undefined);
        assert.deepEqual(
          answers.number?.content,
          isModern ? [] : [{ type: "text", text: "7" }],
        );
        const block = '{"type":"json","json":{"a":1}}';
        assert.deepEqual(answers.block?.content, [{ type: "text", text: block }]);
        assert.match(JSON.stringify(answers.image?.content), /x\.png/);
        assert.deepEqual(answers.bare?.content, [{ type: "text", text: "bare" }]);
        assert.deepEqual(answers.none?.content, []);
        assert.match(JSON.stringify(answers.failed?.content), /RATE_LIMITED/);
        const { messages } = await client.getPrompt({ name: "greet" });
        assert.deepEqual(messages, [{
          role: "user",
          content: { type: "text", text: '{"type":"x"}' },
        }]);
        const { contents } = await client.readResource({ uri: "a://b" });
        assert.deepEqual(contents, [{ uri: "a://b", text: "no uri" }]);
      } finally {
        await client.close();
      }
    });
  });
}
