import { createMcpHandler, Server } from "@modelcontextprotocol/server";

/** An upstream with one tool, `touch({ id })`, that remembers every call it ever received. */
export interface CountingUpstream {
  readonly url: string;
  /** Idempotency keys, in the order of their coming. */
  readonly received: readonly string[];
  /** How often it was called with this id. */
  touched(id: string): number;
  close(): Promise<void>;
}

/** @param onCall hears of each call, before it is answered. */
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
