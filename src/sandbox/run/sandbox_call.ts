import type { ErrorCode } from "../../model/errors.ts";

/** One call of the program, as it spelled it. Everything in it comes from the program. */
export interface SandboxCall {
  /** 0 for the first call of the execution, then consecutive. */
  readonly index: number;
  /** Empty for `$search` and `$describe`. */
  readonly server: string;
  readonly tool: string;
  readonly args: unknown;
  readonly argsBytes: number;
  /** Aborted when the execution ends before the call does. */
  readonly signal: AbortSignal;
}

export type CallReply =
  | { readonly ok: true; readonly json: string; readonly atMs?: number }
  | {
    readonly ok: false;
    /** Milliseconds since the start of the execution, to which a seeded clock is advanced. */
    readonly atMs?: number;
    readonly error: {
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string;
      readonly tool: string;
    };
  };
