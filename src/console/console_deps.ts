import type { AuditFilter, AuditPage } from "../audit/audit_query.ts";
import type { AuditPayloads } from "../audit/payloads/payload_box.ts";
import type { SinkStatus } from "../audit/ship/ship.ts";
import type { PinDecision } from "../catalog/decide_pin.ts";
import type { ToolDiff } from "../catalog/diff_definition.ts";
import type { AuditRecord } from "../model/event.ts";
import type { ExecutionStatus } from "../model/execution.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import type { Tool } from "../model/tool.ts";
import type { ShownEffect } from "../model/verdict.ts";
import type { CatalogListing } from "../operations/catalog.ts";
import type { PolicyStatus } from "../policy/active_policy.ts";
import type { GateExplanation, GateQuestion } from "../supervisor/call/explain_gate.ts";
import type { UserOAuth } from "../upstream/credentials/user_oauth.ts";
import type { Usage } from "../usage/kpi.ts";
import type { UsageBy } from "../usage/usage_row.ts";
import type { OidcLogin } from "./oidc_login.ts";
import type { RecordedCall } from "./recorded_call.ts";

/**
 * What the console's pages need, as plain functions.
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
  /** Newest first. */
  readonly queryAudit: (filter: AuditFilter) => Promise<AuditPage>;
  /** Everything about one execution; null if the log does not know it. */
  readonly showExecution: (
    principal: Principal,
    id: string,
    /** Payloads to open, which is recorded; the console asks for them with scope `auditor` only. */
    payloads: PayloadWish | null,
  ) => Promise<ExecutionView | null>;
  /** Calls back for every record once it is durable. */
  readonly followAudit: (listener: (record: AuditRecord) => void) => () => void;
  /** What the last check found; cheap. */
  readonly verifyState: () => Promise<AuditVerifyState>;
  /** Starts a check of the whole log; `verifyState` says when it has ended. */
  readonly startVerify: (principal: Principal) => Promise<void>;
  /** How it goes with the places that records are shipped to. */
  readonly sinks: () => Promise<readonly SinkStatus[]>;
  /** Records as a download, oldest first. */
  readonly exportAudit: (filter: AuditFilter, format: "csv" | "jsonl") => Promise<Response>;
  /** Running executions and the newest ended ones, newest first. */
  readonly executionsLive: () => readonly ExecutionSummary[];
}

/** What to open of an execution, for those who may; null: nothing. */
export interface PayloadWish {
  /** One more call, by its id. */
  readonly call: string | null;
}

export interface ExecutionView {
  /** Oldest first. */
  readonly records: readonly AuditRecord[];
  /** By `recordKey`; null: not asked for. A record without an entry has none kept (any more). */
  readonly payloads: ReadonlyMap<string, RecordPayloads> | null;
  /** Calls whose payloads were not opened though others were. */
  readonly unopened: ReadonlySet<string>;
  /** True: there are more records than are given here. */
  readonly truncated: boolean;
}

/** Texts kept beside a record. `logs`: a JSON array of `{level, text}`. */
export interface RecordPayloads extends AuditPayloads {
  readonly logs?: string;
}

/** What names one record. */
export function recordKey(record: Pick<AuditRecord, "chain" | "seq">): string {
  return `${record.chain}#${record.seq}`;
}

/** One execution in a list. */
export interface ExecutionSummary {
  readonly id: string;
  readonly sub: string;
  readonly client: string;
  readonly space: string;
  /** `lost`: it started and nothing was heard of it for longer than any execution may take. */
  readonly status: "running" | "lost" | ExecutionStatus;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** How long it took, or takes so far, by no clock that can be set; null: nobody knows. */
  readonly tookMs: number | null;
  /** By what became of them; one without an outcome yet counts as `allow`. */
  readonly calls: { readonly [effect in ShownEffect]?: number };
  /** `server.name` of the newest call. */
  readonly lastTool: string | null;
  /** US dollars so far. */
  readonly cost: number;
  /** Code of the error it ended with. */
  readonly errorCode: string | null;
}

/** What is known about the integrity of the log. */
export interface AuditVerifyState {
  /** When it was last checked, milliseconds since the epoch; null: never since the start. */
  readonly checkedAtMs: number | null;
  /** A check runs now. */
  readonly isChecking: boolean;
  readonly chains: readonly AuditChainState[];
  /** Whether new records can be written. */
  readonly writing: { readonly ok: boolean; readonly reason: string | null };
}

export interface AuditChainState {
  readonly chain: string;
  readonly records: number;
  /** Null: not checked yet. */
  readonly ok: boolean | null;
  /** Records that a checkpoint outside the store vouches for. */
  readonly anchored: number;
  /** Records that a signed checkpoint covers. */
  readonly signed: number;
  /** What is wrong, in words; empty when nothing is. */
  readonly problems: readonly string[];
}

export interface ConsoleCatalog {
  /** What the principal may use; with scope `admin` every tool, also those hidden from it. */
  readonly tools: (principal: Principal) => Promise<CatalogListing>;
  /** How a tool differs from what was approved; null if its server does not list it. */
  readonly diff: (server: string, name: string) => Promise<ToolDiff | null>;
  /**
   * Approves or blocks a tool as it was shown.
   *
   * @throws {PinMismatch} if it is something else now; nothing was decided.
   */
  readonly decideTool: (
    principal: Principal,
    decision: Omit<PinDecision, "actor">,
  ) => Promise<void>;
  /** The TypeScript declaration that programs see. */
  readonly declareTool: (tool: Tool) => string;
}

export interface ConsolePolicy {
  readonly policyStatus: () => PolicyStatus & { readonly mode: "enforce" | "observe" };
  /** Names of the policy's spaces. */
  readonly spaces: () => readonly string[];
  /** What the gate would do with a call, for a principal that need not exist; as the API answers. */
  readonly explain: (question: GateQuestion) => Promise<GateExplanation>;
  /**
   * A call of the log to explain; null if the log does not know it.
   *
   * @param mayOpen opens its arguments, which is recorded; the console asks with scope `auditor` only.
   */
  readonly recordedCall: (
    principal: Principal,
    call: string,
    mayOpen: boolean,
  ) => Promise<RecordedCall | null>;
}

export interface ConsoleUsage {
  readonly usage: (question: UsageQuestion) => Promise<Usage>;
}

export interface UsageQuestion {
  readonly by: UsageBy;
  /** Milliseconds since the epoch, inclusive. */
  readonly since: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until: number;
}
