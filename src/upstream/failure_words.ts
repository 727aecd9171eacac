import { ProtocolError } from "@modelcontextprotocol/client";
import { ChildFailure } from "./child_report.ts";
import { readHttpError, rpcWords } from "./http_error.ts";

const CAUSES_MAX = 3;
const CHARACTERS_MAX = 700;

/** What went wrong with a connection, for the operator: short, one line, each thing once. */
export function describeFailure(error: unknown): string {
  const reasons: string[] = [];
  let cause = error;
  while (cause instanceof Error && reasons.length < CAUSES_MAX) {
    const reason = reasonOf(cause).replaceAll(/\s+/g, " ").trim();
    if (reason !== "" && !reasons.some((known) => known.includes(reason))) reasons.push(reason);
    // It was made from its cause and says it better.
    cause = cause instanceof ChildFailure ? null : cause.cause;
  }
  return reasons.join(": ").slice(0, CHARACTERS_MAX);
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
