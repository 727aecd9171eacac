import {
  createMcpHandler,
  McpServer,
  ResourceTemplate,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { z } from "zod";

/** `modern`: 2026-07-28 only; `stateless`: both eras; `sessions`: 2025-11-25 with sessions. */
export type HttpMcpKind = "modern" | "stateless" | "sessions";

export interface HttpMcpServer extends AsyncDisposable {
  readonly url: string;
  /** Headers of every request, newest last. */
  readonly requests: { readonly method: string; readonly headers: Headers }[];
  /** Names of the tools that were called, and their outcomes. */
  readonly events: string[];
  /** Forgets all sessions, as a restart does. */
  forget(): void;
  /** Adds a tool and tells clients of it. */
  addTool(name: string): Promise<void>;
}

/** A real MCP server on loopback, built with the official package. */
export function startHttpMcpServer(
  kind: HttpMcpKind,
  options: { readonly accept?: (request: Request) => Response | null } = {},
): HttpMcpServer {
  const requests: HttpMcpServer["requests"] = [];
  const events: string[] = [];
  const added: string[] = [];
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const live = new Set<McpServer>();

  const build = () => {
    const server = new McpServer({ name: "http-fake", title: "HTTP fake", version: "1" }, {
      instructions: "Use echo.",
      capabilities: { tools: { listChanged: true } },
    });
    register(server, events);
    for (const name of added) addEmptyTool(server, name);
    return server;
  };
  const handler = createMcpHandler(build, kind === "modern" ? { legacy: "reject" } : {});
  const withSession = async (request: Request): Promise<Response> => {
    const id = request.headers.get("mcp-session-id");
    if (id !== null) {
      const known = sessions.get(id);
      if (known !== undefined) return await known.handleRequest(request);
      const error = { code: -32_001, message: "Session not found" };
      return Response.json({ jsonrpc: "2.0", id: null, error }, { status: 404 });
    }
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (session) => void sessions.set(session, transport),
      onsessionclosed: (session) => {
        events.push("session closed");
        sessions.delete(session);
      },
    });
    const server = build();
    live.add(server);
    await server.connect(transport);
    return await transport.handleRequest(request);
  };
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    requests.push({ method: request.method, headers: request.headers });
    const refused = options.accept?.(request) ?? null;
    if (refused !== null) return refused;
    return kind === "sessions" ? await withSession(request) : await handler.fetch(request);
  });
  return {
    url: `http://127.0.0.1:${http.addr.port}/mcp`,
    requests,
    events,
    forget: () => sessions.clear(),
    addTool(name) {
      added.push(name);
      for (const server of live) addEmptyTool(server, name);
      handler.notify.toolsChanged();
      return Promise.resolve();
    },
    async [Symbol.asyncDispose]() {
      for (const server of live) await server.close();
      await handler.close();
      await http.shutdown();
    },
  };
}

function addEmptyTool(server: McpServer, name: string): void {
  server.registerTool(name, { inputSchema: z.object({}) }, () => ({ content: [] }));
}

function register(server: McpServer, events: string[]): void {
  server.registerTool(
    "echo",
    { inputSchema: z.object({ text: z.string() }), outputSchema: z.object({ text: z.string() }) },
    ({ text }, context) => {
      const meta = context.mcpReq._meta as { [key: string]: unknown } | undefined;
      events.push(`echo ${meta?.["toolgate/idempotencyKey"]} ${meta?.traceparent}`);
      return { content: [{ type: "text", text }], structuredContent: { text } };
    },
  );
  server.registerTool("fail", { inputSchema: z.object({}) }, () => ({
    content: [{ type: "text", text: "It does not work" }],
    isError: true,
  }));
  server.registerTool(
    "big",
    { inputSchema: z.object({ bytes: z.number() }) },
    ({ bytes }) => ({ content: [{ type: "text", text: "x".repeat(bytes) }] }),
  );
  server.registerTool("hang", { inputSchema: z.object({}) }, async (_args, context) => {
    const { signal, _meta } = context.mcpReq;
    events.push("hang started");
    // Deno's server notices that a client has gone only when it writes to the client.
    const progressToken = _meta?.progressToken;
    let progress = 0;
    const timer = setInterval(() => {
      if (progressToken === undefined || signal.aborted) return;
      const params = { progressToken, progress: ++progress };
      context.mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
    }, 20);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    clearInterval(timer);
    events.push("hang aborted");
    return { content: [] };
  });
  server.registerResource("handbook", "demo://handbook", {}, (uri) => ({
    contents: [{ uri: uri.href, text: "Be kind" }],
  }));
  server.registerResource(
    "chapter",
    new ResourceTemplate("demo://handbook/{chapter}", { list: undefined }),
    {},
    (uri, { chapter }) => ({ contents: [{ uri: uri.href, text: `Chapter ${String(chapter)}` }] }),
  );
  server.registerPrompt(
    "greet",
    { description: "A greeting", argsSchema: z.object({ name: z.string() }) },
    ({ name }) => ({
      messages: [{ role: "user" as const, content: { type: "text" as const, text: `Hi ${name}` } }],
    }),
  );
}
