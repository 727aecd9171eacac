import type { CallSummary } from "../../model/execution.ts";
import type { Principal } from "../../model/principal.ts";

/** One program that a caller wants to run. */
export interface ExecuteRequest {
  readonly principal: Principal;
  readonly space: string;
  readonly code: string;
  /** Lowers the wall time; never raises it above the configured limit. */
  readonly timeoutMs?: number;
  readonly dryRun?: boolean;
  readonly task: string | null;
  readonly traceparent: string | null;
  readonly signal: AbortSignal;
  /** Receives each finished call, for progress notifications. */
  readonly onCall?: (call: CallSummary) => void;
}
