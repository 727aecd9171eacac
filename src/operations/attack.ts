import { GateError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { Principal } from "../model/principal.ts";
import { type AttackRow, runAttacks } from "../sandbox/attack/attack.ts";
import type { SandboxPool } from "../sandbox/pool/sandbox_pool.ts";
import { recordAdmin, type RecordAdminDeps } from "./record_admin.ts";

export interface AttackReport {
  /** True if the sandbox held every attack. */
  readonly ok: boolean;
  readonly isolation: string;
  readonly attacks: readonly AttackRow[];
}

export interface AttackDeps extends RecordAdminDeps {
  readonly sandbox: () => Promise<SandboxPool>;
  readonly limits: Limits;
}

/**
 * Attacks the sandbox of this service, as configured; one run at a time. The programs have a
 * principal and tools of their own, so that they cannot reach a real tool.
 *
 * @throws {GateError} `ERR_BUSY` while another run is in progress.
 */
export function createAttack(deps: AttackDeps): (principal: Principal) => Promise<AttackReport> {
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
      await recordAdmin(deps, principal, "attack.start");
      const pool = await deps.sandbox();
      const attacks = await runAttacks(pool, deps.limits);
      const failed = attacks.filter((row) => !row.ok).map(({ name }) => name);
      await recordAdmin(deps, principal, "attack.end", { attacks: attacks.length, failed });
      return { ok: failed.length === 0, isolation: pool.status().isolation, attacks };
    } finally {
      running = false;
    }
  };
}
