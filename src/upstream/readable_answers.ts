import { ProtocolError } from "@modelcontextprotocol/client";
import { MALFORMED_ANSWER } from "./message_intake.ts";
import type { Outbound } from "./outbound_fetch.ts";
import { readMessage } from "./read_message.ts";

/**
 * A fetch whose JSON answers the client library can read. It would drop an answer that is not exactly as
 * JSON-RPC has it; here such an answer is put right, or thrown with the words of the server. An error
 * that answers a POST needs no id to belong to it.
 */
export function readableAnswers(fetch: Outbound["fetch"]): Outbound["fetch"] {
  return async (url, init) => {
    const received = await fetch(url, init);
    if (init?.method !== "POST" || !received.ok) return received;
    const response = await named(received);
    const readJson = response.json.bind(response);
    // In place: what the response is otherwise, a stream above all, stays as it came.
    return Object.defineProperty(response, "json", {
      value: async () => {
        const body: unknown = await readJson();
        return Array.isArray(body) ? body.map(readAnswer) : readAnswer(body);
      },
    });
  };
}

/** JSON under another name, or none, as JSON. */
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
