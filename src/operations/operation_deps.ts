import type { AuditLog } from "../audit/audit_log.ts";
import type { ApiKeys } from "../auth/api_keys.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { ServerState } from "../model/catalog.ts";
import type { Limits } from "../model/limits.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import type { ActivePolicy } from "../policy/active_policy.ts";
import type { SandboxPool } from "../sandbox/pool/sandbox_pool.ts";
import type { GateExplanation, GateQuestion } from "../supervisor/call/explain_gate.ts";
import type { CatalogView } from "../supervisor/catalog_view.ts";

/**
 * The parts of the service that operations work with. The composition root makes them once; each
 * operation declares the few parts that it uses.
 */
export interface OperationDeps {
  readonly audit: AuditLog;
  readonly keys: ApiKeys;
  readonly policy: ActivePolicy;
  /** The catalog, opened at its first use; waits a bounded time for the servers' first lists. */
  readonly catalog: () => Promise<Catalog>;
  readonly view: (principal: Principal, space: string) => CatalogView;
  /** As they are now, connections included. */
  readonly servers: () => readonly ServerState[];
  /** How the gate would treat a call, and why; calls no tool. */
  readonly explain: (question: GateQuestion) => Promise<GateExplanation>;
  /** The sandbox; opened at its first use. */
  readonly sandbox: () => Promise<SandboxPool>;
  readonly limits: Limits;
  /** Refuses a principal whose budget in the store is used up. */
  readonly admit: (principal: Principal) => Promise<void>;
  readonly usdPerMillionTokens: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Log;
  /** Aborts when the service takes no more work. */
  readonly closing: AbortSignal;
}
