import type { AuditLog } from "../../audit/audit_log.ts";
import { GateError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { Principal } from "../../model/principal.ts";
import type { Policy } from "../../policy/policy.ts";
import { type AttackRow, runAttacks } from "../../sandbox/attack/attack.ts";
import type { SandboxPool } from "../../sandbox/pool/sandbox_pool.ts";
import { actorOf } from "../../supervisor/actor.ts";

export interface AttackReport {
  /** Every attack was held. */
  readonly ok: boolean;
  readonly isolation: string;
  readonly attacks: readonly AttackRow[];
}

export interface AttackServiceDeps {
  readonly sandbox: () => Promise<SandboxPool>;
  readonly limits: Limits;
  readonly policy: () => Policy;
  readonly audit: Pick<AuditLog, "append">;
}

/**
 * Attacks the sandbox of this service, as it is configured, one time at a time. The programs have a
 * principal and tools of their own, so that no real tool is in their reach.
 *
 * @throws {GateError} `ERR_BUSY` while another one runs.
 */
export function createAttackService(
  deps: AttackServiceDeps,
): (principal: Principal) => Promise<AttackReport> {
  let running = false;
  return async (principal) => {
    if (running) {
      throw new GateError("ERR_BUSY", "Cannot attack the sandbox: it is being attacked already", {
        hint: "Wait for the other one to end",
        retryAfterMs: 30_000,
      });
    }
    running = true;
    try {
      const actor = actorOf(principal, deps.policy());
      await deps.audit.append({ kind: "admin", actor, detail: { action: "attack.start" } });
      const pool = await deps.sandbox();
      const attacks = await runAttacks(pool, deps.limits);
      const failed = attacks.filter((row) => !row.ok).map(({ name }) => name);
      const detail = { action: "attack.end", attacks: attacks.length, failed };
      await deps.audit.append({ kind: "admin", actor, detail });
      return { ok: failed.length === 0, isolation: pool.status().isolation, attacks };
    } finally {
      running = false;
    }
  };
}
