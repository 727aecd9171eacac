import { INITIALIZED } from "./raw_http_server.ts";

export interface SseMcpServer extends AsyncDisposable {
  /** URL of the event stream. */
  readonly url: string;
  /** Streams that are open now. */
  streams(): number;
}

/**
 * A hand-written MCP server of 2024 on loopback: it knows only the transport HTTP with SSE.
 *
 * @param lineEnd the standard allows all three; servers on old frameworks write the rare ones.
 */
export function startSseMcpServer(lineEnd: "\n" | "\r\n" | "\r" = "\n"): SseMcpServer {
  const encoder = new TextEncoder();
  const open = new Map<string, ReadableStreamDefaultController<Uint8Array>>();
  const stop = new AbortController();
  const push = (session: string, event: string, data: string) =>
    open.get(session)?.enqueue(
      encoder.encode([": ping", `event: ${event}`, `data: ${data}`, "", ""].join(lineEnd)),
    );
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, signal: stop.signal },
    async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/sse" && request.method === "GET") {
        const session = crypto.randomUUID();
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            open.set(session, controller);
            push(session, "endpoint", `/messages?session=${session}`);
          },
          cancel: () => void open.delete(session),
        });
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      }
      if (pathname !== "/messages") return new Response(null, { status: 405 });
      const session = searchParams.get("session") ?? "";
      if (!open.has(session)) return new Response("Could not find session", { status: 404 });
      const { id, method } = await request.json();
      const result = method === "initialize"
        ? { ...INITIALIZED, protocolVersion: "2024-11-05" }
        : method === "tools/list"
        ? { tools: [{ name: "old_tool", inputSchema: { type: "object" } }] }
        : { content: [{ type: "text", text: "from 2024" }] };
      if (id !== undefined) {
        push(session, "message", JSON.stringify({ jsonrpc: "2.0", id, result }));
      }
      return new Response(null, { status: 202 });
    },
  );
  return {
    url: `http://127.0.0.1:${http.addr.port}/sse`,
    streams: () => open.size,
    async [Symbol.asyncDispose]() {
      for (const controller of open.values()) controller.close();
      open.clear();
      stop.abort();
      await http.finished;
    },
  };
}
