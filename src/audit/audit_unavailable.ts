import { GateError } from "../model/errors.ts";

/**
 * A record is not durable (yet).
 *
 * The log knows the record and not what else the caller has done, so this says nothing of that; who
 * knows it adds it.
 */
export function auditUnavailable(reason: string, retryAfterMs: number): GateError {
  return new GateError("ERR_AUDIT_UNAVAILABLE", `Cannot write the audit log: ${reason}`, {
    hint: "The operator sees the cause in the health check",
    retryAfterMs,
  });
}
