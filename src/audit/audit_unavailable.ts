import { GateError } from "../model/errors.ts";

/**
 * The error for a record that is not durable (yet).
 *
 * The log does not know what else the caller has done, so the message does not mention it; a caller
 * that knows adds it.
 */
export function auditUnavailable(reason: string, retryAfterMs: number): GateError {
  return new GateError("ERR_AUDIT_UNAVAILABLE", `Cannot write the audit log: ${reason}`, {
    hint: "The operator sees the cause in the health check",
    retryAfterMs,
  });
}
