/** A JSON-RPC request as the raw server receives it. */
export interface RawCall {
  readonly id: number;
  readonly method: string;
  readonly params: { readonly [name: string]: unknown };
  readonly request: Request;
}

export interface RawHttpServer extends AsyncDisposable {
  readonly url: string;
  /** Methods of all received messages, in order; notifications too. */
  readonly seen: string[];
}

/**
 * A hand-written MCP server of 2025 on loopback, for answers that an SDK would not send.
 *
 * @param answer to each request; null for the answer of a plain server. Notifications are accepted.
 * @param listen answers a GET for the stream of the session.
 */
export function startRawHttpServer(
  answer: (call: RawCall) => Response | Promise<Response> | null,
  listen: () => Response = () => new Response(null, { status: 405 }),
): RawHttpServer {
  const seen: string[] = [];
  const stop = new AbortController();
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, signal: stop.signal },
    async (request) => {
      if (request.method === "GET") return listen();
      if (request.method !== "POST") return new Response(null, { status: 405 });
      const { id, method, params = {} } = await request.json();
      seen.push(method);
      if (id === undefined) return new Response(null, { status: 202 });
      return await (answer({ id, method, params, request }) ?? plainAnswer(id, method));
    },
  );
  return {
    url: `http://127.0.0.1:${http.addr.port}/mcp`,
    seen,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await http.finished;
    },
  };
}

/** A JSON-RPC answer, with any status. */
export function rpcResponse(id: unknown, body: object, init?: ResponseInit): Response {
  return Response.json({ jsonrpc: "2.0", id, ...body }, init);
}

/** The result of `initialize`. */
export const INITIALIZED = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: {} },
  serverInfo: { name: "raw", version: "0" },
};

function plainAnswer(id: number, method: string): Response {
  switch (method) {
    case "initialize":
      return rpcResponse(id, { result: INITIALIZED });
    case "ping":
      return rpcResponse(id, { result: {} });
    case "tools/list":
      return rpcResponse(id, {
        result: { tools: [{ name: "hello", inputSchema: { type: "object" } }] },
      });
    case "tools/call":
      return rpcResponse(id, { result: { content: [{ type: "text", text: "hi" }] } });
    default:
      return rpcResponse(id, { error: { code: -32_601, message: "Method not found" } });
  }
}
