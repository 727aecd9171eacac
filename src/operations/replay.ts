import type { AuditLog } from "../audit/audit_log.ts";
import type { Limits } from "../model/limits.ts";
import type { Principal } from "../model/principal.ts";
import type { SandboxPool } from "../sandbox/pool/sandbox_pool.ts";
import type { CatalogView } from "../supervisor/catalog_view.ts";
import { programNames } from "../supervisor/program/program_names.ts";
import { replayExecution, type ReplayReport } from "../supervisor/program/replay.ts";
import { recordAdmin, type RecordAdminDeps } from "./record_admin.ts";

export interface ReplayRecordedDeps extends RecordAdminDeps {
  readonly audit: Pick<AuditLog, "append" | "query" | "payloads">;
  readonly sandbox: () => Promise<Pick<SandboxPool, "run">>;
  readonly limits: Limits;
  readonly view: (principal: Principal, space: string) => CatalogView;
  /** Aborts when the service takes no more work. */
  readonly closing: AbortSignal;
}

/**
 * Runs recorded code over recorded answers in this service's sandbox, and records the principal who
 * asked and the result.
 *
 * @throws {GateError} as `replayExecution`.
 */
export async function replayRecorded(
  deps: ReplayRecordedDeps,
  principal: Principal,
  execution: string,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const report = await replayExecution(
    {
      audit: deps.audit,
      sandbox: { run: async (...run) => await (await deps.sandbox()).run(...run) },
      limits: deps.limits,
      now: () => performance.now(),
      names: (auditor, space, code) => programNames(deps.view(auditor, space), code),
    },
    principal,
    execution,
    AbortSignal.any([signal, deps.closing]),
  );
  await recordAdmin(deps, principal, "audit.replay", { execution, verdict: report.verdict });
  return report;
}
