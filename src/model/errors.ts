/**
 * Every failure that a person or a model can act on has one stable code.
 *
 * Append only: agents, dashboards and the audit commands match on these.
 */
export type ErrorCode =
  // The program
  | "ERR_PROGRAM" // an exception that the program did not catch
  | "ERR_SYNTAX" // the program does not parse
  | "ERR_PREFLIGHT" // the program does not fit the declarations of its tools
  | "ERR_RESULT_FORM" // the returned value has no JSON form
  // Limits of one execution
  | "ERR_SANDBOX_WALL_TIME"
  | "ERR_SANDBOX_CPU_TIME"
  | "ERR_SANDBOX_MEMORY"
  | "ERR_SANDBOX_CALLS"
  | "ERR_SANDBOX_MESSAGE_SIZE"
  | "ERR_SANDBOX_RESULT_SIZE"
  | "ERR_SANDBOX_LOG_SIZE"
  | "ERR_SANDBOX_CODE_SIZE"
  | "ERR_SANDBOX_TIMERS"
  | "ERR_SANDBOX_NESTING"
  | "ERR_SANDBOX_PROTOCOL" // the host process broke the message protocol
  | "ERR_SANDBOX_CRASH" // the host process died for a reason that no limit explains
  | "ERR_SANDBOX_STALLED" // the program waits for something that can never happen
  | "ERR_SANDBOX_UNAVAILABLE" // no host could be started
  | "ERR_BUSY" // queue full; the error says when to retry
  | "ERR_CANCELLED"
  // The gate
  | "ERR_TOOL_NOT_FOUND"
  | "ERR_TOOL_UNAVAILABLE" // quarantined, pending or blocked
  | "ERR_INVALID_ARGUMENTS"
  | "ERR_POLICY_DENIED"
  | "ERR_APPROVAL_REQUIRED"
  | "ERR_LIMIT_REACHED" // a quota of the policy is used up
  | "ERR_AUDIT_UNAVAILABLE"
  | "ERR_CREDENTIAL"
  // The upstream
  | "ERR_UPSTREAM" // the tool answered with an error
  | "ERR_UPSTREAM_UNREACHABLE"
  | "ERR_UPSTREAM_TIMEOUT"
  | "ERR_UPSTREAM_RESULT" // the answer is malformed, too large or breaks its schema
  | "ERR_OUTCOME_UNKNOWN" // the call may have happened; it is not repeated
  // The edge
  | "ERR_UNAUTHENTICATED"
  | "ERR_FORBIDDEN"
  | "ERR_NOT_FOUND"
  | "ERR_BAD_REQUEST"
  | "ERR_CONFIG"
  | "ERR_STORE"
  | "ERR_NOT_REACHABLE"
  | "ERR_INTERNAL"
  | "ERR_CHANGED"; // what was decided about is no longer what was shown

export interface GateErrorOptions {
  /** One sentence for the model or the operator: what to do instead. */
  readonly hint: string;
  readonly cause?: unknown;
  /** The tool the error is about, as `server.tool`. */
  readonly tool?: string;
  /** Milliseconds after which a retry may succeed. */
  readonly retryAfterMs?: number;
}

/**
 * An error with a stable code and a remedy.
 *
 * The message says what could not be done, then the state; the hint says what to do instead.
 */
export class GateError extends Error {
  override readonly name = "GateError";
  readonly code: ErrorCode;
  readonly hint: string;
  readonly tool: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: GateErrorOptions) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.tool = options.tool;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** An error as plain JSON: what crosses a process or HTTP boundary. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly tool?: string;
  readonly retryAfterMs?: number;
}

/** Turns anything thrown into a report; what is not a GateError becomes `ERR_INTERNAL` without its inner text. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof GateError) {
    return {
      code: error.code,
      message: error.message,
      hint: error.hint,
      ...(error.tool === undefined ? {} : { tool: error.tool }),
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    };
  }
  return {
    code: "ERR_INTERNAL",
    message: "Internal error",
    hint: "The operator finds the cause in the service log.",
  };
}
