import type { AuditLog } from "./audit/audit_log.ts";
import { declareTools } from "./catalog/declare.ts";
import { looseNames, mentionedTools } from "./checker/mentions.ts";
import { siteFetch } from "./dial/site_fetch.ts";
import type { McpCaller } from "./mcp/caller.ts";
import type { ClassicTools } from "./mcp/classic_tools.ts";
import type { McpExchange } from "./mcp/exchange.ts";
import { executeRequest } from "./mcp/execute_request.ts";
import { offeredTools } from "./mcp/offered_tools.ts";
import type { ExecuteInput, SearchInput } from "./mcp/tool_definitions.ts";
import type { ServerState } from "./model/catalog.ts";
import type { ExecutionResult } from "./model/execution.ts";
import type { SearchAnswer } from "./model/search.ts";
import type { Tool } from "./model/tool.ts";
import { uuidV7 } from "./model/uuid.ts";
import { openSemantic } from "./search/open_semantic.ts";
import { createSearchIndex, type SearchIndex } from "./search/search_index.ts";
import { createAdmission } from "./supervisor/admission.ts";
import {
  explainGate,
  type GateExplanation,
  type GateQuestion,
} from "./supervisor/call/explain_gate.ts";
import { createOutputGate } from "./supervisor/call/output_gate.ts";
import { createQuotaGate } from "./supervisor/call/quota_gate.ts";
import type { CallOutcome } from "./supervisor/call/tool_call.ts";
import { callClassic, type CallClassicDeps } from "./supervisor/call_classic.ts";
import { createDrain, type Drain } from "./supervisor/drain.ts";
import { enterExecution, type EnterExecutionDeps } from "./supervisor/program/enter_execution.ts";
import { createKeptResults, type KeptResults } from "./supervisor/program/kept_results.ts";
import { createPreflight } from "./supervisor/program/preflight.ts";
import { createProgramDiscovery } from "./supervisor/program/program_discovery.ts";
import { findTools, searchTools, type SearchToolsDeps } from "./supervisor/search_tools.ts";
import { withConnections } from "./upstream/server_states.ts";
import { createQuotas, type Quotas } from "./usage/quota.ts";
import type { StorageBudget } from "./usage/storage_budget.ts";
import { estimateTokens } from "./usage/tokens.ts";
import { type CatalogParts, type CatalogPartsDeps, wireCatalog } from "./wire_catalog.ts";
import { type Programs, wirePrograms } from "./wire_programs.ts";

/** All parts behind the HTTP edge: upstreams, catalog, policy, search, sandbox, and the gate. */
export interface Gate
  extends
    Pick<CatalogParts, "catalog" | "policy" | "upstreams" | "view">,
    Pick<Programs, "sandbox" | "sandboxStatus" | "warmChecker"> {
  readonly search: (
    caller: McpCaller,
    input: SearchInput,
    exchange?: Pick<McpExchange, "task" | "traceparent">,
  ) => Promise<SearchAnswer>;
  /** How this gate would treat a call, and why; calls no tool. */
  readonly explain: (question: GateQuestion) => Promise<GateExplanation>;
  readonly execute: (
    caller: McpCaller,
    input: ExecuteInput,
    exchange: McpExchange,
  ) => Promise<ExecutionResult>;
  /** The upstream tools that the caller's space offers directly. */
  readonly classic: (caller: McpCaller) => Promise<ClassicTools>;
  readonly callClassic: (
    caller: McpCaller,
    tool: Tool,
    args: unknown,
    exchange: McpExchange,
  ) => Promise<CallOutcome>;
  /** Declarations of a small catalog for the description of `execute`. */
  readonly inline: (caller: McpCaller) => string;
  readonly kept: KeptResults;
  readonly servers: () => readonly ServerState[];
  /** Lets running executions finish within `drainMs`, then stops them and closes all parts. */
  close(): Promise<void>;
}

