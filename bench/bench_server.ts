/** An MCP server on stdio with the two tools that the benchmarks call. */
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
const encoder = new TextEncoder();

const TOOLS = [
  {
    name: "add",
    inputSchema: {
      type: "object",
      properties: { a: { type: "number" }, b: { type: "number" } },
      required: ["a", "b"],
    },
    annotations: { readOnlyHint: true },
  },
  {
    name: "wait",
    inputSchema: { type: "object", properties: { ms: { type: "number" } }, required: ["ms"] },
    annotations: { readOnlyHint: true },
  },
];

interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: {
    readonly name?: string;
    readonly arguments?: { readonly [name: string]: number };
  };
}

async function answer({ method, params }: Message): Promise<unknown> {
  if (method === "initialize") {
    return {
      protocolVersion: "2025-06-18",
      capabilities: { tools: {} },
      serverInfo: { name: "bench", version: "1" },
    };
  }
  if (method === "tools/list") return { tools: TOOLS };
  const { a = 0, b = 0, ms = 0 } = params?.arguments ?? {};
  if (params?.name === "wait") await new Promise((resolve) => setTimeout(resolve, ms));
  return { content: [], structuredContent: params?.name === "add" ? a + b : ms };
}

async function handle(message: Message): Promise<void> {
  if (message.id === undefined) return;
  const result = await answer(message);
  const text = JSON.stringify({ jsonrpc: "2.0", id: message.id, result });
  Deno.stdout.writeSync(encoder.encode(`${text}\n`));
}

let rest = "";
for await (const chunk of lines) {
  const parts = (rest + chunk).split("\n");
  rest = parts.pop() ?? "";
  for (const line of parts) if (line.trim() !== "") handle(JSON.parse(line));
}
