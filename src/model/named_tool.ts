import type { Tool } from "./tool.ts";

/** How a program, a caller or a file spells a tool. */
export interface ToolSpelling {
  readonly server: string;
  readonly tool: string;
}

/** The tools to search: those of a snapshot, by `Tool.id`, or a list. */
export type KnownTools = ReadonlyMap<string, Tool> | readonly Tool[];

/** Finds a tool by name. Server and tool may each have either spelling; null if not found. */
export function findTool(tools: KnownTools, name: string): Tool | null {
  return lookUp(tools, splitToolName(tools, name));
}

/** Splits `server.tool`; a server's own name may hold dots, so every dot is tried against the tools. */
export function splitToolName(tools: KnownTools, name: string): ToolSpelling {
  for (let dot = name.indexOf("."); dot > 0; dot = name.indexOf(".", dot + 1)) {
    const spelling = { server: name.slice(0, dot), tool: name.slice(dot + 1) };
    if (lookUp(tools, spelling) !== null) return spelling;
  }
  const first = name.indexOf(".");
  return first < 0
    ? { server: "", tool: name }
    : { server: name.slice(0, first), tool: name.slice(first + 1) };
}

/** Finds a tool; each part is as the upstream writes it or an identifier. Null if not found. */
export function lookUp(tools: KnownTools, { server, tool }: ToolSpelling): Tool | null {
  return byId(tools, `${server}.${tool}`) ??
    spellings(tools).get(JSON.stringify([server, tool])) ?? null;
}

/** Makes a tool from only its name, `server.tool`. */
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

/** Every possible tool for a name alone: an HTTP API's tool gets its class from its method. */
export function toolsFromName(name: string): Tool[] {
  const tool = toolFromName(name);
  const methods = ["GET", "POST", "DELETE"];
  return [tool, ...methods.map((method) => ({ ...tool, http: { method, path: "" } }))];
}

function byId(tools: KnownTools, id: string): Tool | undefined {
  return "get" in tools ? tools.get(id) : tools.find((tool) => tool.id === id);
}

const spellingsOfTools = new WeakMap<KnownTools, ReadonlyMap<string, Tool>>();

/** Tools by every mix of original spellings and identifiers; made once per set of tools. */
function spellings(tools: KnownTools): ReadonlyMap<string, Tool> {
  const known = spellingsOfTools.get(tools);
  if (known !== undefined) return known;
  const index = new Map<string, Tool>();
  for (const tool of tools.values()) {
    for (const server of [tool.server, tool.serverIdentifier]) {
      for (const name of [tool.name, tool.identifier]) {
        const key = JSON.stringify([server, name]);
        // An identifier never takes over another tool's original spelling.
        if (!index.has(key) || (tool.server === server && tool.name === name)) index.set(key, tool);
      }
    }
  }
  spellingsOfTools.set(tools, index);
  return index;
}
