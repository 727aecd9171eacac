import type { AuditLog } from "../audit/audit_log.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import type { Policy } from "../policy/policy.ts";
import type { StorageBudget } from "../usage/storage_budget.ts";
import { actorOf } from "./actor.ts";

export interface AdmissionDeps {
  readonly budget: Pick<StorageBudget, "admit">;
  readonly audit: Pick<AuditLog, "append">;
  readonly policy: () => Policy;
  readonly log: Log;
}

/**
 * Every new program, classic call and search asks this first. Running work is never asked again.
 *
 * @throws {GateError} `ERR_LIMIT_REACHED` if the person's budget in the store is used up.
 */
export function createAdmission(
  { budget, audit, policy, log }: AdmissionDeps,
): (caller: { readonly principal: Principal; readonly space: string }) => Promise<void> {
  return ({ principal, space }) =>
    budget.admit(principal, (freesAt) => {
      audit.append({
        kind: "limit.hit",
        space,
        actor: actorOf(principal, policy()),
        detail: { limit: "storedBytesPerDayMax", freesAt },
      }).catch((error) => log("warn", "Cannot record a limit", { cause: `${error}` }));
    });
}