export interface GateDeps extends CatalogPartsDeps {
  readonly audit: AuditLog;
  /** How long an answer waits for the audit records of its calls. */
  readonly recordPatienceMs: number;
  readonly budget: StorageBudget;
}

interface GateParts {
  readonly known: CatalogParts;
  readonly index: SearchIndex;
  readonly programs: Programs;
  readonly kept: KeptResults;
  readonly quotas: Quotas;
  readonly drain: Drain;
}

/** Bound on the tokens of the declarations in the description of `execute`. */
const INLINE_TOKENS_MAX = 2_000;

export async function openGate(deps: GateDeps): Promise<Gate> {
  const { config } = deps.loaded;
  const known = await wireCatalog(deps);
  const { catalog, policy, snapshot, upstreams, view } = known;
  const semantic = openSemantic(config.search.embeddings, { ...deps, fetch: siteFetch });
  const index = createSearchIndex({
    snapshot,
    config: config.search,
    ...(semantic === undefined ? {} : { semantic }),
  });
  const programs = wirePrograms({ ...deps, config });
  const kept = createKeptResults({
    store: deps.store,
    sealer: deps.audit.sealer,
    now: deps.now,
    onKept: deps.budget.charge,
  });
  const quotas = createQuotas({ store: deps.store, now: deps.now });
  const drain = createDrain();
  const work = wireWork(deps, { known, index, programs, kept, quotas, drain });
  return {
    catalog,
    policy,
    upstreams,
    view,
    kept,
    sandbox: programs.sandbox,
    sandboxStatus: programs.sandboxStatus,
    warmChecker: () => drain.isDraining() ? undefined : programs.warmChecker(),
    servers: () => withConnections(upstreams, snapshot().servers.values()),
    explain: (question) => explainGate({ ...work, policy, catalog, quotas }, question),
    search: (caller, input, exchange = NO_EXCHANGE) =>
      searchTools(work, { ...caller, ...exchange }, input),
    execute: async (...request) => await enterExecution(work, executeRequest(...request)),
    classic: (caller) => offeredTools({ spaces: config.spaces, ready: catalog, view }, caller),
    callClassic: (caller, tool, args, exchange) =>
      callClassic(work, { ...caller, ...exchange, tool, args }),
    inline: ({ principal, space }) =>
      index.inline(view(principal, space).visible, INLINE_TOKENS_MAX).text,
    async close() {
      await drain.finish(config.server.drainMs);
      await programs.close();
      await semantic?.close();
      await known.close();
    },
  };
}

/** Wires searches, programs and classic calls. */
function wireWork(
  { loaded: { config }, audit, budget, now, recordPatienceMs, log }: GateDeps,
  { known, index, programs, kept, quotas, drain }: GateParts,
): EnterExecutionDeps & SearchToolsDeps & CallClassicDeps {
  const { catalog, snapshot, upstreams, view, observeResult } = known;
  const policy = known.policy.current;
  const finder = { ready: catalog, view, index };
  return {
    ...finder,
    now: () => performance.now(),
    snapshot,
    policy,
    audit,
    upstreams,
    quotas: createQuotaGate(quotas, now),
    output: createOutputGate(config.schemas.format),
    formats: config.schemas.format,
    observeResult,
    sandbox: programs,
    preflight: createPreflight({
      mode: config.preflight,
      snapshot,
      policy,
      mentionedTools,
      looseNames,
      declareTools,
      check: programs.checker.check,
    }),
    discovery: createProgramDiscovery({
      snapshot,
      view,
      search: (...asked) => findTools(finder, ...asked),
    }),
    admit: createAdmission({ budget, audit, policy, log }),
    drain,
    limits: config.limits,
    recordPatienceMs,
    newId: uuidV7,
    newSeed: () => ({
      epochMs: now(),
      random: crypto.getRandomValues(new Uint8Array(32)).toHex(),
    }),
    keepResult: kept.keep,
    countTokens: estimateTokens,
  };
}

/** Task and trace of a search that did not come through MCP. */
const NO_EXCHANGE = { task: null, traceparent: null };
