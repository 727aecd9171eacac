import { ProtocolError, SdkError, SdkErrorCode } from "@modelcontextprotocol/client";
import { DialError } from "../../dial/dial_error.ts";
import { GateError } from "../../model/errors.ts";
import { OutboundRefusedError } from "../net/address_guard.ts";
import { AnswerTooLargeError } from "../net/bound_response.ts";
import { adviseWait } from "../net/read_wait.ts";
import { RedirectRefusedError } from "../net/redirect_refused.ts";
import {
  badResult,
  type CallName,
  noCredential,
  outcomeUnknown,
  redirected,
  timedOut,
  unreachable,
} from "../upstream_errors.ts";
import { ANSWER_ENDED_EARLY } from "./cancellable_transport.ts";
import { type HttpError, readHttpError, rpcWords } from "./http_error.ts";
import { MALFORMED_ANSWER } from "./message_intake.ts";
import { MESSAGE_TOO_LARGE } from "./stdio_transport.ts";

/** The connection is lost; a new one may work. */
export function isConnectionLost(error: unknown): boolean {
  return SdkError.isInstance(error) &&
      (error.code === SdkErrorCode.ConnectionClosed || error.code === SdkErrorCode.NotConnected) ||
    error instanceof Error && error.message === "Not connected";
}

/** An HTTP server that does not know the Streamable HTTP transport answers like this. */
export function isOldHttpServer(error: unknown): boolean {
  return [400, 404, 405, 406, 415].includes(readHttpError(error)?.status ?? 0);
}

const OUR_OWN_CODES: readonly number[] = [
  MESSAGE_TOO_LARGE,
  MALFORMED_ANSWER,
  ANSWER_ENDED_EARLY,
];

/** The server itself answered with this error. */
export function isServerRefusal(error: unknown): error is ProtocolError {
  return ProtocolError.isInstance(error) && !OUR_OWN_CODES.includes(error.code);
}

/** Statuses that are about this request, not about the server, the path or the credential. */
const REFUSED_REQUEST = new Set([
  ...[400, 402, 409, 411, 412, 413, 414, 416, 417, 422, 423, 424, 428, 429, 431, 451],
]);

/**
 * The server's own words for a refused request: such an answer shows that the server is alive. Null
 * if the failure is not about the request.
 */
export function refusalWords(error: unknown): string | null {
  if (isServerRefusal(error)) return rpcWords(error);
  const http = readHttpError(error);
  // 401 is about the credential, whatever its body says.
  if (http === null || http.status < 400 || http.status === 401) return null;
  if (http.rpc !== null) return rpcWords(http.rpc);
  if (!REFUSED_REQUEST.has(http.status)) return null;
  return http.words ?? `The server refused the request with HTTP ${http.status} and no message`;
}

/** True if the request surely never left: a refused connection, an unknown host. */
export function neverSent(error: unknown): boolean {
  const dial = findCause(error, (cause) => cause instanceof DialError);
  return dial instanceof DialError && !dial.wasSent;
}

/** Turns an error of the SDK into a GateError. Callers handle the server's own refusals before. */
export function explainMcpError(call: CallName, error: unknown, timeoutMs: number): GateError {
  const own = findCause(error, (cause) => cause instanceof GateError);
  if (own instanceof GateError) return own;
  const refused = findCause(error, (cause) => cause instanceof OutboundRefusedError);
  if (refused !== null) {
    return unreachable(call, `is at an address that is not called: ${refused.message}`, {
      cause: refused,
    });
  }
  const dial = findCause(error, (cause) => cause instanceof DialError);
  if (dial instanceof DialError) {
    return dial.wasSent
      ? outcomeUnknown(call, dial.message, error)
      : unreachable(call, `cannot be reached: ${dial.message}`, { cause: error });
  }
  const redirect = findCause(error, (cause) => cause instanceof RedirectRefusedError);
  if (redirect instanceof RedirectRefusedError) return redirected(call, redirect);
  if (findCause(error, (cause) => cause instanceof AnswerTooLargeError) !== null) {
    return badResult(call, "it is larger than the service accepts", error);
  }
  if (ProtocolError.isInstance(error)) {
    if (error.code === MESSAGE_TOO_LARGE) {
      return badResult(call, "it is larger than the service accepts", error);
    }
    if (error.code === MALFORMED_ANSWER) {
      return badResult(call, `it is not a JSON-RPC message: ${error.message}`, error);
    }
    return error.code === ANSWER_ENDED_EARLY
      ? outcomeUnknown(call, "the answer ended before it was complete", error)
      : badResult(call, `the server answered: ${rpcWords(error)}`, error);
  }
  const http = readHttpError(error);
  if (http !== null) return explainHttpStatus(call, http.status, error, http);
  if (SdkError.isInstance(error)) {
    switch (error.code) {
      case SdkErrorCode.RequestTimeout:
        return timedOut(call, timeoutMs, error);
      case SdkErrorCode.ConnectionClosed:
        return outcomeUnknown(call, "the connection closed before the answer", error);
      case SdkErrorCode.NotConnected:
        return unreachable(call, "is not connected", { cause: error });
      case SdkErrorCode.ClientHttpAuthentication:
        return noCredential(call, "the server does not accept the credential", error);
      case SdkErrorCode.UnsupportedResultType:
        return badResult(call, "the server asks for something that toolgate does not do", error);
      case SdkErrorCode.InvalidResult:
      case SdkErrorCode.ClientHttpUnexpectedContent:
        return badResult(call, "it is not a valid MCP answer", error);
    }
    return /input.?required/i.test(error.message)
      ? badResult(call, "the server asks for input of a person", error)
      : unreachable(call, "failed", { cause: error });
  }
  if (error instanceof Error && error.message === "Not connected") {
    return unreachable(call, "is not connected", { cause: error });
  }
  if (error instanceof Error && error.name === "UnauthorizedError") {
    return noCredential(call, "the server wants a credential", error);
  }
  if (error instanceof SyntaxError || error instanceof Error && error.name === "ZodError") {
    return badResult(call, "it is not JSON-RPC", error);
  }
  return outcomeUnknown(call, "the connection broke", error);
}

/** Walks the causes of an error, a few at most. */
function findCause(error: unknown, matches: (cause: Error) => boolean): Error | null {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < 5; depth++) {
    if (matches(cause)) return cause;
    cause = cause.cause;
  }
  return null;
}

/**
 * Turns an HTTP status into the error of a call.
 *
 * @param said the server's words in the same answer.
 */
export function explainHttpStatus(
  call: CallName,
  status: number,
  cause?: unknown,
  said: Pick<HttpError, "words" | "retryAfterMs"> = { words: null, retryAfterMs: null },
): GateError {
  const words = said.words === null ? "" : `: ${said.words}`;
  if (status === 401 || status === 403) {
    const why = `the server does not accept the credential (HTTP ${status})${words}`;
    return noCredential(call, why, cause);
  }
  if (status === 429 || status === 503) {
    const advice = adviseWait("server", status, said.retryAfterMs);
    return unreachable(call, `is busy (HTTP ${status})${words}`, { cause, ...advice });
  }
  if (status >= 500) {
    return outcomeUnknown(call, `the server failed (HTTP ${status})${words}`, cause);
  }
  return unreachable(call, `refused the request (HTTP ${status})${words}`, { cause });
}
