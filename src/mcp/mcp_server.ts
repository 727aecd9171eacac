import {
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type Tool as McpTool,
} from "@modelcontextprotocol/server";
import type { z } from "zod";
import { describeIssues } from "../model/describe_issues.ts";
import { type ErrorReport, GateError, reportError } from "../model/errors.ts";
import type { ExecutionResult } from "../model/execution.ts";
import type { Visibility } from "../model/decision.ts";
import type { Tool } from "../model/tool.ts";
import { classicDefinition, classicResult } from "./classic_tools.ts";
import type { SearchAnswer } from "../search/search_index.ts";
import type { McpCaller } from "./caller.ts";
import {
  callerOf,
  exchangeOf,
  type McpExchange,
  requireScope,
  type SuccessReport,
} from "./exchange.ts";
import { type PassedListsDeps, servePrompts, serveResources } from "./passed_lists.ts";
import { refusedExecution, renderExecution } from "./render_execution.ts";
import {
  type ExecuteInput,
  ExecuteInputSchema,
  executeTool,
  SEARCH_TOOL,
  type SearchInput,
  SearchInputSchema,
} from "./tool_definitions.ts";

export interface McpServerDeps extends PassedListsDeps {
  readonly version: string;
  readonly search: (
    caller: McpCaller,
    input: SearchInput,
    exchange: McpExchange,
  ) => Promise<SearchAnswer>;
  readonly execute: (
    caller: McpCaller,
    input: ExecuteInput,
    exchange: McpExchange,
  ) => Promise<ExecutionResult>;
  readonly visibility: (caller: McpCaller, tool: Tool) => Visibility | null;
  /** Called after each answered list of tools. */
  readonly onListed: (
    caller: McpCaller,
    tools: readonly McpTool[],
    exchange: McpExchange,
  ) => void;
  /** Records the client's report on its work; never fails the request that carried it. */
  readonly reportSuccess: (
    caller: McpCaller,
    report: SuccessReport,
    exchange: McpExchange,
  ) => Promise<void>;
  /** Declarations of a small catalog for the description of `execute`; empty for a large one. */
  readonly inline: (caller: McpCaller) => string;
}

const INSTRUCTIONS =
  "Two tools stand for many: search finds tools and their TypeScript declarations, execute runs a program over them and returns only its result.";

/**
 * Clients may cache a list of tools for this long, although catalog or policy may change earlier.
 */
const LIST_TTL_MS = 30_000;
const FIRST_MODERN_REVISION = "2026-07-28";

/**
 * An MCP server. Each request brings its own caller, so a revoked scope takes effect in a session.
 *
 * It uses the SDK's low-level class: the tool JSON is prebuilt, which halves the cost of a request.
 * The high-level class would rebuild the JSON from schemas.
 */
export function createMcpServer(deps: McpServerDeps): Server {
  const server = new Server({ name: "toolgate", title: "toolgate", version: deps.version }, {
    capabilities: { tools: {}, resources: {}, prompts: {} },
    instructions: INSTRUCTIONS,
    cacheHints: { "tools/list": { ttlMs: LIST_TTL_MS, cacheScope: "private" } },
  });
  server.setRequestHandler("tools/list", async (_request, context) => {
    const caller = callerOf(context);
    const { codeMode, byName } = await deps.classic(caller);
    const classic = [...byName].flatMap(([name, tool]) => {
      const visibility = deps.visibility(caller, tool);
      return visibility === null ? [] : [classicDefinition(name, tool, visibility)];
    });
    const code = codeMode ? [SEARCH_TOOL, executeTool(deps.inline(caller))] : [];
    const tools = [...code, ...classic];
    deps.onListed(caller, tools, exchangeOf(context));
    return { tools };
  });
  server.setRequestHandler("tools/call", async (request, context) => {
    const { name } = request.params;
    const args = request.params.arguments ?? {};
    const exchange = exchangeOf(context);
    const caller = callerOf(context);
    if (exchange.success !== undefined && caller.principal.scopes.includes("execute")) {
      await deps.reportSuccess(caller, exchange.success, exchange);
    }
    const { codeMode, byName } = await deps.classic(caller);
    if (codeMode && name === "search") return await callSearch(deps, caller, args, exchange);
    if (codeMode && name === "execute") return await callExecute(deps, caller, args, exchange);
    const tool = byName.get(name);
    if (tool === undefined) throw unknownTool(name, codeMode);
    const isModern = (server.getNegotiatedProtocolVersion() ?? "") >= FIRST_MODERN_REVISION;
    return await callClassic(deps, { caller, tool, args, exchange, isModern });
  });
  serveResources(server, deps);
  servePrompts(server, deps);
  return server;
}

async function callSearch(
  deps: McpServerDeps,
  caller: McpCaller,
  args: unknown,
  exchange: McpExchange,
): Promise<CallToolResult> {
  try {
    requireScope(caller, "search");
    const answer = await deps.search(caller, parseInput(SearchInputSchema, args), exchange);
    return {
      content: [{ type: "text", text: answer.declarations }],
      structuredContent: { ...answer },
    };
  } catch (error) {
    return errorResult(reportError(error));
  }
}

async function callExecute(
  deps: McpServerDeps,
  caller: McpCaller,
  args: unknown,
  exchange: McpExchange,
): Promise<CallToolResult> {
  let execution: ExecutionResult;
  try {
    requireScope(caller, "execute");
    execution = await deps.execute(caller, parseInput(ExecuteInputSchema, args), exchange);
  } catch (error) {
    execution = refusedExecution(reportError(error));
  }
  const isError = execution.status !== "ok" && execution.status !== "approval_required";
  return {
    content: [{ type: "text", text: renderExecution(execution) }],
    structuredContent: { ...execution },
    isError,
  };
}

async function callClassic(
  deps: McpServerDeps,
  { caller, tool, args, exchange, isModern }: {
    readonly caller: McpCaller;
    readonly tool: Tool;
    readonly args: unknown;
    readonly exchange: McpExchange;
    readonly isModern: boolean;
  },
): Promise<CallToolResult> {
  try {
    requireScope(caller, "execute");
    return classicResult(await deps.callClassic(caller, tool, args, exchange), isModern);
  } catch (error) {
    return errorResult(reportError(error));
  }
}

function unknownTool(name: string, codeMode: boolean): ProtocolError {
  const remedy = codeMode ? ". Call it inside execute; search finds its name" : "";
  return new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    `Unknown tool: ${name.slice(0, 100)}${remedy}`,
  );
}

function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const reasons = describeIssues(parsed.error.issues, "arguments");
  throw new GateError("ERR_BAD_REQUEST", `Invalid arguments: ${reasons}`, {
    hint: "See the tool's input schema",
  });
}

function errorResult(error: ErrorReport): CallToolResult {
  return {
    content: [{ type: "text", text: `${error.message} [${error.code}]\nHint: ${error.hint}` }],
    structuredContent: { error },
    isError: true,
  };
}
