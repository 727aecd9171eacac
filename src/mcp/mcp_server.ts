import {
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { z } from "zod";
import { type ErrorReport, GateError, reportError } from "../model/errors.ts";
import type { CallSummary, ExecutionResult } from "../model/execution.ts";
import type { Visibility } from "../model/decision.ts";
import type { Tool } from "../model/tool.ts";
import type { CallOutcome } from "../supervisor/call_tool.ts";
import { classicDefinition, classicResult, type ClassicTools } from "./classic_tools.ts";
import type { SearchAnswer } from "../search/search_index.ts";
import type { McpCaller } from "./caller.ts";
import { refusedExecution, renderExecution } from "./render_execution.ts";
import {
  type ExecuteInput,
  ExecuteInputSchema,
  executeTool,
  SEARCH_TOOL,
  type SearchInput,
  SearchInputSchema,
} from "./tool_definitions.ts";

/** What one MCP request brings along beside its arguments. */
export interface McpExchange {
  /** Client's task id from `_meta`, else its session; null for neither. */
  readonly task: string | null;
  /** W3C `traceparent` from `_meta`. */
  readonly traceparent: string | null;
  readonly signal: AbortSignal;
  readonly onCall?: (call: CallSummary) => void;
}

export interface McpServerDeps {
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
  /** The tools that the caller's space offers as they are. */
  readonly classic: (caller: McpCaller) => Promise<ClassicTools>;
  readonly visibility: (caller: McpCaller, tool: Tool) => Visibility | null;
  /** Calls one tool outside a program, through the same gate. */
  readonly callClassic: (
    caller: McpCaller,
    tool: Tool,
    args: unknown,
    exchange: McpExchange,
  ) => Promise<CallOutcome>;
  /** Declarations of a small catalog for the description of `execute`; empty for a large one. */
  readonly inline: (caller: McpCaller) => string;
  /** A kept result of this caller, as JSON text. @throws {GateError} `ERR_NOT_FOUND` */
  readonly readResult: (caller: McpCaller, uri: string) => Promise<string>;
}

const INSTRUCTIONS =
  "Two tools stand for many: search finds tools and their TypeScript declarations, execute runs a program over them and returns only its result.";

/** Tools may change with every catalog or policy change; clients may keep a list for this long. */
const LIST_TTL_MS = 30_000;

/**
 * An MCP server; each request brings its own caller, so that a session never outlives a revoked scope.
 *
 * Low-level on purpose: the tool JSON is prebuilt, which halves the cost of a request against the
 * high-level class that would rebuild it from schemas.
 */
export function createMcpServer(deps: McpServerDeps): Server {
  const server = new Server({ name: "toolgate", title: "toolgate", version: deps.version }, {
    capabilities: { tools: {}, resources: {} },
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
    return { tools: [...code, ...classic] };
  });
  server.setRequestHandler("tools/call", async (request, context) => {
    const { name } = request.params;
    const args = request.params.arguments ?? {};
    const exchange = exchangeOf(context);
    const caller = callerOf(context);
    const { codeMode, byName } = await deps.classic(caller);
    if (codeMode && name === "search") return await callSearch(deps, caller, args, exchange);
    if (codeMode && name === "execute") return await callExecute(deps, caller, args, exchange);
    const tool = byName.get(name);
    if (tool === undefined) throw unknownTool(name, codeMode);
    return await callClassic(deps, caller, tool, args, exchange);
  });
  server.setRequestHandler("resources/list", () => ({ resources: [] }));
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: [{
      uriTemplate: "toolgate://executions/{id}/result",
      name: "result",
      description: "A result of execute that was too large to return",
      mimeType: "application/json",
    }],
  }));
  server.setRequestHandler("resources/read", async (request, context) => {
    const { uri } = request.params;
    try {
      const text = await deps.readResult(callerOf(context), uri);
      return { contents: [{ uri, mimeType: "application/json", text }] };
    } catch (error) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, reportError(error).message);
    }
  });
  return server;
}

/** The caller that the HTTP edge attached to this very request. */
function callerOf(context: ServerContext): McpCaller {
  const caller = context.http?.authInfo?.extra?.caller;
  if (caller === undefined) throw new Error("An MCP request arrived without a caller");
  return caller as McpCaller;
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
  caller: McpCaller,
  tool: Tool,
  args: unknown,
  exchange: McpExchange,
): Promise<CallToolResult> {
  try {
    requireScope(caller, "execute");
    return classicResult(await deps.callClassic(caller, tool, args, exchange));
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

function requireScope(caller: McpCaller, scope: string): void {
  if (caller.principal.scopes.includes(scope)) return;
  throw new GateError("ERR_FORBIDDEN", `Cannot ${scope}: the credential lacks scope "${scope}"`, {
    hint: `Use a credential with scope "${scope}"`,
  });
}

function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.slice(0, 5).map((issue) =>
    `${issue.path.join(".") || "arguments"}: ${issue.message}`
  );
  throw new GateError("ERR_BAD_REQUEST", `Invalid arguments: ${places.join("; ")}`, {
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

function exchangeOf(context: ServerContext): McpExchange {
  const meta: { readonly [key: string]: unknown } = context.mcpReq._meta ?? {};
  const related = meta["io.modelcontextprotocol/related-task"];
  const taskId = typeof related === "object" && related !== null && "taskId" in related
    ? related.taskId
    : meta["toolgate/task"];
  const traceparent = meta["traceparent"];
  const token = context.mcpReq._meta?.progressToken;
  let finished = 0;
  return {
    task: typeof taskId === "string"
      ? taskId.slice(0, 200)
      : context.sessionId === undefined
      ? null
      : `session:${context.sessionId.slice(0, 40)}`,
    traceparent: typeof traceparent === "string" && isTraceparent(traceparent) ? traceparent : null,
    signal: context.mcpReq.signal,
    ...(token === undefined ? {} : {
      onCall(call) {
        finished++;
        const message = `${call.tool} ${call.status}`;
        // A client that has gone away is noticed by the signal, not here.
        context.mcpReq.notify({
          method: "notifications/progress",
          params: { progressToken: token, progress: finished, message },
        }).catch(() => {});
      },
    }),
  };
}

/** @see W3C Trace Context, section 3.2 */
function isTraceparent(text: string): boolean {
  return /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(text);
}
