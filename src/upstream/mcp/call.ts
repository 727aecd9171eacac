import { UriTemplate } from "@modelcontextprotocol/client";
import { z } from "zod";
import { digitsForBigints } from "../../model/json/exact_json.ts";
import type { UpstreamAnswer, UpstreamCall } from "../../model/upstream.ts";
import { badResult } from "../upstream_errors.ts";
import type { McpConnection } from "./connection.ts";
import type { McpLists } from "./listing.ts";

export interface McpCallOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly lists: McpLists | null;
}

/** An answer without the two fields that the caller adds. */
export type McpAnswer = Pick<
  UpstreamAnswer,
  "content" | "structuredContent" | "contents" | "isError"
>;

/** Loose on purpose: the program should see an odd content block rather than lose the answer. */
const ToolResultSchema = z.looseObject({
  content: z.unknown().optional(),
  structuredContent: z.unknown().optional(),
  isError: z.unknown().optional(),
});
const ResourceResultSchema = z.looseObject({
  contents: z.array(z.looseObject({ text: z.unknown().optional() })),
});
const PromptResultSchema = z.looseObject({
  description: z.unknown().optional(),
  messages: z.array(z.unknown()),
});

/** Sends one call over a connection, once. Rejects with the SDK's errors. */
export async function callMcp(
  connection: McpConnection,
  call: UpstreamCall,
  options: McpCallOptions,
): Promise<McpAnswer> {
  const _meta = {
    "toolgate/idempotencyKey": call.idempotencyKey,
    ...(call.traceparent === null ? {} : { traceparent: call.traceparent }),
  };
  const headers = options.lists?.headers.get(call.name);
  const bounds = {
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    ...(headers === undefined ? {} : { headers }),
    ...(call.onProgress === undefined ? {} : { onProgress: call.onProgress }),
  };
  switch (call.kind) {
    case "tool": {
      // Sends a bigint as its digits, so that no digit is lost.
      const args = digitsForBigints(call.args) as UpstreamCall["args"];
      const params = { name: call.name, arguments: args, _meta };
      const result = await connection.request(
        { method: "tools/call", params },
        ToolResultSchema,
        bounds,
      );
      const content = contentOf(result.content);
      if (content === null) {
        throw badResult(call, `its content is a ${typeof result.content}, not a list`);
      }
      const isError = result.isError === true;
      const read = { ...result, content };
      const structured = isAbsent(read) ? otherWords(read, isError) : result.structuredContent;
      return {
        content,
        ...(structured === undefined ? {} : { structuredContent: structured }),
        isError,
      };
    }
    case "resource": {
      const uri = resourceUri(call, options.lists);
      const result = await connection.request(
        { method: "resources/read", params: { uri, _meta } },
        ResourceResultSchema,
        bounds,
      );
      const content = result.contents.map((item) =>
        typeof item.text === "string"
          ? { type: "text", text: item.text }
          : { type: "resource", resource: item }
      );
      return { content, contents: result.contents, isError: false };
    }
    case "prompt": {
      const params = { name: call.name, arguments: textArguments(call.args), _meta };
      const { description, messages } = await connection.request(
        { method: "prompts/get", params },
        PromptResultSchema,
        bounds,
      );
      const structuredContent = {
        ...(description === undefined ? {} : { description }),
        messages,
      };
      return { content: [], structuredContent, isError: false };
    }
  }
}

/**
 * The content blocks of an answer; null if there is no usable content. Servers in Go write null for
 * an empty list, and some servers write one block without a list.
 */
function contentOf(content: unknown): unknown[] | null {
  if (content === undefined || content === null) return [];
  if (Array.isArray(content)) return content;
  if (typeof content === "string") return [{ type: "text", text: content }];
  return typeof content === "object" ? [content] : null;
}

/** The members of an error result that MCP does not know, if its content is empty. */
function otherWords(
  { content, structuredContent: _none, isError: _flag, _meta, resultType: _type, ...others }: {
    readonly [name: string]: unknown;
    readonly content: readonly unknown[];
  },
  isError: boolean,
): unknown {
  return isError && content.length === 0 && Object.keys(others).length > 0 ? others : undefined;
}

/** Some servers write null for "none". Null is a value only if the text says null as well. */
function isAbsent(result: { content: unknown[]; structuredContent?: unknown }): boolean {
  if (result.structuredContent !== null) return result.structuredContent === undefined;
  const [block] = result.content;
  const text = typeof block === "object" && block !== null && "text" in block ? block.text : null;
  return result.content.length > 0 && text !== "null";
}

/**
 * The URI of the listed resource with that name, URI or template. A program can only name a listed
 * resource: policy cannot judge a URI that the program makes up.
 */
function resourceUri(call: UpstreamCall, lists: McpLists | null): string {
  for (const resource of lists?.listing.resources ?? []) {
    if (typeof resource !== "object" || resource === null) continue;
    const { name, uri, uriTemplate } = resource as { [key: string]: unknown };
    if (call.name !== name && call.name !== uri && call.name !== uriTemplate) continue;
    if (typeof uri === "string") return uri;
    if (typeof uriTemplate === "string") {
      return new UriTemplate(uriTemplate).expand(textArguments(call.args));
    }
  }
  throw badResult(call, "the server no longer lists this resource");
}

function textArguments(args: UpstreamCall["args"]): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value) ?? "",
    ]),
  );
}
