/**
 * The upstream that the MCP conformance suite wants to see through the gateway: tools, resources and
 * prompts with the names that its scenarios call, built with the official package.
 */
import {
  type CallToolResult,
  createMcpHandler,
  type GetPromptResult,
  ResourceNotFoundError,
  Server,
  type ServerContext,
  type Tool,
} from "@modelcontextprotocol/server";

export interface FixtureUpstream extends AsyncDisposable {
  readonly url: string;
}

type Content = CallToolResult["content"][number];
type Work = (context: ServerContext) => CallToolResult | Promise<CallToolResult>;
interface FixtureTool {
  readonly tool: Tool;
  readonly work: Work;
}

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==";
const SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";
const text = (value: string): Content => ({ type: "text", text: value });
const image: Content = { type: "image", data: PIXEL, mimeType: "image/png" };
const embedded = (uri: string): Content => ({
  type: "resource",
  resource: { uri, mimeType: "text/plain", text: "This is an embedded resource content." },
});

const TOOLS: readonly FixtureTool[] = [
  answering("test_simple_text", text("This is a simple text response for testing.")),
  answering("test_image_content", image),
  answering("test_audio_content", { type: "audio", data: SILENCE, mimeType: "audio/wav" }),
  answering("test_embedded_resource", embedded("test://embedded-resource")),
  answering(
    "test_multiple_content_types",
    text("Multiple content types test:"),
    image,
    embedded("test://mixed-content-resource"),
  ),
  made("test_error_handling", () => ({
    content: [text("This tool intentionally returns an error for testing")],
    isError: true,
  })),
  made("test_tool_with_progress", async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken ?? "";
    for (const progress of [0, 50, 100]) {
      const params = { progressToken, progress, total: 100, message: `Step ${progress} of 100` };
      await context.mcpReq.notify({ method: "notifications/progress", params });
    }
    return { content: [text("Done")] };
  }),
  made("test_tool_with_logging", async (context) => {
    for (const data of ["started", "processing", "completed"]) {
      const params = { level: "info" as const, data: `Tool ${data}` };
      await context.mcpReq.notify({ method: "notifications/message", params });
    }
    return { content: [text("Done")] };
  }),
  made("test_logging_tool", async (context) => {
    const params = { level: "info" as const, data: "A message that nobody asked for" };
    await context.mcpReq.notify({ method: "notifications/message", params });
    return { content: [text("Done")] };
  }),
  {
    tool: {
      name: "test_custom_headers",
      description: "A tool whose parameter is repeated in a header",
      inputSchema: {
        type: "object",
        properties: {
          region: { type: "string", "x-mcp-header": "Region" },
          query: { type: "string" },
        },
        required: ["region"],
      },
    },
    work: () => ({ content: [text("Done")] }),
  },
  {
    tool: {
      name: "json_schema_2020_12_tool",
      description: "A tool whose schema uses words of JSON Schema 2020-12",
      inputSchema: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        $defs: {
          address: {
            $anchor: "addressDef",
            type: "object",
            properties: { street: { type: "string" }, city: { type: "string" } },
          },
        },
        properties: {
          name: { type: "string" },
          address: { $ref: "#/$defs/address" },
          contactMethod: { type: "string", enum: ["phone", "email"] },
          phone: { type: "string" },
          email: { type: "string" },
        },
        allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
        if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
        then: { required: ["phone"] },
        else: { required: ["email"] },
        additionalProperties: false,
      },
    },
    work: () => ({ content: [text("Done")] }),
  },
];

const RESOURCES = [
  { uri: "test://static-text", name: "static-text", mimeType: "text/plain" },
  { uri: "test://static-binary", name: "static-binary", mimeType: "image/png" },
] as const;

const PROMPTS = [
  { name: "test_simple_prompt", description: "A prompt without arguments" },
  {
    name: "test_prompt_with_arguments",
    description: "A prompt with two arguments",
    arguments: [{ name: "arg1", required: true }, { name: "arg2", required: true }],
  },
  {
    name: "test_prompt_with_embedded_resource",
    description: "A prompt with a resource inside",
    arguments: [{ name: "resourceUri", required: true }],
  },
  { name: "test_prompt_with_image", description: "A prompt with an image" },
];

/** Serves the fixture on loopback, in both eras of the protocol. */
export function startFixtureUpstream(): FixtureUpstream {
  const handler = createMcpHandler(build);
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => handler.fetch(request),
  );
  return {
    url: `http://127.0.0.1:${http.addr.port}/mcp`,
    async [Symbol.asyncDispose]() {
      await handler.close();
      await http.shutdown();
    },
  };
}

function build(): Server {
  const server = new Server({ name: "fixture", version: "1" }, {
    capabilities: { tools: {}, resources: {}, prompts: {}, logging: {} },
  });
  server.setRequestHandler("tools/list", () => ({ tools: TOOLS.map(({ tool }) => tool) }));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const found = TOOLS.find(({ tool }) => tool.name === params.name);
    if (found === undefined) throw new Error(`Unknown tool: ${params.name}`);
    return await found.work(context);
  });
  server.setRequestHandler("resources/list", () => ({ resources: [...RESOURCES] }));
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: [{ uriTemplate: "test://template/{id}/data", name: "template" }],
  }));
  server.setRequestHandler("resources/read", ({ params: { uri } }) => ({
    contents: [readResource(uri)],
  }));
  server.setRequestHandler("prompts/list", () => ({ prompts: PROMPTS }));
  server.setRequestHandler("prompts/get", ({ params }) => getPrompt(params.name, params.arguments));
  return server;
}

function readResource(uri: string) {
  if (uri === "test://static-text") {
    return {
      uri,
      mimeType: "text/plain",
      text: "This is the content of the static text resource.",
    };
  }
  if (uri === "test://static-binary") return { uri, mimeType: "image/png", blob: PIXEL };
  const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
  if (id === undefined) throw new ResourceNotFoundError(uri);
  const value = { id, templateTest: true, data: `Data for ID: ${id}` };
  return { uri, mimeType: "application/json", text: JSON.stringify(value) };
}

function getPrompt(name: string, args: { [name: string]: string } = {}): GetPromptResult {
  const says = (...contents: Content[]): GetPromptResult => ({
    messages: contents.map((content) => ({ role: "user" as const, content })),
  });
  switch (name) {
    case "test_simple_prompt":
      return says(text("This is a simple prompt for testing."));
    case "test_prompt_with_arguments":
      return says(text(`Prompt with arguments: arg1='${args.arg1}', arg2='${args.arg2}'`));
    case "test_prompt_with_embedded_resource":
      return says(embedded(args.resourceUri ?? ""), text("Please process the resource above."));
    case "test_prompt_with_image":
      return says(image, text("Please analyze the image above."));
    default:
      throw new Error(`Unknown prompt: ${name}`);
  }
}

function answering(name: string, ...content: Content[]): FixtureTool {
  return made(name, () => ({ content }));
}

function made(name: string, work: Work): FixtureTool {
  return { tool: { name, description: `Answers ${name}`, inputSchema: { type: "object" } }, work };
}
