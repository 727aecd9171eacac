import { declareTools } from "../../../src/catalog/declare.ts";
import type { Tool } from "../../../src/model/tool.ts";
import { toolSpellings } from "../../../src/model/tool_words.ts";
import { looseNames, mentionedTools } from "../../../src/sandbox/checker_mentions.ts";
import { createDemoUpstreams } from "../../../src/upstream/demo/demo_upstreams.ts";
import { toolOf } from "../../catalog/tool_fixture.ts";

const TEXT = { type: "string" };
const NUMBER = { type: "number" };

/** The demo's shop, and what other servers are like: untyped, paged, spelled with a dash. */
export async function shopTools(): Promise<readonly Tool[]> {
  const tools: Tool[] = [];
  for (const [server, upstream] of createDemoUpstreams()) {
    const listing = await upstream.list(new AbortController().signal);
    for (const definition of listing.tools) tools.push(demoTool(server, definition));
  }
  return [...tools, ...OTHERS];
}

function demoTool(server: string, definition: unknown): Tool {
  const { name, description, inputSchema, outputSchema } = definition as Tool;
  return toolOf(server, name, { description, inputSchema, outputSchema });
}

const LEVELS = {
  type: "array",
  items: { type: "object", properties: { sku: TEXT, left: NUMBER }, required: ["sku"] },
};

const OTHERS: readonly Tool[] = [
  toolOf("math", "add", { properties: { a: NUMBER, b: NUMBER } }),
  toolOf("math", "obj"),
  toolOf("math", "echo"),
  toolOf("sys", "fail"),
  toolOf("everything", "echo", { properties: { message: TEXT } }),
  toolOf("everything", "get-sum", { properties: { a: NUMBER, b: NUMBER } }),
  toolOf("my-server", "get-user", {
    properties: { id: TEXT },
    outputSchema: { type: "object", properties: { name: TEXT }, required: ["name"] },
  }),
  toolOf("filesystem", "read_text_file", { properties: { path: TEXT } }),
  toolOf("filesystem", "list_directory", {
    properties: { path: TEXT },
    outputSchema: { type: "object", properties: { content: TEXT }, required: ["content"] },
  }),
  toolOf("raw", "page", {
    inputSchema: { type: "object", properties: { cursor: TEXT } },
    outputSchema: {
      type: "object",
      properties: {
        items: { type: "array", items: { type: "object", properties: { id: TEXT } } },
        next: TEXT,
      },
      required: ["items"],
    },
  }),
  toolOf("raw", "write", {
    inputSchema: {
      type: "object",
      properties: {
        body: {
          type: "object",
          properties: { id: TEXT, name: TEXT, ttl: NUMBER },
          required: ["name"],
        },
      },
      required: ["body"],
    },
  }),
  toolOf("raw", "filter", {
    properties: {
      rule: {
        oneOf: [
          {
            type: "object",
            properties: { kind: { const: "name" }, value: TEXT },
            required: ["kind", "value"],
          },
          {
            type: "object",
            properties: { kind: { const: "range" }, from: NUMBER, to: NUMBER },
            required: ["kind", "from", "to"],
          },
        ],
      },
    },
  }),
  toolOf("github", "search_issues", {
    inputSchema: {
      type: "object",
      properties: { q: TEXT, per_page: NUMBER },
      required: ["q"],
    },
  }),
  toolOf("github", "create_issue", {
    inputSchema: {
      type: "object",
      properties: {
        owner: TEXT,
        repo: TEXT,
        title: TEXT,
        body: TEXT,
        labels: { type: "array", items: TEXT },
        assignee: { anyOf: [TEXT, { type: "object", properties: { login: TEXT } }] },
      },
      required: ["owner", "repo", "title"],
    },
  }),
  toolOf("stock", "levels", { observed: { results: 3, schema: LEVELS } }),
  toolOf("stock", "deliveries", { observed: { results: 2, schema: LEVELS } }),
];

/**
 * Declarations of the tools that a program mentions, of the whole server where one is unknown, and of those
 * that it spells in another way.
 */
export function declarationsFor(tools: readonly Tool[], code: string): string {
  const named = new Set<Tool>();
  for (const mention of mentionedTools(code)) {
    const [server = "", name = ""] = mention.split(/\.(.*)/s);
    const ofServer = tools.filter((tool) =>
      tool.server === server || tool.serverIdentifier === server
    );
    const found = ofServer.find((tool) => tool.name === name || tool.identifier === name);
    for (const tool of found === undefined ? ofServer : [found]) named.add(tool);
  }
  const spellings = new Set(
    [...mentionedTools(code), ...looseNames(code)].flatMap((name) => toolSpellings(name)),
  );
  for (const tool of tools) {
    const [spelling = ""] = toolSpellings(tool.id);
    if (spellings.has(spelling)) named.add(tool);
  }
  return declareTools([...named].toSorted((a, b) => (a.id < b.id ? -1 : 1)));
}

/** One program of a collection, with the findings that are expected as `line:column message`. */
export interface SampleProgram {
  readonly name: string;
  readonly code: string;
  readonly expected: readonly string[];
}

/** Reads a collection: `== name`, then the program, then lines of `-- line:column message`. */
export async function readPrograms(file: string): Promise<SampleProgram[]> {
  const text = await Deno.readTextFile(new URL(file, import.meta.url));
  return text.split(/^== /m).slice(1).map((part) => {
    const lines = part.trimEnd().split("\n");
    const [name = "", ...rest] = lines;
    return {
      name,
      code: rest.filter((line) => !line.startsWith("-- ")).join("\n"),
      expected: rest.filter((line) => line.startsWith("-- ")).map((line) => line.slice(3)),
    };
  });
}
