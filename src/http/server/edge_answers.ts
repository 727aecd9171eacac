import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { problemOf } from "../problem.ts";
import { RequestRefused } from "./request_refused.ts";

const RETRY_AFTER_MS = 2_000;

/** Too many requests at the moment: of this caller (429), or in total (503). */
export function busy(status: 429 | 503, message: string): RequestRefused {
  return new RequestRefused(status, {
    code: "ERR_BUSY",
    message,
    hint: "Wait for the answers of earlier requests, then send this one again",
    retryAfterMs: RETRY_AFTER_MS,
  });
}

export function bodyTooSlow(bodyMs: number): RequestRefused {
  return new RequestRefused(408, {
    code: "ERR_BAD_REQUEST",
    message: "Cannot read the body: it did not come in time",
    hint: `Send a body within ${bodyMs / 1000} seconds, without long pauses`,
  });
}

/** The answer to an ambiguous request. */
export function malformed(): Response {
  return problemOf({
    code: "ERR_BAD_REQUEST",
    message: "The request line or a header is not acceptable",
    hint: "Send one Host, a path, and either Content-Length or Transfer-Encoding: chunked",
  });
}

/** Answers bytes that are not a complete request, and ends the connection. */
export function answerRaw(socket: Socket, status: number, message: string): void {
  const body = JSON.stringify({ type: "about:blank", title: message, status });
  const retry = status === 503 ? `retry-after: ${RETRY_AFTER_MS / 1000}\r\n` : "";
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n${retry}` +
    `content-type: application/problem+json\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.end(head + body);
  socket.destroySoon();
}
