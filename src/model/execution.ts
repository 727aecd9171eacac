import type { ErrorCode } from "./errors.ts";
import type { Effect } from "./decision.ts";

export type ExecutionStatus =
  | "ok"
  | "error"
  | "denied"
  | "timeout"
  | "cancelled"
  | "approval_required";

export interface LogLine {
  readonly level: string;
  readonly text: string;
}

/** One call as the result of `execute` lists it. */
export interface CallSummary {
  /** `server.tool` */
  readonly tool: string;
  readonly effect: Effect;
  /** `ok`, or the error code. */
  readonly status: string;
  readonly ms: number;
}

/** An error of the program, with the lines of the caller's own code. */
export interface ProgramError {
  readonly code: ErrorCode;
  readonly name: string;
  readonly message: string;
  readonly hint: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  readonly stack?: string;
}

/** The answer of `execute` (`structuredContent`). */
export interface ExecutionResult {
  readonly executionId: string;
  readonly status: ExecutionStatus;
  readonly result?: unknown;
  readonly logs: readonly LogLine[];
  readonly calls: readonly CallSummary[];
  readonly error?: ProgramError;
  readonly approval?: {
    readonly id: string;
    readonly summary: string;
    readonly url: string;
    readonly expiresAt: string;
  };
  readonly handle?: { readonly uri: string; readonly bytes: number };
  /** Work that the audit log has not confirmed yet; absent if it has confirmed everything. */
  readonly recordPending?: string;
  /** Findings of the preflight check that did not stop the run. */
  readonly warnings?: readonly PreflightFinding[];
  /** With `dryRun`: the writes that would have run. */
  readonly planned?: readonly { readonly tool: string; readonly args: unknown }[];
  readonly usage: {
    readonly wallMs: number;
    readonly toolCalls: number;
    readonly bytesKeptOut: number;
    readonly tokensReturned: number;
    readonly tokensKeptOut: number;
  };
}

/** One finding of the preflight check, at a place of the caller's own code. */
export interface PreflightFinding {
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  readonly message: string;
}
