import type { AuditEvent } from "../../model/event.ts";
import { auditUnavailable } from "../audit_unavailable.ts";
import {
  type AuditPayloads,
  commitLargePayloads,
  commitPayloads,
  type KeptPayloads,
  type SaltedPayloads,
} from "../payloads/payload_box.ts";
import { type PayloadStore, SHARED_CHARACTERS_MAX } from "../payloads/payload_store.ts";
import { AUDIT_LIMITS, isAnnouncementKind } from "./queue.ts";

export interface KeptRecord {
  readonly event: AuditEvent;
  readonly payloads: KeptPayloads | null;
}

export interface KeepDeps {
  readonly payloadStore: Pick<PayloadStore, "keep">;
  /** Whether to keep payloads; a record commits to its payloads in any case. */
  readonly keepsPayloads: boolean;
  readonly log: (message: string) => void;
}

/**
 * Puts the commits of payloads into their event, and keeps the payloads.
 *
 * Without its payload an intent is refused, but an outcome is still recorded, with a mark.
 *
 * @returns a promise only if the payloads are large.
 * @throws {GateError} `ERR_AUDIT_UNAVAILABLE`
 */
export function keepPayloads(
  deps: KeepDeps,
  event: AuditEvent,
  payloads: AuditPayloads | undefined,
): KeptRecord | Promise<KeptRecord> {
  if (payloads === undefined) return { event, payloads: null };
  const { args = "", result = "", code = "" } = payloads;
  if (args.length + result.length + code.length <= SHARED_CHARACTERS_MAX) {
    return keepCommitted(deps, commitPayloads(event, payloads));
  }
  return commitLargePayloads(event, payloads).then((committed) => keepCommitted(deps, committed));
}

function keepCommitted(
  deps: KeepDeps,
  { event, salted }: { readonly event: AuditEvent; readonly salted: SaltedPayloads },
): KeptRecord | Promise<KeptRecord> {
  if (!deps.keepsPayloads) return { event, payloads: null };
  const kept = deps.payloadStore.keep(salted);
  if (!(kept instanceof Promise)) return withKept(event, kept);
  return kept.then((payloads) => withKept(event, payloads), (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    if (isAnnouncementKind(event.kind)) {
      throw auditUnavailable(reason, AUDIT_LIMITS.retryMaxMs);
    }
    deps.log(`audit: ${reason}`);
    return withKept(event, null);
  });
}

function withKept(event: AuditEvent, payloads: KeptPayloads | null): KeptRecord {
  if (payloads !== null) return { event, payloads };
  return { event: { ...event, detail: { ...event.detail, payload: "not kept" } }, payloads };
}
