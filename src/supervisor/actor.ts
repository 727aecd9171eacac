import type { AuditActor } from "../model/event.ts";
import type { Principal } from "../model/principal.ts";
import type { Policy } from "../policy/policy.ts";

/** A principal as the audit log names it; its groups are those of the policy in force. */
export function actorOf(principal: Principal, policy: Pick<Policy, "groups">): AuditActor {
  return {
    sub: principal.sub,
    iss: principal.issuer,
    client: principal.client,
    groups: policy.groups(principal),
    scopes: principal.scopes,
  };
}
