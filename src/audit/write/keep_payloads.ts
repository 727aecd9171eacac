import type { AuditEvent } from "../../model/event.ts";
import { auditUnavailable } from "../audit_unavailable.ts";
import type { KeptPayloads, SaltedPayloads } from "../payloads/payload_box.ts";
import type { PayloadStore } from "../payloads/payload_store.ts";
import { AUDIT_LIMITS, isAnnouncementKind } from "./queue.ts";

export interface KeptRecord {
  readonly event: AuditEvent;
  readonly payloads: KeptPayloads | null;
}

/**
 * An intent without its payload is refused; an outcome without it is better than none, and says so.
 *
 * @returns at once, unless a large payload has to be written first.
 * @throws {GateError} `ERR_AUDIT_UNAVAILABLE`
 */
export function keepPayloads(
  payloadStore: PayloadStore,
  committed: { event: AuditEvent; salted: SaltedPayloads },
  log: (message: string) => void,
): KeptRecord | Promise<KeptRecord> {
  const { event, salted } = committed;
  const kept = payloadStore.keep(salted);
  if (!(kept instanceof Promise)) return withKept(event, kept);
  return kept.then((payloads) => withKept(event, payloads), (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    if (isAnnouncementKind(event.kind)) {
      throw auditUnavailable(reason, AUDIT_LIMITS.retryMaxMs);
    }
    log(`audit: ${reason}`);
    return withKept(event, null);
  });
}

function withKept(event: AuditEvent, payloads: KeptPayloads | null): KeptRecord {
  if (payloads !== null) return { event, payloads };
  return { event: { ...event, detail: { ...event.detail, payload: "not kept" } }, payloads };
}
