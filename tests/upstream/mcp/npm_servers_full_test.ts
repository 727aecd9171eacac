/** Popular MCP servers from npm as processes: listed, called, and what they say when they do not start. */
import assert from "node:assert/strict";
import { SERVERS_FOLDER } from "../../fakes/real_server.ts";
import { callOf, openTestUpstreams } from "../../fakes/upstream_parts.ts";

interface NpmServer {
  /** Its command in node_modules/.bin. */
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  readonly title: string;
  /** At least so many tools, these among them. */
  readonly tools: readonly [count: number, ...names: string[]];
  /** A call that is answered without a network. */
  readonly call: readonly [name: string, args: { [name: string]: unknown }];
  readonly isError: boolean;
  readonly answer: RegExp;
}

const OFFLINE_ERROR = /unknown|not found|invalid|required/i;

/** @param folder one that the servers may use. */
function npmServers(folder: string): { readonly [name: string]: NpmServer } {
  return {
    everything: {
      command: "mcp-server-everything",
      title: "Everything Reference Server",
      tools: [13, "echo", "get-sum"],
      call: ["get-sum", { a: 2, b: 3 }],
      isError: false,
      answer: /The sum of 2 and 3 is 5/,
    },
    files: {
      command: "mcp-server-filesystem",
      args: [folder],
      title: "secure-filesystem-server",
      tools: [14, "read_text_file", "write_file"],
      call: ["write_file", { path: `${folder}/a.txt`, content: "hi" }],
      isError: false,
      answer: /Successfully wrote/,
    },
    memory: {
      command: "mcp-server-memory",
      env: { MEMORY_FILE_PATH: `${folder}/memory.jsonl` },
      title: "memory-server",
      tools: [9, "read_graph"],
      call: ["read_graph", {}],
      isError: false,
      answer: /"entities"/,
    },
    thinking: {
      command: "mcp-server-sequential-thinking",
      title: "sequential-thinking-server",
      tools: [1, "sequentialthinking"],
      call: [
        "sequentialthinking",
        { thought: "x", thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false },
      ],
      isError: false,
      answer: /"thoughtHistoryLength": 1/,
    },
    github: {
      command: "mcp-server-github",
      env: { GITHUB_PERSONAL_ACCESS_TOKEN: "none" },
      title: "github-mcp-server",
      tools: [26, "search_repositories"],
      call: ["search_repositories", {}],
      isError: true,
      answer: OFFLINE_ERROR,
    },
    context7: {
      command: "context7-mcp",
      title: "Context7",
      tools: [2, "resolve-library-id"],
      call: ["resolve-library-id", {}],
      isError: true,
      answer: OFFLINE_ERROR,
    },
    notion: {
      command: "notion-mcp-server",
      env: { NOTION_TOKEN: "none" },
      title: "Notion API",
      tools: [24, "API-get-user"],
      call: ["no-such-tool", {}],
      isError: true,
      answer: OFFLINE_ERROR,
    },
    tavily: {
      command: "tavily-mcp",
      env: { TAVILY_API_KEY: "none" },
      title: "tavily-mcp",
      tools: [5, "tavily_search"],
      call: ["no-such-tool", {}],
      isError: true,
      answer: OFFLINE_ERROR,
    },
    brave: {
      command: "brave-search-mcp-server",
      args: ["--transport", "stdio"],
      env: { BRAVE_API_KEY: "none" },
      title: "Brave Search MCP Server",
      tools: [8, "brave_web_search"],
      call: ["brave_web_search", {}],
      isError: true,
      answer: OFFLINE_ERROR,
    },
    perplexity: {
      command: "perplexity-mcp",
      env: { PERPLEXITY_API_KEY: "none" },
      title: "ai.perplexity/mcp-server",
      tools: [4, "perplexity_ask"],
      call: ["perplexity_ask", {}],
      isError: true,
      answer: OFFLINE_ERROR,
    },
    playwright: {
      command: "playwright-mcp",
      args: ["--headless", "--isolated"],
      title: "Playwright",
      tools: [25, "browser_navigate", "browser_close"],
      call: ["no_such_tool", {}],
      isError: true,
      answer: OFFLINE_ERROR,
    },
    chart: {
      command: "mcp-server-chart",
      title: "mcp-server-chart",
      tools: [27, "generate_pie_chart"],
      call: ["no-such-tool", {}],
      isError: true,
      answer: OFFLINE_ERROR,
    },
  };
}

function configOf({ command, args = [], env = {} }: Pick<NpmServer, "command" | "args" | "env">) {
  return { command: `${SERVERS_FOLDER}/node_modules/.bin/${command}`, args, env };
}

Deno.test("twelve servers from npm are listed, and each answers a call", async (test) => {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-npm-" });
  const servers = npmServers(folder);
  try {
    await using upstreams = openTestUpstreams({
      mcpServers: Object.fromEntries(
        Object.entries(servers).map(([name, server]) => [name, configOf(server)]),
      ),
    });
    for (const [name, server] of Object.entries(servers)) {
      await test.step(name, async () => {
        const { title, tools, skipped } = await upstreams.list(name);
        assert.equal(title, server.title);
        const [count, ...wanted] = server.tools;
        const names = tools.map((tool) => (tool as { name: string }).name);
        assert.ok(names.length >= count, names.join());
        assert.deepEqual(wanted.filter((each) => !names.includes(each)), []);
        assert.deepEqual(skipped, []);
        const answer = await upstreams.call(callOf(name, ...server.call));
        const [{ text: words }] = answer.content as [{ text: string }];
        assert.equal(answer.isError, server.isError, words);
        assert.match(words, server.answer);
        assert.equal(upstreams.status(name).status, "ready");
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("servers from npm that do not start say why", async () => {
  const broken: { readonly [name: string]: readonly [RegExp, Parameters<typeof configOf>[0]] } = {
    brave: [/exit code 1; it wrote: .*api.?key/i, { command: "brave-search-mcp-server" }],
    perplexity: [/exit code 1; it wrote: .*PERPLEXITY_API_KEY/, { command: "perplexity-mcp" }],
    files: [/exit code 1; it wrote: Error: None of the specified directories/, {
      command: "mcp-server-filesystem",
      args: ["/nowhere/at/all"],
    }],
    playwright: [/exit code 1; it wrote: .*unknown option/, {
      command: "playwright-mcp",
      args: ["--no-such-option"],
    }],
  };
  await using upstreams = openTestUpstreams({
    mcpServers: Object.fromEntries(
      Object.entries(broken).map(([name, [, server]]) => [name, configOf(server)]),
    ),
  });
  for (const [name, [reason]] of Object.entries(broken)) {
    await assert.rejects(upstreams.list(name), name);
    assert.match(upstreams.status(name).error ?? "", reason);
  }
});
