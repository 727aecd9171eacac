import { quoteInexactNumbers } from "../../model/json/json_numbers.ts";
import { AnswerTooLargeError } from "../net/bound_response.ts";
import { adviseWait, readWait } from "../net/read_wait.ts";
import type { SecretMask } from "../secret_mask.ts";
import { decodeText } from "./charset.ts";
import { charsetOf, essenceOf, isJson, isJsonLines, isXml } from "./media_type.ts";
import type { AnswerHeader } from "./operation.ts";
import { TELLING_HEADERS } from "./read_answer_form.ts";

/** An HTTP answer as a tool's answer. */
export interface ReadAnswer {
  readonly content: readonly unknown[];
  readonly structuredContent?: unknown;
  readonly isError: boolean;
  readonly bytes: number;
  /** Tells the model what to do about the error. */
  readonly hint?: string;
  readonly retryAfterMs?: number;
}

const ERROR_CHARACTERS_MAX = 10_000;

export interface ReadAnswerOptions {
  readonly bytesMax: number;
  readonly mask: Pick<SecretMask, "apply" | "applyToAnswer">;
  /** If not empty, the value becomes `{body, headers}`. */
  readonly headers: readonly AnswerHeader[];
  /** Whether an answer without a body includes the headers that a program needs next. */
  readonly showsTelling: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Reads an answer: JSON becomes a value, other text a text, everything else a file in base64, and
 * an empty body null. A status of 400 and above is the tool's own error.
 *
 * Integers that a number cannot hold exactly become their digits.
 *
 * @throws {AnswerTooLargeError}
 */
export async function readHttpAnswer(
  response: Response,
  options: ReadAnswerOptions,
): Promise<ReadAnswer> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > options.bytesMax) throw new AnswerTooLargeError(options.bytesMax);
  if (response.status >= 400) return readFailure(response, bytes, options);
  const body = readBody(response, bytes, options);
  const size = bytes.length;
  const { headers, showsTelling } = options;
  const telling = bytes.length === 0 && headers.length === 0 && showsTelling
    ? TELLING_HEADERS.slice(0, TELLING_MAX).map((name) => ({ name, type: "string" as const }))
    : headers;
  const shown = readHeaders(response, telling, options);
  if (headers.length > 0 || Object.keys(shown).length > 0) {
    const value = "value" in body ? body.value : body.block;
    const structuredContent = { body: value, headers: shown };
    return { content: [], structuredContent, isError: false, bytes: size };
  }
  return "value" in body && !body.isText
    ? { content: [], structuredContent: body.value, isError: false, bytes: size }
    : { content: [contentBlock(body)], isError: false, bytes: size };
}

/** The first of `TELLING_HEADERS`: those that give a place or a time to come again. */
const TELLING_MAX = 5;

type ReadBody =
  | { readonly value: unknown; readonly isText: boolean }
  | { readonly block: unknown };

function readBody(response: Response, bytes: Uint8Array, { mask }: ReadAnswerOptions): ReadBody {
  if (bytes.length === 0) return { value: null, isText: false };
  const contentType = response.headers.get("content-type") ?? "";
  const essence = essenceOf(contentType);
  if (!isTextual(essence)) {
    const mimeType = essence || "application/octet-stream";
    const resource = { uri: "response:", mimeType, blob: bytes.toBase64() };
    return { block: { type: "resource", resource } };
  }
  const text = mask.applyToAnswer(decodeText(bytes, charsetOf(contentType), isXml(essence)));
  const json = parseJson(essence, text);
  return json === undefined ? { value: text, isText: true } : { ...json, isText: false };
}

function contentBlock(body: ReadBody): unknown {
  return "block" in body ? body.block : { type: "text", text: body.value };
}

function readFailure(
  response: Response,
  bytes: Uint8Array,
  { mask, now }: ReadAnswerOptions,
): ReadAnswer {
  const charset = charsetOf(response.headers.get("content-type") ?? "");
  const text = mask.applyToAnswer(decodeText(bytes, charset, false));
  const words = `HTTP ${response.status} ${response.statusText}`.trim();
  const detail = mask.apply(text.slice(0, ERROR_CHARACTERS_MAX)).trim();
  const waitMs = readWait(response.headers, now());
  return {
    content: [{ type: "text", text: detail === "" ? words : `${words}: ${detail}` }],
    isError: true,
    bytes: bytes.length,
    ...adviseWait("API", response.status, waitMs),
  };
}

/** The given headers of an answer, in the given spelling. */
function readHeaders(
  response: Response,
  headers: readonly AnswerHeader[],
  { mask }: ReadAnswerOptions,
): { readonly [name: string]: unknown } {
  return Object.fromEntries(headers.flatMap(({ name, type }) => {
    const text = response.headers.get(name);
    return text === null ? [] : [[name, headerValue(mask.apply(text), type)]];
  }));
}

function headerValue(text: string, type: AnswerHeader["type"]): unknown {
  if (type === "boolean" && /^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  // Digits that a number cannot hold stay a text.
  const isNumber = type === "number" && /^-?\d+(\.\d+)?$/.test(text);
  return isNumber && (text.includes(".") || Number.isSafeInteger(Number(text)))
    ? Number(text)
    : text;
}

function isTextual(essence: string): boolean {
  return essence === "" || essence.startsWith("text/") || isXml(essence) || isJson(essence) ||
    isJsonLines(essence) ||
    /[/+](yaml|x-yaml|javascript|x-www-form-urlencoded|graphql)$/.test(essence);
}

/** Parses JSON if the type says so, or if the type says nothing and the text looks like JSON. */
function parseJson(essence: string, text: string): { value: unknown } | undefined {
  try {
    if (isJsonLines(essence)) {
      const lines = text.replaceAll("\x1e", "\n").split("\n")
        .filter((line) => line.trim() !== "");
      return { value: lines.map((line) => JSON.parse(quoteInexactNumbers(line))) };
    }
    const isValue = isJson(essence) || essence === "" ||
      essence === "text/plain" && /^\s*[[{]/.test(text);
    return isValue ? { value: JSON.parse(quoteInexactNumbers(text)) } : undefined;
  } catch {
    return undefined;
  }
}
