import type { AuditLog } from "../audit/audit_log.ts";
import type { AuditEvent, AuditRecord } from "../model/event.ts";
import type { Principal } from "../model/principal.ts";
import type { Policy } from "../policy/policy.ts";
import { actorOf } from "../supervisor/actor.ts";

export interface RecordAdminDeps {
  readonly audit: Pick<AuditLog, "append">;
  readonly policy: { readonly current: () => Pick<Policy, "groups"> };
}

/**
 * Records an administrative act and its principal. All administrative acts are recorded here.
 *
 * @param action such as `keys.create`; part of the contract, since auditors search for it.
 * @throws {GateError} `ERR_AUDIT_UNAVAILABLE`: an act without a record must not be answered.
 */
export function recordAdmin(
  deps: RecordAdminDeps,
  principal: Principal,
  action: string,
  detail: AuditEvent["detail"] = {},
): Promise<AuditRecord> {
  const actor = actorOf(principal, deps.policy.current());
  return deps.audit.append({ kind: "admin", actor, detail: { action, ...detail } });
}
