import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from "@modelcontextprotocol/client";
import { DialError } from "../dial/dial_error.ts";
import { GateError } from "../model/errors.ts";
import { OutboundRefusedError } from "./address_guard.ts";
import { AnswerTooLargeError } from "./bound_response.ts";
import { ANSWER_ENDED_EARLY } from "./cancellable_transport.ts";
import { RedirectRefusedError } from "./redirect_refused.ts";
import { MALFORMED_ANSWER, MESSAGE_TOO_LARGE } from "./stdio_transport.ts";
import {
  badResult,
  type CallName,
  noCredential,
  outcomeUnknown,
  redirected,
  timedOut,
  unreachable,
} from "./upstream_errors.ts";

/** The connection is of no more use; a new one may work. */
export function isConnectionLost(error: unknown): boolean {
  return SdkError.isInstance(error) &&
      (error.code === SdkErrorCode.ConnectionClosed || error.code === SdkErrorCode.NotConnected) ||
    error instanceof Error && error.message === "Not connected";
}

/** The server forgot our session. It has not looked at the request, so sending it again is safe. */
export function isSessionLost(error: unknown): boolean {
  if (!SdkHttpError.isInstance(error)) return false;
  const { status, text } = httpFacts(error);
  return status === 404 || status === 400 && /session/i.test(text);
}

/** An HTTP server that does not know the Streamable HTTP transport answers like this. */
export function isOldHttpServer(error: unknown): boolean {
  if (!SdkHttpError.isInstance(error)) return false;
  return [400, 404, 405, 406, 415].includes(httpFacts(error).status);
}

const OUR_OWN_CODES: readonly number[] = [
  MESSAGE_TOO_LARGE,
  MALFORMED_ANSWER,
  ANSWER_ENDED_EARLY,
];

/** An error that the server itself answered with, in its own words. */
export function isServerRefusal(error: unknown): error is ProtocolError {
  return ProtocolError.isInstance(error) && !OUR_OWN_CODES.includes(error.code);
}

/** Was anything sent? A refused connection or an unknown host means no. */
export function neverSent(error: unknown): boolean {
  const dial = findCause(error, (cause) => cause instanceof DialError);
  return dial instanceof DialError && !dial.wasSent;
}

/** Turns what the SDK throws for a call into one of our errors. A server's own refusal is not handled here. */
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
      return badResult(call, "it is not a JSON-RPC message", error);
    }
    return error.code === ANSWER_ENDED_EARLY
      ? outcomeUnknown(call, "the answer ended before it was complete", error)
      : badResult(call, `the server answered with error ${error.code}`, error);
  }
  if (SdkHttpError.isInstance(error)) {
    return explainHttpStatus(call, httpFacts(error).status, error);
  }
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

/** What an HTTP status says about a call. */
export function explainHttpStatus(call: CallName, status: number, cause?: unknown): GateError {
  if (status === 401 || status === 403) {
    return noCredential(call, `the server does not accept the credential (HTTP ${status})`, cause);
  }
  if (status === 429 || status === 503) {
    return unreachable(call, `is busy (HTTP ${status})`, { cause });
  }
  if (status >= 500) return outcomeUnknown(call, `the server failed (HTTP ${status})`, cause);
  return unreachable(call, `refused the request (HTTP ${status})`, { cause });
}

function httpFacts(error: SdkHttpError): { status: number; text: string } {
  const facts: unknown = error.data;
  const status = typeof facts === "object" && facts !== null && "status" in facts
    ? Number(facts.status)
    : 0;
  const text = typeof facts === "object" && facts !== null && "text" in facts
    ? String(facts.text)
    : "";
  return { status, text: text.slice(0, 1_000) };
}
