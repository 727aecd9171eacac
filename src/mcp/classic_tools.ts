import type { CallToolResult, Tool as McpTool } from "@modelcontextprotocol/server";
import type { Config } from "../config/schema.ts";
import type { Visibility } from "../model/decision.ts";
import type { Tool } from "../model/tool.ts";
import type { UpstreamAnswer } from "../model/upstream.ts";
import { compileToolPattern } from "../policy/tool_pattern.ts";
import type { CallOutcome } from "../supervisor/call/tool_call.ts";
import { readableResult } from "./readable_result.ts";

/** Offers upstream tools of a space as MCP tools. */

/** The upstream tools that a space offers directly, by the name that MCP clients use. */
export interface ClassicTools {
  /** Whether the space also offers `search` and `execute`. */
  readonly codeMode: boolean;
  readonly byName: ReadonlyMap<string, Tool>;
  /** Resources and templates of the upstream, in `pass` mode. */
  readonly resources: readonly Tool[];
  /** Prompts of the upstream, in `pass` mode. */
  readonly prompts: readonly Tool[];
}

const NOTHING = { byName: new Map(), resources: [], prompts: [] };
const CODE_MODE: ClassicTools = { codeMode: true, ...NOTHING };
/** A length that every client accepts; MCP itself allows 128. */
const NAME_CHARACTERS_MAX = 64;

/**
 * @param space the space's configuration; undefined means `code`.
 * @param tools tools that the caller may use there.
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

/**
 * A tool in MCP's shape; annotations show toolgate's class of the tool, not the upstream's claim.
 */
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

/**
 * A schema that every client can read: one unreadable schema would cost a client the whole list.
 */
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

/** Each schema as an object, because older clients cannot read boolean schemas. */
function objectsOf(properties: object): NonNullable<McpTool["inputSchema"]["properties"]> {
  const objects = Object.entries(properties).map(([name, schema]: [string, unknown]) => [
    name,
    typeof schema === "object" && schema !== null ? schema : schema === false ? { not: {} } : {},
  ]);
  return Object.fromEntries(objects);
}

/**
 * The MCP answer to a call. If a rule changed the result, the answer holds only the changed value.
 *
 * @param isModern whether the client speaks 2026-07-28.
 */
export function classicResult(outcome: CallOutcome, isModern: boolean): CallToolResult {
  const result = resultOf(outcome, isModern);
  if (outcome.recordPending === undefined) return result;
  const note = { type: "text" as const, text: `Note of toolgate: ${outcome.recordPending}` };
  return { ...result, content: [...result.content, note], ...recordNote(outcome) };
}

/** The note for a client whose call the audit log has not confirmed; empty if confirmed. */
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

/** True if the value of an answer is its content array, not the text of a single block. */
function isOwnContent({ structuredContent, content }: UpstreamAnswer): boolean {
  const [block, ...others] = content;
  return structuredContent === undefined && (others.length > 0 || !isTextBlock(block));
}

function isTextBlock(block: unknown): boolean {
  return typeof block === "object" && block !== null && "type" in block && block.type === "text";
}

/** Names each tool; a name that two tools would share goes to neither. */
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
