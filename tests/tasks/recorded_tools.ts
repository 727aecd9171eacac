import { isDeepStrictEqual } from "node:util";

/** A tool as `tools/list` has it. */
export interface RecordedTool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: { readonly [keyword: string]: unknown };
  readonly readOnly?: boolean;
}

/** A call and what the tool answered when it was recorded. */
export interface RecordedCall {
  readonly server: string;
  readonly tool: string;
  readonly args: { readonly [name: string]: unknown };
  readonly result?: unknown;
  readonly error?: string;
}

/** MCP servers over HTTP whose tools answer what was recorded, and nothing else. */
export interface RecordedServers extends AsyncDisposable {
  urlOf(server: string): string;
  /** From now on these calls are answered, each once. */
  begin(calls: readonly RecordedCall[]): void;
  /** Calls of `begin` that nobody made yet, and calls that were none of them. */
  leftOver(): readonly string[];
}

export function serveRecorded(
  servers: { readonly [name: string]: readonly RecordedTool[] },
): RecordedServers {
  let open: RecordedCall[] = [];
  let strays: string[] = [];
  const take = (server: string, tool: string, args: unknown): unknown => {
    const at = open.findIndex((call) =>
      call.server === server && call.tool === tool && isDeepStrictEqual(call.args, args)
    );
    const [call] = at < 0 ? [] : open.splice(at, 1);
    if (call === undefined) {
      strays.push(`not recorded: ${server}.${tool}(${JSON.stringify(args)})`);
      return { content: [{ type: "text", text: "Not recorded" }], isError: true };
    }
    const value = call.error ?? call.result;
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return { content: [{ type: "text", text }], isError: call.error !== undefined };
  };
  const answer = (server: string, { method, params = {} }: Request2025): unknown => {
    switch (method) {
      case "initialize":
        return {
          protocolVersion: params.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: server, version: "1" },
        };
      case "tools/list":
        return { tools: (servers[server] ?? []).map(definitionOf) };
      case "tools/call":
        return take(server, String(params.name), params.arguments ?? {});
    }
    return null;
  };
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    if (request.method !== "POST") return new Response(null, { status: 405 });
    const server = decodeURIComponent(new URL(request.url).pathname.slice(1));
    const message: Request2025 = await request.json();
    if (message.id === undefined) return new Response(null, { status: 202 });
    const result = answer(server, message);
    return Response.json(
      result === null
        ? { jsonrpc: "2.0", id: message.id, error: { code: -32_601, message: "Method not found" } }
        : { jsonrpc: "2.0", id: message.id, result },
    );
  });
  return {
    urlOf: (server) => `http://127.0.0.1:${http.addr.port}/${encodeURIComponent(server)}`,
    begin(calls) {
      open = [...calls];
      strays = [];
    },
    leftOver: () => [
      ...strays,
      ...open.map(({ server, tool }) => `not called: ${server}.${tool}`),
    ],
    [Symbol.asyncDispose]: () => http.shutdown(),
  };
}

interface Request2025 {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly [name: string]: unknown };
}

function definitionOf({ name, description, inputSchema, readOnly }: RecordedTool) {
  return { name, description, inputSchema, annotations: { readOnlyHint: readOnly ?? false } };
}
