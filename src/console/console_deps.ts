import type { AuditLog } from "../audit/audit_log.ts";
import type { SinkStatus } from "../audit/ship/ship_line.ts";
import type { declareTool } from "../catalog/declare.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import type { findRecords } from "../operations/audit.ts";
import type { CatalogListing, decideTool, diffTool } from "../operations/catalog.ts";
import type { exportRecords } from "../operations/export_records.ts";
import type { ExplainDeps } from "../operations/policy.ts";
import type { openRecordedCall } from "../operations/recorded_call.ts";
import type { showExecution } from "../operations/show_execution.ts";
import type { UsageQuestion } from "../operations/usage.ts";
import type { PolicyStatus } from "../policy/active_policy.ts";
import type { UserOAuth } from "../upstream/credentials/user_oauth.ts";
import type { Usage } from "../usage/kpi.ts";
import type { AuditVerifyState } from "./audit_checker.ts";
import type { ExecutionSummary } from "./live_executions.ts";
import type { OidcLogin } from "./oidc_login.ts";

/**
 * Functions for the console's pages: operations of the service, and the console's own sessions,
 * list of running executions and state of the audit check.
 *
 * The console checks scopes before it calls any of them. A function with a principal also shows
 * only what that principal may see, and records the principal's action.
 */
export interface ConsoleDeps
  extends ConsoleIdentity, ConsoleAudit, ConsoleCatalog, ConsolePolicy, ConsoleUsage {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly version: string;
  /** URL for browsers; `https:` makes cookies `Secure`. Undefined: the address of the request. */
  readonly publicUrl: string | undefined;
  /** Signs cookies and form tokens; the same on every replica. */
  readonly secret: Uint8Array<ArrayBuffer>;
  readonly log: Log;
  /** Connects a person's own account at an upstream; null if the upstream has no such accounts. */
  readonly accountAt: (server: string) => Pick<UserOAuth, "begin" | "finish"> | null;
  /** Aborts when the service stops taking work; live streams then end. */
  readonly closing: AbortSignal;
}

/** An operation with its dependencies already filled in. */
type Bound<Operation> = Operation extends (deps: never, ...rest: infer Rest) => infer Answer
  ? (...rest: Rest) => Answer
  : never;

export interface ConsoleIdentity {
  /** The principal of all visitors with `auth: none`; null: visitors log in. */
  readonly anonymous: Principal | null;
  /** The principal of an API key or access token; null if not valid. Records a failure. */
  readonly login: (token: string) => Promise<Principal | null>;
  /** Starts a session, after a login with a credential or at the issuer. */
  readonly openSession: (
    principal: Principal,
    login: "credential" | "issuer",
  ) => Promise<ConsoleSession>;
  /** The current principal; null after the session ended or its credential was revoked. */
  readonly sessionPrincipal: (sessionId: string) => Promise<Principal | null>;
  readonly endSession: (sessionId: string) => Promise<void>;
  /** Login at the issuer of `auth.issuer`; null if the configuration has no `auth.console`. */
  readonly oidc: OidcLogin | null;
}

export interface ConsoleSession {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export interface ConsoleAudit {
  readonly queryAudit: Bound<typeof findRecords>;
  /** The console requests payloads only with scope `auditor`. */
  readonly showExecution: Bound<typeof showExecution>;
  /** Calls its listener for every record once the record is durable. */
  readonly followAudit: AuditLog["follow"];
  /** The result of the last check; cheap to call. */
  readonly verifyState: () => Promise<AuditVerifyState>;
  /** Starts a check of the whole log; `verifyState` shows when it has ended. */
  readonly startVerify: (principal: Principal) => Promise<void>;
  /** State of the sinks that records are shipped to. */
  readonly sinks: () => Promise<readonly SinkStatus[]>;
  readonly exportAudit: Bound<typeof exportRecords>;
  /** Running executions and the newest ended ones, newest first. */
  readonly executionsLive: () => readonly ExecutionSummary[];
}

export interface ConsoleCatalog {
  /** Tools that the principal may use; with scope `admin` every tool, also hidden ones. */
  readonly tools: (principal: Principal) => Promise<CatalogListing>;
  readonly diff: Bound<typeof diffTool>;
  readonly decideTool: Bound<typeof decideTool>;
  readonly declareTool: typeof declareTool;
}

export interface ConsolePolicy extends ExplainDeps {
  readonly policyStatus: () => PolicyStatus & { readonly mode: "enforce" | "observe" };
  /** Names of the policy's spaces. */
  readonly spaces: () => readonly string[];
  /** The console opens arguments only with scope `auditor`. */
  readonly recordedCall: Bound<typeof openRecordedCall>;
}

export interface ConsoleUsage {
  readonly usage: (question: Required<UsageQuestion>) => Promise<Usage>;
}
