import { GateError } from "../model/errors.ts";
import type { AuditEvent } from "../model/event.ts";
import { isAnnouncementKind, type KeptPayloads } from "./audit_queue.ts";
import type { SaltedPayloads } from "./payload_box.ts";
import type { PayloadStore } from "./payload_store.ts";

/**
 * An intent without its payload is refused; an outcome without it is better than none, and says so.
 *
 * @throws {GateError} `ERR_AUDIT_UNAVAILABLE`
 */
export async function keepPayloads(
  payloadStore: PayloadStore,
  committed: { event: AuditEvent; salted: SaltedPayloads },
  log: (message: string) => void,
): Promise<{ event: AuditEvent; payloads: KeptPayloads | null }> {
  const { event, salted } = committed;
  let kept: KeptPayloads | null = null;
  try {
    kept = await payloadStore.keep(salted);
  } catch (error) {
    if (isAnnouncementKind(event.kind)) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new GateError("ERR_AUDIT_UNAVAILABLE", `Cannot write the audit log: ${reason}`, {
        hint: "Nothing was done. Try again later; the operator sees the cause in the health check.",
        cause: error,
      });
    }
    log(`audit: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (kept !== null) return { event, payloads: kept };
  return { event: { ...event, detail: { ...event.detail, payload: "not kept" } }, payloads: null };
}
