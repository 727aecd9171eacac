import { GateError } from "../model/errors.ts";
import type { RedirectRefusedError } from "./net/redirect_refused.ts";

/** The call that an error names. */
export interface CallName {
  readonly server: string;
  readonly name: string;
}

const SAME_CALL_UNSAFE =
  "The call may have happened; check before you repeat it, unless it only reads";

export function toolName(call: CallName): string {
  return `${call.server}.${call.name}`;
}

export function cancelled(call: CallName): GateError {
  return new GateError("ERR_CANCELLED", `Stopped waiting for "${toolName(call)}": cancelled`, {
    hint: SAME_CALL_UNSAFE,
    tool: toolName(call),
  });
}

export function timedOut(call: CallName, timeoutMs: number, cause?: unknown): GateError {
  return new GateError(
    "ERR_UPSTREAM_TIMEOUT",
    `Cannot finish "${toolName(call)}": no answer within ${timeoutMs} ms`,
    { hint: SAME_CALL_UNSAFE, tool: toolName(call), cause },
  );
}

/** The call did not reach the upstream. */
export function unreachable(
  call: CallName,
  why: string,
  options: {
    readonly cause?: unknown;
    readonly retryAfterMs?: number;
    /** Replaces the usual hint. */
    readonly hint?: string;
  } = {},
): GateError {
  return new GateError(
    "ERR_UPSTREAM_UNREACHABLE",
    `Cannot call "${toolName(call)}": upstream "${call.server}" ${why}`,
    { hint: "Try again later, or do without this server", tool: toolName(call), ...options },
  );
}

/** The connection broke after the call was sent. */
export function outcomeUnknown(call: CallName, why: string, cause?: unknown): GateError {
  return new GateError(
    "ERR_OUTCOME_UNKNOWN",
    `Cannot tell whether "${toolName(call)}" happened: ${why}`,
    { hint: SAME_CALL_UNSAFE, tool: toolName(call), cause },
  );
}

export function badResult(call: CallName, why: string, cause?: unknown): GateError {
  return new GateError(
    "ERR_UPSTREAM_RESULT",
    `Cannot use the answer of "${toolName(call)}": ${why}`,
    {
      hint: "The call may have happened; ask for less, or do without this tool",
      tool: toolName(call),
      cause,
    },
  );
}

/** The server answered with a redirect instead of a result. */
export function redirected(call: CallName, error: RedirectRefusedError): GateError {
  return new GateError(
    "ERR_UPSTREAM_RESULT",
    `Cannot use the answer of "${toolName(call)}": it is ${error.words}`,
    {
      hint: "The operator has to name the new address in the configuration. " + SAME_CALL_UNSAFE,
      tool: toolName(call),
      cause: error,
    },
  );
}

export function noCredential(call: CallName, why: string, cause?: unknown): GateError {
  return new GateError(
    "ERR_CREDENTIAL",
    `Cannot call "${toolName(call)}": ${why}`,
    { hint: "The operator has to fix the credential of this server", tool: toolName(call), cause },
  );
}

export function isTooLarge(call: CallName, bytes: number, bytesMax: number): GateError {
  return badResult(call, `${bytes} bytes are over the limit of ${bytesMax}`);
}
