/**
 * A hand-written MCP server on stdio that misbehaves on demand. Run with `deno run -A`.
 *
 * Argument: a file to which the server appends one JSON line for each event.
 */
const [journal] = Deno.args;
const encoder = new TextEncoder();
const note = (event: { [key: string]: unknown }) => {
  if (journal !== undefined) {
    Deno.writeTextFileSync(journal, JSON.stringify({ pid: Deno.pid, ...event }) + "\n", {
      append: true,
    });
  }
};
const writeText = (text: string) => {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
};
const send = (message: unknown) => writeText(JSON.stringify(message) + "\n");
const text = (value: string) => ({ content: [{ type: "text", text: value }] });

const object = { type: "object" };
const TOOLS: unknown[] = [
  { name: "echo", inputSchema: object },
  { name: "crash", inputSchema: object },
  { name: "big", inputSchema: object },
  { name: "hang", inputSchema: object },
  { name: "garbage", inputSchema: object },
  { name: "malformed", inputSchema: object },
  { name: "written", inputSchema: object },
  { name: "wrong_id", inputSchema: object },
  { name: "progress", inputSchema: object },
  { name: "environment", inputSchema: object },
  { name: "fork", inputSchema: object },
  { name: "flood", inputSchema: object },
  { name: "ask", inputSchema: object },
  { name: "no_schema" },
  { name: "null_schema", inputSchema: null },
  { name: 7, inputSchema: object },
  "not even an object",
  { name: "bad_hint", inputSchema: object, annotations: { readOnlyHint: "yes" } },
];

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly [key: string]: unknown };
  readonly result?: unknown;
  readonly error?: unknown;
}

async function callTool(id: number, params: { readonly [key: string]: unknown }): Promise<void> {
  const args = (params.arguments ?? {}) as { readonly [key: string]: unknown };
  const answer = (result: unknown) => send({ jsonrpc: "2.0", id, result });
  note({ event: "call", name: params.name, meta: params._meta });
  switch (params.name) {
    case "echo":
      return answer({ ...text(JSON.stringify(args)), structuredContent: args });
    case "crash":
      writeText('{"jsonrpc":"2.0","id":');
      Deno.exit(3);
      return;
    case "big":
      return answer(text("x".repeat(Number(args.bytes))));
    case "hang":
      return;
    case "garbage":
      writeText("a log line on stdout\n\n{not json}\n[]\n");
      return answer(text("after the garbage"));
    case "malformed":
      return writeText(`{"jsonrpc":"2.0","id":${id},"result":${args.result}}\n`);
    case "written":
      return writeText(String(args.text).replaceAll("$ID", String(id)));
    case "wrong_id": {
      // Write all at once: a later line could be taken only for the answer of the next call.
      const strays = [id + 1_000, "a"].map((stray) =>
        JSON.stringify({ jsonrpc: "2.0", id: stray, result: text("for nobody") }) + "\n"
      );
      return writeText(strays.join(""));
    }
    case "progress": {
      const meta = params._meta as { readonly progressToken: number };
      for (let step = 1; step <= Number(args.steps); step++) {
        await new Promise((resolve) => setTimeout(resolve, Number(args.everyMs)));
        send({
          jsonrpc: "2.0",
          method: "notifications/progress",
          params: { progressToken: meta.progressToken, progress: step },
        });
      }
      return answer(text("done"));
    }
    case "environment":
      note({ event: "environment", ...Deno.env.toObject() });
      return answer({ content: [], structuredContent: Deno.env.toObject() });
    case "fork": {
      const child = new Deno.Command("sleep", { args: ["300"], stdin: "null" }).spawn();
      return answer({ content: [], structuredContent: { pid: Deno.pid, child: child.pid } });
    }
    case "flood":
      for (let i = 0; i < Number(args.times); i++) {
        send({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
      }
      return answer(text("flooded"));
    case "ask":
      send({ jsonrpc: "2.0", id: "ask-1", method: "sampling/createMessage", params: {} });
      send({ jsonrpc: "2.0", id: "ask-2", method: "elicitation/create", params: {} });
      send({ jsonrpc: "2.0", id: "ask-3", method: "roots/list" });
      return answer(text("asked"));
  }
  send({ jsonrpc: "2.0", id, error: { code: -32_602, message: `Unknown tool: ${params.name}` } });
}

function handle(message: Message): void {
  const { id, method } = message;
  if (method === undefined) return note({ event: "answer", id, error: message.error });
  if (method === "notifications/cancelled") return note({ event: "cancelled", ...message.params });
  if (id === undefined) return;
  switch (method) {
    case "initialize":
      note({ event: "start" });
      return send({
        jsonrpc: "2.0",
        id,
        result: {
          protocolVersion: "2025-06-18",
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: "raw", title: "Raw server", version: "1" },
        },
      });
    case "tools/list":
      return send({ jsonrpc: "2.0", id, result: { tools: TOOLS } });
    case "tools/call":
      return void callTool(id, message.params ?? {});
  }
  send({ jsonrpc: "2.0", id, error: { code: -32_601, message: "No such method" } });
}

console.error("raw server up");
let rest = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) if (line.trim() !== "") handle(JSON.parse(line));
}
note({ event: "stdin closed" });
