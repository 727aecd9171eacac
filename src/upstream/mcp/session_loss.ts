import { ProtocolError } from "@modelcontextprotocol/client";
import type { McpConnection } from "./connection.ts";
import { isConnectionLost } from "./errors.ts";
import { type HttpError, readHttpError } from "./http_error.ts";

/**
 * What happens to a connection and a request that failed on it: `repeat` the request on a new
 * connection, `renew` the connection and let the request fail, or `keep` the connection.
 */
export type FailureVerdict = "keep" | "renew" | "repeat";

/** Messages of SDKs for an unknown session, or for a session without a handshake. */
const UNKNOWN_SESSION =
  /session.{0,60}\b(not found|not exist|not valid|unknown|expired|invalid|terminated|closed|missing|required|no longer)|(not find|invalid|unknown|expired|missing|no valid|no such|unrecogni[sz]ed)\b.{0,30}\bsession/is;
const NOT_INITIALIZED =
  /(server|session) (is |was |has )?not (yet )?(been )?initiali[sz]ed|initiali[sz]e (request )?first|expect(ed)? initiali[sz]e|before initiali[sz]ation|during session initiali[sz]ation|by an initiali[sz]e request/i;
/** The Python SDK writes only this for every request before `initialize`. */
const PYTHON_NOT_INITIALIZED = "Invalid request parameters";
const INVALID_PARAMS = -32_602;
const INTERNAL_ERROR = -32_603;

/**
 * Judges a failed request on a connection of the 2025 era. A request is repeated only if the server
 * did not look at it.
 *
 * If a refusal does not give the reason, `ping` tests the session: a session that answers is alive.
 */
export async function judgeFailure(
  error: unknown,
  live: Pick<McpConnection, "era" | "hasSession" | "answersPing">,
  args: unknown,
): Promise<FailureVerdict> {
  if (isConnectionLost(error)) return "renew";
  if (live.era === "modern") return "keep";
  const http = readHttpError(error);
  if (http === null) {
    return ProtocolError.isInstance(error) && saysNoSession(error, args) ? "repeat" : "keep";
  }
  if (!live.hasSession) return "keep";
  if (http.isAnswer && namesSession(args)) return "keep";
  if (isLostByStatus(http)) return "repeat";
  if (http.isAnswer || http.status < 400 || http.status === 429) return "keep";
  if (await live.answersPing()) return "keep";
  return http.status < 500 ? "repeat" : "renew";
}

function isLostByStatus(http: HttpError): boolean {
  const words = http.rpc?.message ?? http.words ?? "";
  if (UNKNOWN_SESSION.test(words) || NOT_INITIALIZED.test(words)) return true;
  return (http.status === 404 || http.status === 410) && !http.isAnswer;
}

function saysNoSession({ code, message, data }: ProtocolError, args: unknown): boolean {
  if (code === INTERNAL_ERROR) return false;
  if (NOT_INITIALIZED.test(message)) return true;
  if (code === INVALID_PARAMS) return message === PYTHON_NOT_INITIALIZED && !data;
  return UNKNOWN_SESSION.test(message) && !namesSession(args);
}

/** True if the arguments name a session of the tool: its errors may mean that session. */
function namesSession(args: unknown): boolean {
  return /"[^"]*session[^"]*":/i.test(JSON.stringify(args ?? null));
}
