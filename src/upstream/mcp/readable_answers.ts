import { ProtocolError, SdkErrorCode, SdkHttpError } from "@modelcontextprotocol/client";
import type { Outbound } from "../net/outbound_fetch.ts";
import { readWait } from "../net/read_wait.ts";
import { MALFORMED_ANSWER } from "./message_intake.ts";
import { readMessage } from "./read_message.ts";

/**
 * A fetch whose JSON answers the client library can read. The library would drop an answer that is
 * not exact JSON-RPC, or that came with status 202. This fetch corrects such an answer, or throws
 * the server's words. An error in the answer to a POST needs no id.
 */
export function readableAnswers(fetch: Outbound["fetch"]): Outbound["fetch"] {
  // The answer to a POST should come with that POST, but some servers of 2025 send it on this
  // stream.
  let hasStream = false;
  return async (url, init) => {
    if (init?.method === "GET") hasStream = true;
    const received = await fetch(url, init);
    if (init?.method === "GET") hasStream = received.ok;
    if (init?.method !== "POST") return received;
    if (!received.ok) return await withWait(received);
    const accepted = received.status === 202 && isRequest(init.body);
    const response = accepted ? await acceptedAnswer(received, hasStream) : await named(received);
    const readJson = response.json.bind(response);
    // Changed in place, so that the rest of the response, above all its stream, stays as it is.
    return Object.defineProperty(response, "json", {
      value: async () => {
        const body: unknown = await readJson();
        return Array.isArray(body) ? body.map(readAnswer) : readAnswer(body);
      },
    });
  };
}

/** Throws an error answer that says how long to wait, because the client library drops headers. */
async function withWait(response: Response): Promise<Response> {
  const waitMs = [429, 503].includes(response.status)
    ? readWait(response.headers, Date.now())
    : null;
  if (waitMs === null) return response;
  const { status, statusText } = response;
  const text = await response.text();
  throw new SdkHttpError(
    SdkErrorCode.ClientHttpNotImplemented,
    `Error POSTing to endpoint: ${text}`,
    { status, statusText, text, retryAfterMs: waitMs },
  );
}

function isRequest(body: RequestInit["body"]): boolean {
  const message: unknown = typeof body === "string" ? JSON.parse(body) : null;
  return typeof message === "object" && message !== null && "method" in message && "id" in message;
}

/**
 * Reads the answer in the body of a 202, a status meant for notifications. An empty body passes if
 * another stream may bring the answer.
 *
 * @throws {ProtocolError} `MALFORMED_ANSWER` if no other stream can bring it.
 * @see MCP 2025-11-25, "Streamable HTTP: sending messages to the server"
 */
async function acceptedAnswer(response: Response, hasStream: boolean): Promise<Response> {
  const type = response.headers.get("content-type") ?? "";
  if (/^\s*text\/event-stream\b/i.test(type)) {
    return new Response(response.body, { headers: response.headers });
  }
  const text = await response.text();
  if (/^\s*[{[]/.test(text)) {
    return new Response(text, { headers: { "content-type": "application/json" } });
  }
  if (hasStream) return new Response(null, { status: 202 });
  throw new ProtocolError(
    MALFORMED_ANSWER,
    "the server took the request (HTTP 202) and gave no answer",
  );
}

/** Sets the content type of JSON that has a wrong content type or none. */
async function named(response: Response): Promise<Response> {
  const type = response.headers.get("content-type") ?? "";
  const isKnown = /^\s*(application\/json|text\/event-stream|text\/html)\s*(;|$)/i.test(type);
  if (isKnown || [202, 204].includes(response.status) || response.body === null) return response;
  const text = await response.text();
  const headers = new Headers(response.headers);
  if (/^\s*[{[]/.test(text)) headers.set("content-type", "application/json");
  return new Response(text, { status: response.status, headers });
}

/** @throws {ProtocolError} the error that the answer is, or `MALFORMED_ANSWER`. */
function readAnswer(value: unknown): unknown {
  const read = readMessage(value);
  switch (read.kind) {
    case "message":
      return read.message;
    case "unaddressed":
      throw new ProtocolError(read.error.code, read.error.message, read.error.data);
    case "unusable":
      throw new ProtocolError(MALFORMED_ANSWER, read.why);
    case "noise":
      throw new ProtocolError(MALFORMED_ANSWER, "it has neither a result nor an error");
  }
}
