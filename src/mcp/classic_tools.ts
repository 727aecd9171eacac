import type { CallToolResult, Tool as McpTool } from "@modelcontextprotocol/server";
import type { Config } from "../config/schema.ts";
import type { Visibility } from "../model/decision.ts";
import type { Tool } from "../model/tool.ts";
import type { UpstreamAnswer } from "../model/upstream.ts";
import { compileToolPattern } from "../policy/tool_pattern.ts";
import type { CallOutcome } from "../supervisor/call/tool_call.ts";
import { readableResult } from "./readable_result.ts";

/** How a space offers its tools. */

/** The tools that a space offers as they are, by the name that MCP clients call them by. */
export interface ClassicTools {
  /** Whether `search` and `execute` are offered too. */
  readonly codeMode: boolean;
  readonly byName: ReadonlyMap<string, Tool>;
  /** Resources and templates of the upstream, in `pass` mode. */
  readonly resources: readonly Tool[];
  /** Prompts of the upstream, in `pass` mode. */
  readonly prompts: readonly Tool[];
}

const NOTHING = { byName: new Map(), resources: [], prompts: [] };
const CODE_MODE: ClassicTools = { codeMode: true, ...NOTHING };
/** What every client accepts; MCP itself allows 128. */
const NAME_CHARACTERS_MAX = 64;

/**
 * @param space the space's configuration; undefined means `code`.
 * @param tools those the caller may use there.
 */
export function classicTools(
  space: Config["spaces"][string] | undefined,
  tools: readonly Tool[],
): ClassicTools {
  switch (space?.mode ?? "code") {
    case "code":
      return CODE_MODE;
    case "classic":
      return { ...NOTHING, codeMode: false, byName: nameTools(tools, prefixedName) };
    case "hybrid": {
      const patterns = (space?.classic ?? []).map(compileToolPattern);
      const chosen = tools.filter((tool) => patterns.some(({ matches }) => matches(tool)));
      return { ...NOTHING, codeMode: true, byName: nameTools(chosen, prefixedName) };
    }
    case "pass": {
      const ofKind = (kind: Tool["kind"]) =>
        tools.filter((tool) => tool.server === space?.upstream && tool.kind === kind);
      return {
        codeMode: false,
        byName: nameTools(ofKind("tool"), (tool) => tool.name),
        resources: ofKind("resource"),
        prompts: ofKind("prompt"),
      };
    }
  }
}

/** A tool in MCP's shape; its annotations are our own class of it, not the upstream's claim. */
export function classicDefinition(name: string, tool: Tool, visibility: Visibility): McpTool {
  return {
    name,
    title: tool.title,
    description: tool.description,
    inputSchema: readableInput(tool.listedInputSchema ?? tool.inputSchema),
    annotations: {
      readOnlyHint: visibility.access === "read",
      destructiveHint: visibility.access === "destructive",
      idempotentHint: tool.hints.idempotent ?? false,
      openWorldHint: tool.hints.openWorld ?? true,
    },
  };
}

/** One schema that a client cannot read would cost it the whole list. */
function readableInput(schema: Tool["inputSchema"]): McpTool["inputSchema"] {
  const { properties, required, ...rest } = typeof schema === "object"
    ? schema as { readonly [name: string]: unknown }
    : {};
  const isNamed = typeof properties === "object" && properties !== null &&
    !Array.isArray(properties);
  return {
    ...rest,
    type: "object",
    ...(isNamed ? { properties: objectsOf(properties) } : {}),
    ...(Array.isArray(required)
      ? { required: required.filter((name) => typeof name === "string") }
      : {}),
  };
}

/** Each schema as an object: older clients know no boolean ones. */
function objectsOf(properties: object): NonNullable<McpTool["inputSchema"]["properties"]> {
  const objects = Object.entries(properties).map(([name, schema]: [string, unknown]) => [
    name,
    typeof schema === "object" && schema !== null ? schema : schema === false ? { not: {} } : {},
  ]);
  return Object.fromEntries(objects);
}

/**
 * The outcome of a call as MCP answers it. What a rule changed is in it as changed only.
 *
 * @param isModern whether the client speaks 2026-07-28.
 */
export function classicResult(outcome: CallOutcome, isModern: boolean): CallToolResult {
  const result = resultOf(outcome, isModern);
  if (outcome.recordPending === undefined) return result;
  const note = { type: "text" as const, text: `Note of toolgate: ${outcome.recordPending}` };
  return { ...result, content: [...result.content, note], ...recordNote(outcome) };
}

/** What a client is told when the audit log has not confirmed the record of its call. */
export function recordNote({ recordPending }: CallOutcome): { readonly _meta?: RecordNote } {
  return recordPending === undefined ? {} : { _meta: { "toolgate/recordPending": recordPending } };
}

type RecordNote = { readonly "toolgate/recordPending": string };

function resultOf(outcome: CallOutcome, isModern: boolean): CallToolResult {
  if (!outcome.ok) {
    const { code, message, hint } = outcome.error;
    const text = `${message} [${code}]\nHint: ${hint}`;
    return { content: [{ type: "text", text }], isError: true };
  }
  const { value, json, answer, isIntact } = outcome;
  if (answer !== null) {
    if (isIntact) return readableResult(answer, isModern);
    if (isOwnContent(answer) && Array.isArray(value)) {
      return readableResult({ content: value }, isModern);
    }
  }
  const text = typeof value === "string" ? value : json;
  const structured = answer?.structuredContent !== undefined && typeof value === "object" &&
    value !== null && !Array.isArray(value);
  return {
    content: [{ type: "text", text }],
    ...(structured ? { structuredContent: { ...value } } : {}),
  };
}

/** True if the value of an answer is its content, not what a single text block says. */
function isOwnContent({ structuredContent, content }: UpstreamAnswer): boolean {
  const [block, ...others] = content;
  return structuredContent === undefined && (others.length > 0 || !isTextBlock(block));
}

function isTextBlock(block: unknown): boolean {
  return typeof block === "object" && block !== null && "type" in block && block.type === "text";
}

/** Gives each tool its name; a name that two tools would share is given to neither. */
function nameTools(
  tools: readonly Tool[],
  nameOf: (tool: Tool) => string,
): ReadonlyMap<string, Tool> {
  const byName = Map.groupBy(tools, nameOf);
  return new Map(
    [...byName].flatMap(([name, [tool, ...others]]) =>
      tool === undefined || others.length > 0 ? [] : [[name, tool] as const]
    ),
  );
}

function prefixedName(tool: Tool): string {
  const name = `${tool.serverIdentifier}__${tool.identifier}`.replaceAll(/[^A-Za-z0-9_-]/g, "_");
  if (name.length <= NAME_CHARACTERS_MAX) return name;
  return `${name.slice(0, NAME_CHARACTERS_MAX - 9)}_${tool.pin.slice(0, 8)}`;
}
