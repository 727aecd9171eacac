import { GateError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { limitError, type SandboxOutcome } from "../run/outcome.ts";

/** How full a pool is. */
export interface PoolLoad {
  readonly queued: number;
  readonly running: number;
  /** Programs that run at once. */
  readonly placesMax: number;
  /** How long a program runs, on average. */
  readonly meanRunMs: number;
}

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 30_000;

/** The error when too many programs wait; estimates when those ahead will have run. */
export function busyError({ queued, running, placesMax, meanRunMs }: PoolLoad): GateError {
  const estimateMs = (meanRunMs * (queued + running)) / placesMax;
  const retryAfterMs = Math.ceil(Math.min(RETRY_MS_MAX, Math.max(RETRY_MS_MIN, estimateMs)));
  return new GateError(
    "ERR_BUSY",
    `Cannot run the program: ${queued} others are waiting, which is the limit`,
    { hint: `Try again in ${retryAfterMs} ms.`, retryAfterMs },
  );
}

export function stoppingError(): GateError {
  return new GateError(
    "ERR_SANDBOX_UNAVAILABLE",
    "Cannot run the program: the service is stopping",
    { hint: "Try again when it is back." },
  );
}

/** The outcome of a program that never reached a host. */
export function refusedOutcome(
  code: "ERR_SANDBOX_CODE_SIZE" | "ERR_CANCELLED",
  limits: Limits,
): SandboxOutcome {
  return {
    status: code === "ERR_CANCELLED" ? "cancelled" : "error",
    resultJson: null,
    oversize: null,
    logs: [],
    error: limitError(code, limits),
    callCount: 0,
    wallMs: 0,
    cpuMs: 0,
  };
}
