import { createMcpHandler, Server } from "@modelcontextprotocol/server";

/** An upstream with one tool, `touch({ id })`, that remembers every call. */
export interface CountingUpstream {
  readonly url: string;
  /** Idempotency keys, in order of arrival. */
  readonly received: readonly string[];
  /** The number of calls with this id. */
  touched(id: string): number;
  close(): Promise<void>;
}

/** @param onCall runs for each call before the answer. */
export function startCountingUpstream(
  onCall: (count: number) => Promise<void> | void = () => {},
): CountingUpstream {
  const received: string[] = [];
  const ids = new Map<string, number>();
  const handler = createMcpHandler(() => {
    const server = new Server({ name: "counter", version: "1" }, { capabilities: { tools: {} } });
    server.setRequestHandler("tools/list", () => ({
      tools: [{ name: "touch", inputSchema: { type: "object" as const } }],
    }));
    server.setRequestHandler("tools/call", async (request, context) => {
      const meta: { readonly [key: string]: unknown } = context.mcpReq._meta ?? {};
      received.push(String(meta["toolgate/idempotencyKey"]));
      const id = String(request.params.arguments?.id);
      ids.set(id, (ids.get(id) ?? 0) + 1);
      await onCall(received.length);
      return { content: [{ type: "text", text: `touched ${id}` }] };
    });
    return server;
  });
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => handler.fetch(request),
  );
  return {
    received,
    url: `http://127.0.0.1:${http.addr.port}/mcp`,
    touched: (id) => ids.get(id) ?? 0,
    async close() {
      await handler.close();
      await http.shutdown();
    },
  };
}
