import { ProtocolError } from "@modelcontextprotocol/client";
import { DialError } from "../dial/dial_error.ts";
import { ChildFailure } from "./mcp/child_report.ts";
import { readHttpError, rpcWords } from "./mcp/http_error.ts";
import { OutboundRefusedError } from "./net/address_guard.ts";

const CAUSES_MAX = 3;
const CHARACTERS_MAX = 700;

/** Describes a failed connection for the operator: one short line, each reason once. */
export function describeFailure(error: unknown): string {
  const reasons: string[] = [];
  let cause = error;
  while (cause instanceof Error && reasons.length < CAUSES_MAX) {
    const reason = reasonOf(cause).replaceAll(/\s+/g, " ").trim();
    if (reason !== "" && !reasons.some((known) => known.includes(reason))) reasons.push(reason);
    // A ChildFailure already includes the words of its cause.
    cause = cause instanceof ChildFailure ? null : cause.cause;
  }
  return reasons.join(": ").slice(0, CHARACTERS_MAX);
}

/**
 * Why a server on the network does not answer, for the program that called it; null for other
 * failures, such as of a child process, whose words are for operators.
 */
export function networkReason(error: unknown): string | null {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < CAUSES_MAX; depth++) {
    const http = readHttpError(cause);
    if (http !== null) return `HTTP ${http.status}${http.words === null ? "" : `: ${http.words}`}`;
    if (cause instanceof DialError || cause instanceof OutboundRefusedError) return cause.message;
    cause = cause.cause;
  }
  return null;
}

function reasonOf(error: Error): string {
  const http = readHttpError(error);
  if (http !== null) {
    const said = http.words ?? http.page;
    return `HTTP ${http.status}${said === null ? "" : `: ${said}`}`;
  }
  if (ProtocolError.isInstance(error)) return `${rpcWords(error)} (error ${error.code})`;
  return error.message;
}
