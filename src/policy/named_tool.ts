import type { Tool } from "../model/tool.ts";

/** A tool known by its name only, as `server.tool`. */
export function toolFromName(name: string): Tool {
  const dot = name.indexOf(".");
  const server = dot < 0 ? name : name.slice(0, dot);
  const tool = dot < 0 ? "" : name.slice(dot + 1);
  return {
    id: name,
    server,
    name: tool,
    serverIdentifier: server,
    identifier: tool,
    kind: "tool",
    title: tool,
    description: "",
    inputSchema: true,
    outputSchema: null,
    hints: {},
    tags: [],
    http: null,
    pin: "",
  };
}

/** What a tool that is known by its name only may be. */
export function toolsFromName(name: string): Tool[] {
  const tool = toolFromName(name);
  const methods = ["GET", "POST", "DELETE"];
  return [tool, ...methods.map((method) => ({ ...tool, http: { method, path: "" } }))];
}

/** The tool that a test or a command names in either spelling. */
export function findTool(tools: readonly Tool[], name: string): Tool | null {
  return tools.find((tool) => tool.id === name) ??
    tools.find((tool) => `${tool.server}.${tool.name}` === name) ?? null;
}
