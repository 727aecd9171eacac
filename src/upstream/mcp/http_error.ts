import { type JSONRPCMessage, SdkHttpError } from "@modelcontextprotocol/client";
import { asFields } from "../../model/json/fields.ts";
import { readMessage, readRpcError, type RpcError } from "./read_message.ts";

/** The parts of an HTTP error answer. */
export interface HttpError {
  readonly status: number;
  /** The JSON-RPC error in its body; null if there is none. */
  readonly rpc: RpcError | null;
  /** Whether that error has an id, as an answer to the request does. */
  readonly isAnswer: boolean;
  /** The message in the body; null if the body is empty or a page. */
  readonly words: string | null;
  /** The title of the page in the body; null if it is not a page. For operators. */
  readonly page: string | null;
  /** How long the server asks to wait; null if it does not say. */
  readonly retryAfterMs: number | null;
}

/** A body longer than this is not an error message. */
const BODY_CHARACTERS_MAX = 1_048_576;
const WORDS_CHARACTERS_MAX = 1_000;
const WORDS_DEPTH_MAX = 4;

/** Reads an HTTP error of the client library; null for any other error. */
export function readHttpError(error: unknown): HttpError | null {
  if (!SdkHttpError.isInstance(error)) return null;
  const { status, text, retryAfterMs } = (error.data ?? {}) as {
    status?: unknown;
    text?: unknown;
    retryAfterMs?: unknown;
  };
  const body = typeof text === "string" ? text.trim() : "";
  const json = body.length > BODY_CHARACTERS_MAX ? undefined : parseBody(body);
  const envelope = [json].flat().map(asFields).find((each) => asFields(each?.error) !== null);
  const rpc = envelope === undefined ? null : readRpcError(envelope?.error);
  const isRpc = rpc !== null && Number.isInteger(asFields(envelope?.error)?.code);
  const id = envelope?.id;
  return {
    status: Number(status) || 0,
    rpc: isRpc ? rpc : null,
    isAnswer: isRpc && (typeof id === "number" || typeof id === "string" && /^\d+$/.test(id)),
    words: isRpc ? rpcWords(rpc) : wordsOfBody(body, json),
    page: /<title[^>]*>\s*([^<]{1,200})/i.exec(body)?.[1]?.trim() ?? null,
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : null,
  };
}

/** The complete JSON-RPC result in the body of an HTTP error; null if there is none. */
export function answerInHttpError(error: unknown): JSONRPCMessage | null {
  if (!SdkHttpError.isInstance(error)) return null;
  const { text } = (error.data ?? {}) as { text?: unknown };
  const [json] = typeof text === "string" && text.includes('"result"')
    ? [parseBody(text)].flat()
    : [];
  const read = readMessage(json);
  return read.kind === "message" && "result" in read.message ? read.message : null;
}

/** The message of a JSON-RPC error, and its data if that says more. */
export function rpcWords({ message, data }: { message: string; data?: unknown }): string {
  const more = wordsOf(data);
  const text = message.trim();
  if (more === null || text.includes(more)) return text;
  return text === "" ? more : `${text}: ${more}`;
}

/** The message in the body of an HTTP error; null if the body is empty or a page. */
export function wordsOfBody(body: string, json: unknown = parseBody(body)): string | null {
  return json === undefined ? wordsOfText(body.trim()) : wordsOf(json);
}

/** JSON, or the data of an event stream. */
function parseBody(body: string): unknown {
  const text = /^(event|data|id|:)/.test(body)
    ? body.split(/\r?\n/).flatMap((line) => line.startsWith("data:") ? [line.slice(5)] : []).join(
      "",
    )
    : body;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The members in which servers put their message. */
const MEMBERS = ["message", "error", "error_description", "detail", "details", "title", "reason"];

/** The message in a JSON value; the value itself if it has none of the usual members. */
function wordsOf(value: unknown, depth = 0): string | null {
  if (typeof value === "string") return value.trim() === "" ? null : cut(value.trim());
  if (value === undefined || value === null) return null;
  const fields = asFields(value);
  if (depth < WORDS_DEPTH_MAX) {
    for (const member of MEMBERS) {
      const words = fields === null ? null : wordsOf(fields[member], depth + 1);
      if (words !== null) return words;
    }
  }
  const text = JSON.stringify(value);
  return text === "{}" || text === "[]" ? null : cut(text);
}

function wordsOfText(body: string): string | null {
  // Programs do not get a proxy's page, which tells about the proxy and its place.
  return body === "" || body.startsWith("<") ? null : cut(body.replaceAll(/\s+/g, " "));
}

function cut(text: string): string {
  return text.length > WORDS_CHARACTERS_MAX ? `${text.slice(0, WORDS_CHARACTERS_MAX)}…` : text;
}
