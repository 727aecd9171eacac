/**
 * A small MCP server on stdio with the tools of the recipes in docs/usage.md: `get` and `refund`, which
 * fails above 900.
 */
const TOOLS = [
  {
    name: "get",
    description: "One payment",
    inputSchema: { type: "object", properties: { id: { type: "string" } } },
    annotations: { readOnlyHint: true },
  },
  {
    name: "refund",
    description: "Pays money back",
    inputSchema: {
      type: "object",
      properties: { amount: { type: "number" }, customer: { type: "string" } },
      required: ["amount"],
    },
  },
];

function answer(method: string, params: { [name: string]: unknown }): unknown {
  if (method === "initialize") {
    return {
      protocolVersion: params.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: "pay", version: "1" },
    };
  }
  if (method === "tools/list") return { tools: TOOLS };
  if (method !== "tools/call") return {};
  const { amount = 0 } = params.arguments as { amount?: number };
  if (params.name === "get") return valueOf({ id: "p1", amount: 40 });
  if (amount <= 900) return valueOf({ refunded: amount });
  return { content: [{ type: "text", text: "The bank says no" }], isError: true };
}

function valueOf(value: unknown): unknown {
  return { content: [{ type: "text", text: JSON.stringify(value) }] };
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
let rest = "";
for await (const chunk of lines) {
  const parts = (rest + chunk).split("\n");
  rest = parts.pop() ?? "";
  for (const part of parts) {
    const { id, method, params = {} } = JSON.parse(part);
    if (id === undefined) continue;
    const message = { jsonrpc: "2.0", id, result: answer(method, params) };
    console.log(JSON.stringify(message));
  }
}
