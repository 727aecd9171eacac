import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { type RunningService, startService } from "../fakes/service.ts";

/** Real MCP servers from npm, started the way people's configurations start them. */
function configuration(folder: string): unknown {
  const npx = (name: string, ...args: string[]) => ({
    command: "npx",
    args: ["-y", name, ...args],
  });
  return {
    server: { port: 0 },
    store: `kv:${folder}/data/toolgate.kv`,
    policies: "open",
    mcpServers: {
      everything: npx("@modelcontextprotocol/server-everything@2026.8.31"),
      files: npx("@modelcontextprotocol/server-filesystem@2026.8.31", `${folder}/files`),
      memory: {
        ...npx("@modelcontextprotocol/server-memory@2026.8.31"),
        env: { MEMORY_FILE_PATH: `${folder}/memory.jsonl` },
      },
      thinking: npx("@modelcontextprotocol/server-sequential-thinking@2026.8.31"),
      git: {
        ...npx("@cyanheads/git-mcp-server@2.15.3"),
        env: {
          MCP_TRANSPORT_TYPE: "stdio",
          GIT_BASE_DIR: `${folder}/files`,
          LOGS_DIR: `${folder}/logs`,
        },
      },
    },
  };
}

/** Waits until npx has fetched and started every server. */
async function waitForUpstreams(service: RunningService): Promise<void> {
  const until = Date.now() + 240_000;
  for (;;) {
    const response = await fetch(`${service.url}/api/v1/tools`, {
      headers: { authorization: `Bearer ${service.token}` },
    });
    const { servers } = await response.json() as { servers: { status: string; error: string }[] };
    if (servers.length === 5 && servers.every((server) => server.status === "ready")) return;
    assert.ok(Date.now() < until, JSON.stringify(servers));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const program = (folder: string) => `
const dir = ${JSON.stringify(`${folder}/files`)};
await Promise.all(["a", "b", "c"].map((name, i) =>
  tools.files.write_file({ path: dir + "/" + name + ".txt", content: "line " + i })));
const listing = await tools.files.list_directory({ path: dir });
const texts = await Promise.all(["a", "b", "c"].map(async (name) =>
  (await tools.files.read_text_file({ path: dir + "/" + name + ".txt" })).content));
await tools.memory.create_entities({ entities: [
  { name: "notes", entityType: "folder", observations: texts },
] });
const graph = await tools.memory.read_graph({});
const sum = await tools.everything["get-sum"]({ a: 2, b: 3 });
return {
  listed: ["a.txt", "b.txt", "c.txt"].every((name) => JSON.stringify(listing).includes(name)),
  texts,
  remembered: graph.entities[0].observations,
  sum,
};`;

for (const mode of ["auto", "legacy"] as const) {
  Deno.test(`a ${mode} MCP client works over five npm servers with two tools`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "toolgate-e2e-" });
    await Deno.mkdir(`${folder}/files`);
    const service = await startService(folder, configuration(folder), { readyMs: 60_000 });
    try {
      await waitForUpstreams(service);
      const client = new Client({ name: "e2e", version: "1" }, { versionNegotiation: { mode } });
      await client.connect(new StreamableHTTPClientTransport(new URL(`${service.url}/mcp`)));
      try {
        const { tools } = await client.listTools();
        assert.deepEqual(tools.map((tool) => tool.name).sort(), ["execute", "search"]);
        assert.equal(client.getProtocolEra(), mode === "auto" ? "modern" : "legacy");

        const found = await client.callTool({
          name: "search",
          arguments: { query: "read a file" },
        });
        const { hits } = found.structuredContent as { hits: { name: string }[] };
        assert.ok(hits.some((hit) => hit.name === "files.read_text_file"), JSON.stringify(hits));

        const ran = await client.callTool({
          name: "execute",
          arguments: { code: program(folder) },
        }, { timeout: 120_000 });
        const execution = ran.structuredContent as { status: string; result: unknown };
        assert.equal(execution.status, "ok", JSON.stringify(ran.content));
        const texts = ["line 0", "line 1", "line 2"];
        const { sum, ...rest } = execution.result as { sum: unknown };
        assert.deepEqual(rest, { listed: true, texts, remembered: texts });
        assert.match(JSON.stringify(sum), /5/);
      } finally {
        await client.close();
      }
    } finally {
      await service.stop();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
