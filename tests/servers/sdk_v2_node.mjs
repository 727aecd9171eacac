// A server on the v2 SDK's own adapter for Node, of both protocol eras, with its guards; argument: port.
import { createServer } from "node:http";
import {
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
} from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

const handle = toNodeHandler(createMcpHandler(() => {
  const server = new McpServer({ name: "sdk v2", version: "1.0.0" });
  server.registerTool(
    "add",
    { description: "Adds two numbers", inputSchema: z.object({ a: z.number(), b: z.number() }) },
    ({ a, b }) => ({ content: [{ type: "text", text: String(a + b) }] }),
  );
  return server;
}));
const isHostFine = localhostHostValidation();
const isOriginFine = localhostOriginValidation();

createServer((request, response) => {
  if (isHostFine(request, response) && isOriginFine(request, response)) {
    handle(request, response);
  }
}).listen(Number(process.argv[2]), "127.0.0.1");
