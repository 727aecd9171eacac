import { quoteInexactNumbers } from "../../model/json/json_numbers.ts";
import type { UpstreamAnswer } from "../../model/upstream.ts";
import { parseJson } from "../../rpc/parse_json.ts";

/**
 * The value that a program gets for a tool's answer: `structuredContent` if present. Else, for a
 * single text block, the parsed JSON of an object or array, or the text itself. Else the content
 * array.
 *
 * Integers too large for an exact number become their digits.
 */
export async function toolValue(answer: UpstreamAnswer): Promise<unknown> {
  if (answer.structuredContent !== undefined) return answer.structuredContent;
  const [block, ...others] = answer.content;
  if (others.length > 0 || !isTextBlock(block)) return answer.content;
  return await parseJsonContainer(block.text) ?? block.text;
}

/**
 * The error text of a failed answer: its text blocks, else its structured content, else its other
 * blocks. The text is redacted as a whole, then cut to a bound.
 */
export function toolErrorText(
  { content, structuredContent }: UpstreamAnswer,
  redact: (value: unknown) => unknown,
): string {
  const said = (words: unknown) => {
    const text = textOf(redact(words)).trim();
    return text === "" || text === "{}" || text === "[]" || text === "null" ? null : text;
  };
  const text = said(content.filter(isTextBlock).map((block) => block.text).join("\n")) ??
    said(structuredContent ?? "") ??
    said(
      content.map((block) => wordsOfBlock(redact(block))).filter((words) => words !== "").join(
        "\n",
      ),
    );
  return (text ?? "The tool reported an error without a message").slice(0, 4_000);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The text of a non-text block: embedded or linked text, or all of a block of unknown type. */
function wordsOfBlock(block: unknown): string {
  if (typeof block !== "object" || block === null) return typeof block === "string" ? block : "";
  const { type, resource, name, description, uri } = block as { readonly [key: string]: unknown };
  switch (type) {
    case "image":
    case "audio":
      return "";
    case "text":
      return textOf("text" in block && block.text != null ? block.text : "");
    case "resource":
      return typeof resource === "object" && resource !== null && "text" in resource
        ? textOf(resource.text ?? "")
        : "";
    case "resource_link":
      return [name, description, uri].filter((each) => typeof each === "string").join(", ");
    default:
      return JSON.stringify(block);
  }
}

function isTextBlock(block: unknown): block is { type: "text"; text: string } {
  return typeof block === "object" && block !== null && "type" in block && block.type === "text" &&
    "text" in block && typeof block.text === "string";
}

async function parseJsonContainer(text: string): Promise<unknown> {
  const first = text.trimStart()[0];
  if (first !== "{" && first !== "[") return undefined;
  try {
    return await parseJson(quoteInexactNumbers(text));
  } catch {
    return undefined; // text that only looks like JSON stays text
  }
}
