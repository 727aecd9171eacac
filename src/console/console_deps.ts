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
 * What the console's pages need, as plain functions: operations of the service, and what is the
 * console's own, which is sessions, the list of what runs, and the state of a check.
 *
 * The console checks scopes before it calls any of them; a function that takes a principal narrows
 * further by what that principal may see, and records who did what.
 */
export interface ConsoleDeps
  extends ConsoleIdentity, ConsoleAudit, ConsoleCatalog, ConsolePolicy, ConsoleUsage {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly version: string;
  /** What browsers use; with `https:` cookies are `Secure`. Undefined: the address that was asked. */
  readonly publicUrl: string | undefined;
  /** Signs cookies and form tokens; the same on every replica. */
  readonly secret: Uint8Array<ArrayBuffer>;
  readonly log: Log;
  /** A person's own account at an upstream; null if that upstream takes none. */
  readonly accountAt: (server: string) => Pick<UserOAuth, "begin" | "finish"> | null;
  /** Aborts when the service takes no more work: live streams end then. */
  readonly closing: AbortSignal;
}

/** An operation whose dependencies are given already. */
type Bound<Operation> = Operation extends (deps: never, ...rest: infer Rest) => infer Answer
  ? (...rest: Rest) => Answer
  : never;

export interface ConsoleIdentity {
  /** Who everybody is when nobody logs in (`auth: none`); null: people log in. */
  readonly anonymous: Principal | null;
  /** The principal of an API key or access token; null if it is not valid. Records the failure. */
  readonly login: (token: string) => Promise<Principal | null>;
  /** Starts a session, after a login with a credential or at the issuer. */
  readonly openSession: (
    principal: Principal,
    login: "credential" | "issuer",
  ) => Promise<ConsoleSession>;
  /** The principal as it is now; null once the session has ended or its credential was revoked. */
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
  /** The console asks for payloads with scope `auditor` only. */
  readonly showExecution: Bound<typeof showExecution>;
  /** Calls back for every record once it is durable. */
  readonly followAudit: AuditLog["follow"];
  /** What the last check found; cheap. */
  readonly verifyState: () => Promise<AuditVerifyState>;
  /** Starts a check of the whole log; `verifyState` says when it has ended. */
  readonly startVerify: (principal: Principal) => Promise<void>;
  /** How it goes with the places that records are shipped to. */
  readonly sinks: () => Promise<readonly SinkStatus[]>;
  readonly exportAudit: Bound<typeof exportRecords>;
  /** Running executions and the newest ended ones, newest first. */
  readonly executionsLive: () => readonly ExecutionSummary[];
}

export interface ConsoleCatalog {
  /** What the principal may use; with scope `admin` every tool, also those hidden from it. */
  readonly tools: (principal: Principal) => Promise<CatalogListing>;
  readonly diff: Bound<typeof diffTool>;
  readonly decideTool: Bound<typeof decideTool>;
  readonly declareTool: typeof declareTool;
}

export interface ConsolePolicy extends ExplainDeps {
  readonly policyStatus: () => PolicyStatus & { readonly mode: "enforce" | "observe" };
  /** Names of the policy's spaces. */
  readonly spaces: () => readonly string[];
  /** The console opens arguments with scope `auditor` only. */
  readonly recordedCall: Bound<typeof openRecordedCall>;
}

export interface ConsoleUsage {
  readonly usage: (question: Required<UsageQuestion>) => Promise<Usage>;
}
