/** The meaning of a code, for models, operators and authors of clients. */
interface CodeMeaning {
  /** What happened. */
  readonly means: string;
  /** What to do. The hint of each error is more exact. */
  readonly remedy: string;
}

/**
 * Every failure that a person or a model can act on has one stable code.
 *
 * Append only: agents, dashboards and the audit commands match on these. `deno task docs` writes
 * `docs/errors.md` from this table.
 */
export const ERROR_CODES = {
  // The program
  ERR_PROGRAM: {
    means: "The program threw an exception that it did not catch.",
    remedy: "Read the message and the line, and correct the program.",
  },
  ERR_SYNTAX: {
    means: "The text is not a program that can run.",
    remedy: "Correct the place that the error names.",
  },
  ERR_PREFLIGHT: {
    means: "The program does not fit the declarations of the tools it names; nothing has run.",
    remedy: "Correct the places that the error lists, and send the program again.",
  },
  ERR_RESULT_FORM: {
    means: "The returned value cannot be written as JSON.",
    remedy: "Return plain objects, arrays, texts, numbers, booleans or null.",
  },
  // Limits of one execution
  ERR_SANDBOX_WALL_TIME: {
    means: "The program took longer than its time.",
    remedy: "Do less in one program, or ask for more time with timeoutMs.",
  },
  ERR_SANDBOX_CPU_TIME: {
    means: "The program computed for longer than it may.",
    remedy: "Let a tool filter or add up, or work on less data.",
  },
  ERR_SANDBOX_MEMORY: {
    means: "The program needed more memory than it may have.",
    remedy: "Work in pages, and keep only what the result needs.",
  },
  ERR_SANDBOX_CALLS: {
    means: "The program made more calls than one execution may.",
    remedy: "Use tools that take or give many items at once, or split the work.",
  },
  ERR_SANDBOX_MESSAGE_SIZE: {
    means: "The arguments of a call, or its answer, are larger than a message may be.",
    remedy: "Send less in one call, or ask the tool for less.",
  },
  ERR_SANDBOX_RESULT_SIZE: {
    means: "The returned value is larger than a result may be.",
    remedy: "Return a summary, or only the fields that are needed.",
  },
  ERR_SANDBOX_LOG_SIZE: {
    means: "The program logged more than it may.",
    remedy: "Log less.",
  },
  ERR_SANDBOX_CODE_SIZE: {
    means: "The text of the program is larger than it may be.",
    remedy: "Send a shorter program; large data belongs in tools.",
  },
  ERR_SANDBOX_TIMERS: {
    means: "The program has more timers at once than it may.",
    remedy: "Wait for some of them before the program sets others.",
  },
  ERR_SANDBOX_NESTING: {
    means: "A value, or a chain of function calls, is nested deeper than it may be.",
    remedy: "Use a loop instead of recursion, or a flatter value.",
  },
  ERR_SANDBOX_PROTOCOL: {
    means: "The process that ran the program broke the protocol and was ended.",
    remedy: "Run the program again; if it happens again, tell the operator.",
  },
  ERR_SANDBOX_CRASH: {
    means: "The process that ran the program ended for a reason that no limit explains.",
    remedy: "Run the program again; if it happens again, tell the operator.",
  },
  ERR_SANDBOX_STALLED: {
    means: "The program waits for something that can never happen.",
    remedy: "Look at the promises that nothing resolves.",
  },
  ERR_SANDBOX_UNAVAILABLE: {
    means: "No process could be started to run the program.",
    remedy: 'The operator finds the cause with "toolgate doctor".',
  },
  ERR_BUSY: {
    means: "There is more work than the service takes at the moment.",
    remedy: "Try again after the time that the error names.",
  },
  ERR_CANCELLED: {
    means: "Whoever asked for the work cancelled it, or the service is ending.",
    remedy: "Send it again if it is still wanted.",
  },
  // The gate
  ERR_TOOL_NOT_FOUND: {
    means: "The caller may not use a tool of this name, or it does not exist.",
    remedy: "Search for the tool; the error names near ones.",
  },
  ERR_TOOL_UNAVAILABLE: {
    means: "The tool waits for approval, was blocked, or has a definition that cannot be used.",
    remedy: 'An operator looks at it with "toolgate tools diff NAME".',
  },
  ERR_INVALID_ARGUMENTS: {
    means: "The arguments do not fit the tool's schema; nothing was called.",
    remedy: "Correct the arguments that the error names.",
  },
  ERR_POLICY_DENIED: {
    means: "A rule of the policy, or the lack of one, refuses the call.",
    remedy:
      'Do what the message of the rule says; an operator finds the reason with "toolgate policy explain".',
  },
  ERR_APPROVAL_REQUIRED: {
    means: "A rule of the policy wants a person's consent to the call.",
    remedy: "Ask the approvers that the error names.",
  },
  ERR_LIMIT_REACHED: {
    means: "A limit of the policy is used up.",
    remedy: "Try again after the time that the error names, or ask for a higher limit.",
  },
  ERR_AUDIT_UNAVAILABLE: {
    means: "A record could not be written. The error says whether anything was done without it.",
    remedy: "The operator looks at the store; /readyz says what is wrong.",
  },
  ERR_CREDENTIAL: {
    means: "The upstream does not accept the credential, or there is none yet.",
    remedy: "The operator, or the person whose account it is, connects it again.",
  },
  // The upstream
  ERR_UPSTREAM: {
    means: "The tool answered with an error.",
    remedy: "Read its message; it is the upstream's own.",
  },
  ERR_UPSTREAM_UNREACHABLE: {
    means: "There is no connection to the upstream; the call was not sent.",
    remedy: 'Try again later; an operator finds the reason with "toolgate doctor".',
  },
  ERR_UPSTREAM_TIMEOUT: {
    means: "The upstream did not answer in time; the call may have happened.",
    remedy: "Look whether it happened before you repeat it.",
  },
  ERR_UPSTREAM_RESULT: {
    means:
      "The call was made, and its answer is malformed, too large, or does not fit the tool's schema.",
    remedy: "Look whether the call had its effect before you repeat it.",
  },
  ERR_OUTCOME_UNKNOWN: {
    means: "The call may have happened, and no answer came; it is not repeated by itself.",
    remedy: "Look whether it happened before you repeat it.",
  },
  // The edge
  ERR_UNAUTHENTICATED: {
    means: "There is no credential, or it is not valid.",
    remedy: "Send a valid key or token.",
  },
  ERR_FORBIDDEN: {
    means: "The credential lacks a scope, or the request comes from a place that may not send it.",
    remedy: "Use a credential with the scope that the error names.",
  },
  ERR_NOT_FOUND: {
    means: "What the request names does not exist for this caller.",
    remedy: "Check the name.",
  },
  ERR_BAD_REQUEST: {
    means: "The request, or the command, cannot be understood.",
    remedy: "Correct what the error names.",
  },
  ERR_CONFIG: {
    means: "The configuration, a policy, or a file that they name cannot be used.",
    remedy: "Correct the place that the error names.",
  },
  ERR_STORE: {
    means: "The store refuses, or does not answer.",
    remedy: "The operator looks at the store; the log and /readyz say what is wrong.",
  },
  ERR_NOT_REACHABLE: {
    means: "The service cannot be reached.",
    remedy: "See whether it runs; its log says why it ended.",
  },
  ERR_INTERNAL: {
    means: "toolgate itself has a fault.",
    remedy: "The operator finds the cause in the service log.",
  },
  ERR_CHANGED: {
    means: "What was decided about is not what was shown any more; nothing was decided.",
    remedy: "Look at it again, then decide.",
  },
} as const satisfies { readonly [code: string]: CodeMeaning };

export type ErrorCode = keyof typeof ERROR_CODES;

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

/** An error as plain JSON, to cross a process or HTTP boundary. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly tool?: string;
  readonly retryAfterMs?: number;
}

/**
 * Turns any thrown value into a report. A value that is not a GateError becomes `ERR_INTERNAL`, and
 * its own text is left out.
 */
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
