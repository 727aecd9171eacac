import {
  type CallToolResult,
  type GetPromptResult,
  isSpecType,
  type ReadResourceResult,
} from "@modelcontextprotocol/server";
import { isFields } from "../model/json/fields.ts";

/** The unchecked parts of an upstream's answer. */
export interface AnswerParts {
  readonly content: readonly unknown[];
  readonly structuredContent?: unknown;
}

/**
 * An answer in a form that the client can read. The call has happened, so the answer must not
 * become a protocol error, which would say that it has not. A block of a type unknown to MCP
 * becomes text, and so does structured content that the client's revision does not allow.
 *
 * @param isModern whether the client speaks 2026-07-28, where structured content is any JSON value.
 */
export function readableResult(answer: AnswerParts, isModern: boolean): CallToolResult {
  const content = answer.content.map(readableBlock);
  const { structuredContent: structured } = answer;
  if (structured === undefined) return { content };
  if (isModern || isFields(structured)) {
    // The SDK's type is the one of the older revisions.
    return {
      content,
      structuredContent: structured as NonNullable<CallToolResult["structuredContent"]>,
    };
  }
  const text = JSON.stringify(structured);
  const isSaid = content.some((block) => block.type === "text" && saysJson(block.text, text));
  return { content: isSaid ? content : [...content, { type: "text", text }] };
}

/** The messages of a prompt; a message without a role counts as the user's. */
export function readablePrompt(prompt: unknown): GetPromptResult {
  const { description, messages, _meta } = isFields(prompt) ? prompt : {};
  return {
    ...(typeof description === "string" ? { description } : {}),
    messages: (Array.isArray(messages) ? messages : []).map((message: unknown) => {
      if (isSpecType.PromptMessage(message)) return message;
      const { role, content } = isFields(message) ? message : { role: null, content: message };
      return { role: role === "assistant" ? "assistant" : "user", content: readableBlock(content) };
    }),
    ...(isFields(_meta) ? { _meta } : {}),
  };
}

/** The parts of a resource; a part without a URI gets the URI that was read. */
export function readableContents(
  contents: readonly unknown[],
  uri: string,
): ReadResourceResult["contents"] {
  return contents.map((item) => {
    if (isSpecType.TextResourceContents(item) || isSpecType.BlobResourceContents(item)) return item;
    const { uri: own, mimeType, text, blob } = isFields(item) ? item : {};
    const facts = {
      uri: typeof own === "string" ? own : uri,
      ...(typeof mimeType === "string" ? { mimeType } : {}),
    };
    if (typeof blob === "string" && typeof text !== "string" && isBase64(blob)) {
      return { ...facts, blob };
    }
    return { ...facts, text: typeof text === "string" ? text : JSON.stringify(item) };
  });
}

function readableBlock(block: unknown): CallToolResult["content"][number] {
  if (isSpecType.ContentBlock(block)) return block;
  const text = isFields(block) && block.type === "text" ? block.text : block;
  return { type: "text", text: typeof text === "string" ? text : JSON.stringify(text) ?? "" };
}

/** Whether a text holds this JSON value, in any layout. */
function saysJson(text: string, json: string): boolean {
  try {
    return text.includes(json) || JSON.stringify(JSON.parse(text)) === json;
  } catch {
    return false; // the text is not JSON
  }
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
