import { createApp } from "../src/app.ts";
import { ConfigSchema } from "../src/config/schema.ts";
import type { Isolation } from "../src/sandbox/host/host_settings.ts";
import type { BenchTarget } from "./execute_bench.ts";

/** The same as for a bare pool in this bench, so that this limit does not change the comparison. */
const CALLS_AT_ONCE = 64;

/** The whole service over HTTP MCP: authentication, gate, audit in Deno KV, an upstream on stdio. */
export async function openHttpTarget(isolation: Isolation): Promise<BenchTarget> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-bench-" });
  const server = {
    command: Deno.execPath(),
    args: ["run", "--quiet", "--no-config", new URL("bench_server.ts", import.meta.url).pathname],
    concurrentCallsMax: CALLS_AT_ONCE,
  };
  const app = await createApp({
    config: ConfigSchema.parse({
      server: { port: 0 },
      store: `kv:${folder}/bench.kv`,
      auth: "keys",
      policies: "open",
      limits: { concurrentCallsMax: CALLS_AT_ONCE },
      sandbox: { isolation },
      mcpServers: { math: server, slow: server },
    }),
    source: `${folder}/toolgate.yaml`,
    baseDir: folder,
    log: () => {},
  });
  const { url } = await app.listen();
  const keys = new Map<string, Promise<string>>();
  const keyOf = (principal: string) => {
    const known = keys.get(principal) ?? createKey(url, app.localToken, principal);
    keys.set(principal, known);
    return known;
  };
  return {
    name: `${isolation}, HTTP`,
    async run(code, principal) {
      const { status, result, error } = await execute(url, await keyOf(principal), code);
      if (status !== "ok") throw new Error(JSON.stringify(error));
      return result;
    },
    memoryMb: () => null,
    async close() {
      await app.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function createKey(url: string, token: string, name: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  return (await response.json()).key;
}

interface Execution {
  readonly status: string;
  readonly result?: unknown;
  readonly error?: unknown;
}

async function execute(url: string, key: string, code: string): Promise<Execution> {
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "execute",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name: "execute",
        arguments: { code },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  });
  return (await response.json()).result.structuredContent;
}
