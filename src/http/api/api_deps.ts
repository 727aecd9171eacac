import type { AuditFilter } from "../../audit/audit_query.ts";
import type { ExportFormat } from "../../audit/export/export_audit.ts";
import type { AuditReport } from "../../audit/verify/verify_audit.ts";
import type { ApiKey, ApiKeyRequest } from "../../auth/api_keys.ts";
import type { McpCaller } from "../../mcp/caller.ts";
import type { ExecuteInput, SearchInput } from "../../mcp/tool_definitions.ts";
import type { ExecutionResult } from "../../model/execution.ts";
import type { Principal } from "../../model/principal.ts";
import type {
  DecidedTool,
  NamedDiff,
  PinsByServer,
  ShownTool,
  ToolList,
} from "../../operations/catalog.ts";
import type { CreatedKey, RevokedKey } from "../../operations/keys.ts";
import type { PolicyStatus } from "../../policy/active_policy.ts";
import type { PolicyTestReport } from "../../policy/check/policy_tests.ts";
import type { SearchAnswer } from "../../search/search_index.ts";
import type { GateExplanation } from "../../supervisor/call/explain_gate.ts";
import type { ReplayReport } from "../../supervisor/program/replay.ts";
import type { HealthReport } from "../health.ts";
import type { RecordPage, ShownRecords } from "./answers/audit_answers.ts";
import type { PolicyCheck, PolicyInForce } from "./answers/policy_answers.ts";
import type { AttackReport } from "./attack_service.ts";
import type { CallAnswer } from "./call_services.ts";
import type { ExplainRequest } from "./schemas.ts";
import type { CallQuery } from "./usage_schemas.ts";
import type { UsageServices } from "./usage_services.ts";

/** What the JSON API offers; each function trusts its caller's identity and decides the rest itself. */
export interface ApiDeps extends Pick<UsageServices, "usage" | "feedback" | "reportUsage"> {
  readonly version: string;
  readonly canEnter: (principal: Principal, space: string) => boolean;
  readonly search: (caller: McpCaller, input: SearchInput) => Promise<SearchAnswer>;
  readonly execute: (
    caller: McpCaller,
    input: ExecuteInput,
    signal: AbortSignal,
  ) => Promise<ExecutionResult>;
  readonly types: (caller: McpCaller) => Promise<string>;
  readonly tools: (caller: McpCaller) => Promise<ToolList>;
  readonly tool: (caller: McpCaller, name: string) => Promise<ShownTool>;
  readonly toolDiff: (name: string) => Promise<NamedDiff>;
  /** @throws {GateError} `ERR_CHANGED` if the tool is not the one that the pin stands for. */
  readonly approveTool: (principal: Principal, name: string, pin: string) => Promise<DecidedTool>;
  /** @throws {GateError} as `approveTool`. */
  readonly blockTool: (principal: Principal, name: string, pin: string) => Promise<DecidedTool>;
  readonly auditQuery: (filter: AuditFilter) => Promise<RecordPage>;
  readonly auditShow: (id: string) => Promise<ShownRecords>;
  readonly auditStream: (filter: AuditFilter, signal: AbortSignal) => ReadableStream<Uint8Array>;
  readonly auditExport: (filter: AuditFilter, format: ExportFormat) => Promise<Response>;
  /** Checks every chain of the store, payloads included. */
  readonly auditVerify: () => Promise<AuditReport>;
  readonly createKey: (principal: Principal, request: ApiKeyRequest) => Promise<CreatedKey>;
  readonly listKeys: () => Promise<readonly ApiKey[]>;
  /** @throws {GateError} `ERR_NOT_FOUND` */
  readonly revokeKey: (principal: Principal, id: string) => Promise<RevokedKey>;
  readonly policy: () => PolicyInForce;
  readonly policyCheck: () => Promise<PolicyCheck>;
  readonly policyTest: () => Promise<PolicyTestReport>;
  /** Reads the configured policy again and activates it if it is good. */
  readonly policyReload: () => Promise<PolicyStatus>;
  /** Server to tool to the pin of its approved definition. */
  readonly pins: () => Promise<PinsByServer>;
  readonly policyExplain: (request: ExplainRequest) => Promise<GateExplanation>;
  /** Calls with arguments and results; who reads them is recorded. */
  readonly auditCalls: (principal: Principal, query: CallQuery) => Promise<CallAnswer>;
  /** Runs recorded code over recorded answers. */
  readonly replay: (
    principal: Principal,
    execution: string,
    signal: AbortSignal,
  ) => Promise<ReplayReport>;
  readonly health: () => Promise<HealthReport>;
  /** Hostile programs against the running sandbox, one time at a time. */
  readonly attack: (principal: Principal) => Promise<AttackReport>;
}
