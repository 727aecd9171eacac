import { quoteInexactNumbers } from "../model/json_numbers.ts";
import type { UpstreamAnswer } from "../model/upstream.ts";
import { parseJson } from "../rpc/parse_json.ts";

/**
 * What a program gets for a tool's answer: `structuredContent` if there is one; else, for a single text
 * block, the parsed JSON if the text is a JSON object or array, else the string; else the content array.
 *
 * Integers that no number holds exactly become their digits.
 */
export async function toolValue(answer: UpstreamAnswer): Promise<unknown> {
  if (answer.structuredContent !== undefined) return answer.structuredContent;
  const [block, ...others] = answer.content;
  if (others.length > 0 || !isTextBlock(block)) return answer.content;
  return await parseJsonContainer(block.text) ?? block.text;
}

/** The words of an answer that says it failed: redacted as a whole, then bounded. */
export function toolErrorText(answer: UpstreamAnswer, redact: (text: string) => string): string {
  const words = answer.content.filter(isTextBlock).map((block) => block.text).join("\n");
  const text = redact(words).trim();
  return text === "" ? "The tool reported an error without a message" : text.slice(0, 4_000);
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
