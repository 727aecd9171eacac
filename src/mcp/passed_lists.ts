/** Serves resources and prompts of the one upstream behind a `pass` space. */
import {
  type Prompt,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  type Resource,
  ResourceNotFoundError,
  type ResourceTemplateType,
  type Server,
  UriTemplate,
} from "@modelcontextprotocol/server";
import { reportError } from "../model/errors.ts";
import type { Tool } from "../model/tool.ts";
import type { CallOutcome } from "../supervisor/call/tool_call.ts";
import type { McpCaller } from "./caller.ts";
import { type ClassicTools, recordNote } from "./classic_tools.ts";
import { callerOf, exchangeOf, type McpExchange, requireScope } from "./exchange.ts";
import { readableContents, readablePrompt } from "./readable_result.ts";

export interface PassedListsDeps {
  readonly classic: (caller: McpCaller) => Promise<ClassicTools>;
  readonly callClassic: (
    caller: McpCaller,
    tool: Tool,
    args: unknown,
    exchange: McpExchange,
  ) => Promise<CallOutcome>;
  /** A kept result of this caller, as JSON text. @throws {GateError} `ERR_NOT_FOUND` */
  readonly readResult: (caller: McpCaller, uri: string) => Promise<string>;
}

const KEPT_RESULTS = "toolgate://executions/";
const KEPT_RESULT_TEMPLATE: ResourceTemplateType = {
  uriTemplate: `${KEPT_RESULTS}{id}/result`,
  name: "result",
  description: "A result of execute that was too large to return",
  mimeType: "application/json",
};

/** Serves the resources of a passed upstream, and results that were too large to return. */
export function serveResources(server: Server, deps: PassedListsDeps): void {
  server.setRequestHandler("resources/list", async (_request, context) => {
    const { resources } = await deps.classic(callerOf(context));
    return { resources: resources.filter((tool) => !isTemplate(tool)).map(resourceOf) };
  });
  server.setRequestHandler("resources/templates/list", async (_request, context) => {
    const { resources, codeMode } = await deps.classic(callerOf(context));
    const passed = resources.filter(isTemplate).map(templateOf);
    return { resourceTemplates: codeMode ? [KEPT_RESULT_TEMPLATE, ...passed] : passed };
  });
  server.setRequestHandler("resources/read", async (request, context) => {
    const { uri } = request.params;
    const caller = callerOf(context);
    const { resources } = await deps.classic(caller);
    const found = findResource(resources, uri);
    if (found !== null) {
      requireScope(caller, "execute");
      const outcome = await deps.callClassic(caller, found.tool, found.args, exchangeOf(context));
      return { contents: contentsOf(outcome, uri), ...recordNote(outcome) };
    }
    if (!uri.startsWith(KEPT_RESULTS)) throw new ResourceNotFoundError(uri);
    try {
      const text = await deps.readResult(caller, uri);
      return { contents: [{ uri, mimeType: "application/json", text }] };
    } catch (error) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, reportError(error).message);
    }
  });
}

export function servePrompts(server: Server, deps: PassedListsDeps): void {
  server.setRequestHandler("prompts/list", async (_request, context) => {
    const { prompts } = await deps.classic(callerOf(context));
    return { prompts: prompts.map(promptOf) };
  });
  server.setRequestHandler("prompts/get", async (request, context) => {
    const { name, arguments: args = {} } = request.params;
    const caller = callerOf(context);
    const { prompts } = await deps.classic(caller);
    const tool = prompts.find((prompt) => prompt.name === name);
    if (tool === undefined) {
      const message = `Unknown prompt: ${name.slice(0, 100)}`;
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, message);
    }
    requireScope(caller, "execute");
    const outcome = await deps.callClassic(caller, tool, args, exchangeOf(context));
    if (!outcome.ok) throw refusalOf(outcome);
    const prompt = readablePrompt(outcome.value);
    const { _meta } = recordNote(outcome);
    return _meta === undefined ? prompt : { ...prompt, _meta: { ...prompt._meta, ..._meta } };
  });
}

/** The resource of a URI, or the matching template with its values from the URI. */
export function findResource(
  resources: readonly Tool[],
  uri: string,
): { readonly tool: Tool; readonly args: { readonly [name: string]: string } } | null {
  const exact = resources.find((tool) => !isTemplate(tool) && tool.name === uri);
  if (exact !== undefined) return { tool: exact, args: {} };
  for (const tool of resources.filter(isTemplate)) {
    const values = matchTemplate(tool.name, uri);
    if (values !== null) return { tool, args: values };
  }
  return null;
}

function matchTemplate(template: string, uri: string): { [name: string]: string } | null {
  try {
    const values = new UriTemplate(template).match(uri);
    if (values === null) return null;
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, [value].flat().join(",")]),
    );
  } catch {
    return null; // an invalid template of an upstream matches nothing
  }
}

function isTemplate(tool: Tool): boolean {
  return /\{[^{}]+\}/.test(tool.name);
}

function resourceOf(tool: Tool): Resource {
  return { uri: tool.name, name: tool.title, description: tool.description };
}

function templateOf(tool: Tool): ResourceTemplateType {
  return { uriTemplate: tool.name, name: tool.title, description: tool.description };
}

function promptOf(tool: Tool): Prompt {
  const { properties = {}, required = [] } = tool.inputSchema as {
    properties?: { [name: string]: { description?: string } };
    required?: readonly string[];
  };
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    arguments: Object.entries(properties).map(([name, { description }]) => ({
      name,
      ...(description ? { description } : {}),
      required: required.includes(name),
    })),
  };
}

function contentsOf(outcome: CallOutcome, uri: string): ReadResourceResult["contents"] {
  if (!outcome.ok) throw refusalOf(outcome);
  const { answer, isIntact, value, json } = outcome;
  if (isIntact && answer?.contents !== undefined) {
    return readableContents(answer.contents, uri);
  }
  return [{ uri, text: typeof value === "string" ? value : json }];
}

/** A refusal as a protocol error, for requests whose MCP result cannot express one. */
function refusalOf(outcome: CallOutcome & { ok: false }): ProtocolError {
  const { code, message, hint } = outcome.error;
  const { recordPending } = outcome;
  const data = { code, hint, ...(recordPending === undefined ? {} : { recordPending }) };
  return new ProtocolError(ProtocolErrorCode.InternalError, `${message} [${code}]`, data);
}
