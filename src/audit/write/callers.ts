import type { GateError } from "../../model/errors.ts";
import { auditUnavailable } from "../audit_unavailable.ts";
import { type AuditLimits, type AuditQueue, isAnnouncement, type Waiting } from "./queue.ts";
import type { Trouble } from "./trouble.ts";

/** Rejects callers whose records the store does not take. */
export interface Callers {
  /** The error for a caller whose record is not durable. */
  unavailable(reason: string): GateError;
  reject(waitings: readonly Waiting[], reason: string): void;
  /** Refuses every queued or in-flight announcement: the announced action must not happen. */
  refuseAnnouncements(inFlight: readonly Waiting[], reason: string): void;
  /** Releases callers who have waited long enough; their facts stay queued. */
  releasePatient(inFlight: readonly Waiting[]): void;
}

export function createCallers(
  deps: {
    readonly queue: AuditQueue;
    readonly trouble: Trouble;
    readonly limits: AuditLimits;
    readonly now: () => number;
  },
): Callers {
  const { queue, trouble, limits, now } = deps;
  const unavailable = (reason: string) => auditUnavailable(reason, limits.retryMaxMs);
  const reject = (waitings: readonly Waiting[], reason: string) => {
    for (const waiting of waitings) waiting.reject(unavailable(reason));
  };
  return {
    unavailable,
    reject,
    refuseAnnouncements(inFlight, reason) {
      const queued = queue.remove(isAnnouncement);
      for (const waiting of [...queued, ...inFlight.filter(isAnnouncement)]) {
        if (waiting.refused) continue;
        waiting.refused = true;
        trouble.countRefused();
        waiting.reject(unavailable(reason));
      }
    },
    releasePatient(inFlight) {
      const before = now() - limits.factPatienceMs;
      const patient = [...inFlight, ...queue.all()].filter(({ ts }) => ts < before);
      reject(patient, trouble.reason() ?? "");
    },
  };
}
