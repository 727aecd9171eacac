import type { McpCaller } from "../../mcp/caller.ts";
import type { ExecuteInput, SearchInput } from "../../mcp/tool_definitions.ts";
import type { ExecutionResult } from "../../model/execution.ts";
import type { Principal } from "../../model/principal.ts";
import type { createAttack } from "../../operations/attack.ts";
import type { OperationDeps } from "../../operations/operation_deps.ts";
import type { SearchAnswer } from "../../search/search_index.ts";
import type { HealthReport } from "../health.ts";

/**
 * Dependencies of the API's routes: the parts of the service that operations need, and functions
 * made for the API. Each function trusts its caller's identity and checks everything else itself.
 */
export interface ApiDeps extends OperationDeps {
  readonly version: string;
  readonly canEnter: (principal: Principal, space: string) => boolean;
  readonly search: (caller: McpCaller, input: SearchInput) => Promise<SearchAnswer>;
  readonly execute: (
    caller: McpCaller,
    input: ExecuteInput,
    signal: AbortSignal,
  ) => Promise<ExecutionResult>;
  readonly health: () => Promise<HealthReport>;
  /** Runs hostile programs against the running sandbox; one run at a time. */
  readonly attack: ReturnType<typeof createAttack>;
}
