import { AnswerTooLargeError } from "../bound_response.ts";
import type { SecretMask } from "../secret_mask.ts";

/** An HTTP answer as a tool's answer. */
export interface ReadAnswer {
  readonly content: readonly unknown[];
  readonly structuredContent?: unknown;
  readonly isError: boolean;
  readonly bytes: number;
}

const ERROR_CHARACTERS_MAX = 10_000;

/**
 * Reads an answer: JSON becomes a value, other text a text, everything else a file in base64; nothing
 * becomes null. A status of 400 and above is the tool's own error.
 *
 * @throws {AnswerTooLargeError}
 */
export async function readHttpAnswer(
  response: Response,
  bytesMax: number,
  mask: Pick<SecretMask, "apply" | "applyToAnswer">,
): Promise<ReadAnswer> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > bytesMax) throw new AnswerTooLargeError(bytesMax);
  const contentType = response.headers.get("content-type") ?? "";
  const essence = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  const isText = isTextual(essence) || response.status >= 400;
  const text = isText ? mask.applyToAnswer(new TextDecoder().decode(bytes)) : "";
  if (response.status >= 400) {
    const words = `HTTP ${response.status} ${response.statusText}`.trim();
    const detail = mask.apply(text.slice(0, ERROR_CHARACTERS_MAX)).trim();
    return {
      content: [{ type: "text", text: detail === "" ? words : `${words}: ${detail}` }],
      isError: true,
      bytes: bytes.length,
    };
  }
  if (bytes.length === 0) return { content: [], structuredContent: null, isError: false, bytes: 0 };
  const json = isText ? parseJson(essence, text) : undefined;
  if (json !== undefined) {
    return { content: [], structuredContent: json.value, isError: false, bytes: bytes.length };
  }
  if (isText) return { content: [{ type: "text", text }], isError: false, bytes: bytes.length };
  const blob = bytes.toBase64();
  const resource = { uri: "response:", mimeType: essence || "application/octet-stream", blob };
  return { content: [{ type: "resource", resource }], isError: false, bytes: bytes.length };
}

function isTextual(essence: string): boolean {
  return essence === "" || essence.startsWith("text/") ||
    /[/+](json|xml|yaml|javascript|x-ndjson|x-www-form-urlencoded|graphql)$/.test(essence);
}

/** JSON by its type, or by its looks where the type says nothing. */
function parseJson(essence: string, text: string): { value: unknown } | undefined {
  const isJson = /[/+]json$/.test(essence) || essence === "" ||
    essence === "text/plain" && /^\s*[[{]/.test(text);
  if (!isJson) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
