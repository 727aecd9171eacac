import type { AuditLog } from "../../audit/audit_log.ts";
import type { CatalogSnapshot } from "../../model/catalog.ts";
import type { Effect } from "../../model/decision.ts";
import type { ErrorReport } from "../../model/errors.ts";
import type { ToolSpelling } from "../../model/named_tool.ts";
import type { Tool } from "../../model/tool.ts";
import type { CallProgress, UpstreamAnswer } from "../../model/upstream.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Upstreams } from "../../upstream/upstreams.ts";
import type { OutputGate } from "./output_gate.ts";
import type { QuotaGate } from "./quota_gate.ts";
import type { FormatUse } from "../values/validate_json.ts";

/** The services that the gate uses for a call. */
export interface CallToolDeps {
  readonly now: () => number;
  readonly snapshot: () => CatalogSnapshot;
  readonly policy: () => Policy;
  readonly audit: Pick<AuditLog, "append">;
  readonly upstreams: Pick<Upstreams, "call">;
  readonly quotas: QuotaGate;
  readonly output: OutputGate;
  /** Whether formats of arguments are enforced; default: `annotate`. */
  readonly formats?: FormatUse;
  /** Tokens of a text; an estimate. */
  readonly countTokens: (text: string) => number;
  /** Receives the value of each good answer, to learn undeclared output types. */
  readonly observeResult: (tool: Tool, value: unknown) => void;
}

export interface ToolCall extends ToolSpelling {
  /** 0-based position among the calls of its execution. */
  readonly index: number;
  /** Parsed JSON. */
  readonly args: unknown;
  readonly signal: AbortSignal;
  /** Receives the upstream's progress messages. */
  readonly onProgress?: (progress: CallProgress) => void;
}

/** The outcome of one call. Expected failures are values, so that they are always audited. */
export type CallOutcome =
  & {
    /** `server.tool` in the catalog's spelling, or in the caller's if the tool does not exist. */
    readonly tool: string;
    readonly effect: Effect;
    readonly ms: number;
    /** Size of the value handed to the program, as JSON. */
    readonly bytes: number;
    /** False only if the upstream has certainly not received the call. */
    readonly sent: boolean;
    /** Names the records not confirmed by the audit log; absent if all are, or inside a program. */
    readonly recordPending?: string;
  }
  & (
    | {
      readonly ok: true;
      readonly value: unknown;
      readonly json: string;
      readonly answer: UpstreamAnswer | null;
      /** True if no rule redacts results, so the answer may be passed on as received. */
      readonly isIntact: boolean;
    }
    | { readonly ok: false; readonly error: ErrorReport }
  );
