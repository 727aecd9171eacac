import type { ErrorCode } from "../model/errors.ts";
import type { ExecutionStatus } from "../model/execution.ts";

/** Exit codes of commands; scripts and agents rely on these numbers. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  denied: 3,
  notReachable: 4,
  waiting: 5,
} as const;

const EXIT_OF_CODE: { readonly [code in ErrorCode]?: number } = {
  ERR_BAD_REQUEST: EXIT.usage,
  ERR_CONFIG: EXIT.usage,
  ERR_POLICY_DENIED: EXIT.denied,
  ERR_FORBIDDEN: EXIT.denied,
  ERR_UNAUTHENTICATED: EXIT.denied,
  ERR_NOT_REACHABLE: EXIT.notReachable,
  ERR_STORE: EXIT.notReachable,
  ERR_APPROVAL_REQUIRED: EXIT.waiting,
};

export function exitCodeOf(code: ErrorCode): number {
  return EXIT_OF_CODE[code] ?? EXIT.failed;
}

export function exitCodeOfExecution(status: ExecutionStatus): number {
  if (status === "ok") return EXIT.ok;
  if (status === "denied") return EXIT.denied;
  return status === "approval_required" ? EXIT.waiting : EXIT.failed;
}
