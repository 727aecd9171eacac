import type { AuditLog } from "./audit/audit_log.ts";
import { type Catalog, openCatalog } from "./catalog/catalog.ts";
import { declareTools } from "./catalog/declare.ts";
import { type Checker, openChecker } from "./checker/checker.ts";
import { createCheckerCommand } from "./checker/checker_command.ts";
import { looseNames, mentionedTools } from "./checker/mentions.ts";
import type { LoadedConfig } from "./config/load_config.ts";
import type { ResolveSecrets } from "./config/secrets.ts";
import { aliasesOf, titlesOf } from "./config/server_names.ts";
import { unknownSpaces } from "./config/space_modes.ts";
import { siteFetch } from "./dial/site_fetch.ts";
import type { McpCaller } from "./mcp/caller.ts";
import { type ClassicTools, classicTools } from "./mcp/classic_tools.ts";
import type { McpExchange } from "./mcp/exchange.ts";
import { codeOf, type ExecuteInput, type SearchInput } from "./mcp/tool_definitions.ts";
import { type CatalogSnapshot, EMPTY_SNAPSHOT, type ServerState } from "./model/catalog.ts";
import { GateError } from "./model/errors.ts";
import type { ExecutionResult } from "./model/execution.ts";
import type { Log } from "./model/log.ts";
import type { Principal } from "./model/principal.ts";
import { withinMs } from "./model/time/within_ms.ts";
import type { Tool } from "./model/tool.ts";
import { uuidV7 } from "./model/uuid.ts";
import { type ActivePolicy, openActivePolicy } from "./policy/active_policy.ts";
import { createBundleMemory } from "./policy/bundle/memory.ts";
import { createHostCommand, denoCacheDir } from "./sandbox/host/host_command.ts";
import {
  openSandboxPool,
  type SandboxPool,
  type SandboxStatus,
} from "./sandbox/pool/sandbox_pool.ts";
import { openSemantic } from "./search/open_semantic.ts";
import {
  createSearchIndex,
  type SearchAnswer,
  type SearchIndex,
  type SearchRequest,
} from "./search/search_index.ts";
import type { Store } from "./store/store.ts";
import { actorOf } from "./supervisor/actor.ts";
import { createAdmission } from "./supervisor/admission.ts";
import { callTool } from "./supervisor/call/call_tool.ts";
import {
  explainGate,
  type GateExplanation,
  type GateQuestion,
} from "./supervisor/call/explain_gate.ts";
import { createOutputGate } from "./supervisor/call/output_gate.ts";
import { createQuotaGate } from "./supervisor/call/quota_gate.ts";
import { confirm, describePending } from "./supervisor/call/record_state.ts";
import type { CallOutcome } from "./supervisor/call/tool_call.ts";
import { type CatalogView, createCatalogViews } from "./supervisor/catalog_view.ts";
import { contextOf, execute, type ExecuteDeps } from "./supervisor/program/execute.ts";
import { createKeptResults, type KeptResults } from "./supervisor/program/kept_results.ts";
import { createPreflight } from "./supervisor/program/preflight.ts";
import { createProgramDiscovery } from "./supervisor/program/program_discovery.ts";
import type { UserTokens } from "./upstream/credentials/user_tokens.ts";
import { withConnections } from "./upstream/server_states.ts";
import type { SubjectToken } from "./upstream/upstream.ts";
import { openUpstreams, type Upstreams } from "./upstream/upstreams.ts";
import { createQuotas } from "./usage/quota.ts";
import type { StorageBudget } from "./usage/storage_budget.ts";
import { estimateTokens } from "./usage/tokens.ts";

/** Everything behind the edge: upstreams, catalog, policy, search, sandbox, and the gate between them. */
export interface Gate {
  readonly policy: ActivePolicy;
  /** The catalog, listed at least once or given up on; opened at its first use. */
  readonly catalog: () => Promise<Catalog>;
  readonly view: (principal: Principal, space: string) => CatalogView;
  readonly search: (
    caller: McpCaller,
    input: SearchInput,
    exchange?: McpExchange,
  ) => Promise<SearchAnswer>;
  /** What this gate would do with a call, and why; nothing is called. */
  readonly explain: (question: GateQuestion) => Promise<GateExplanation>;
  readonly execute: (
    caller: McpCaller,
    input: ExecuteInput,
    exchange: McpExchange,
  ) => Promise<ExecutionResult>;
  /** The tools that the caller's space offers as they are. */
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
  readonly upstreams: Upstreams;
  /** The sandbox; opened at its first use. */
  readonly sandbox: () => Promise<SandboxPool>;
  /** Null before the sandbox was opened. */
  readonly sandboxStatus: () => SandboxStatus | null;
  /** Has the program checker ready before somebody waits for it; never fails. */
  readonly warmChecker: () => void;
  readonly servers: () => readonly ServerState[];
  /** Lets running executions finish for `drainMs`, then stops them, and closes everything. */
  close(): Promise<void>;
}

export interface GateDeps {
  readonly loaded: LoadedConfig;
  readonly store: Store;
  readonly audit: AuditLog;
  /** How long an answer waits for records of what has happened. */
  readonly recordPatienceMs: number;
  readonly budget: StorageBudget;
  /** The service's time, which never goes back. */
  readonly now: () => number;
  readonly resolveSecrets: ResolveSecrets;
  /** The token by which a caller proved who they are; null if there is none. */
  readonly subjectToken: SubjectToken;
  /** Where tokens of people's own accounts are kept; undefined if no upstream asks for them. */
  readonly userTokens: UserTokens | undefined;
  readonly env: () => { readonly [name: string]: string };
  readonly log: Log;
  /** @see ActivePolicyDeps */
  readonly unusablePolicy: "refuse" | "close";
}

/** Declarations that the description of `execute` may hold. */
const INLINE_TOKENS_MAX = 2_000;
/** How long a first request waits for upstreams that have not answered yet. */
const FIRST_LISTING_MS = 15_000;

export async function openGate(deps: GateDeps): Promise<Gate> {
  const { loaded: { config, source, baseDir }, store, audit, log } = deps;
  const upstreams = openUpstreams({
    mcpServers: config.mcpServers,
    openapi: config.openapi,
    demo: source === "demo",
    baseDir,
    resolveSecrets: deps.resolveSecrets,
    env: deps.env,
    log,
    resultBytesMax: config.limits.toolResultBytesMax,
    subjectToken: deps.subjectToken,
    ...(deps.userTokens === undefined ? {} : { userTokens: deps.userTokens }),
  });
  let opened: Catalog | null = null;
  const snapshot = () => opened?.snapshot() ?? EMPTY_SNAPSHOT;
  const policy = await openActivePolicy({
    config,
    audit: (event) => audit.append(event),
    tools: () => [...snapshot().tools.values()],
    isListed: (server) => isListed(snapshot(), server),
    now: deps.now,
    bundles: createBundleMemory(store),
    unusable: deps.unusablePolicy,
    log,
  });
  for (const unknown of unknownSpaces(config, policy.current().spaces)) log("warn", unknown);
  const catalog = once(async () => {
    const catalog = await openCatalog({
      store,
      servers: upstreams.servers,
      listTools: (server) => upstreams.list(server),
      config: config.catalog,
      aliases: aliasesOf(config),
      identity: upstreams.identity,
      titles: titlesOf(config),
      audit: (event) => audit.append(event),
      log,
    });
    opened = catalog;
    await policy.announce();
    upstreams.onListChanged((server) => {
      catalog.refresh(server).catch((error) =>
        log("warn", "Cannot list an upstream again", { server, cause: `${error}` })
      );
    });
    await withinMs(catalog.ready(), FIRST_LISTING_MS);
    policy.toolsChanged();
    catalog.onChange(() => policy.toolsChanged());
    return catalog;
  });
  const semantic = openSemantic(config.search.embeddings, { ...deps, fetch: siteFetch });
  const index: SearchIndex = createSearchIndex({
    snapshot,
    config: config.search,
    ...(semantic === undefined ? {} : { semantic }),
  });
  const view = createCatalogViews({ snapshot, policy: policy.current });
  const childOptions = {
    executable: Deno.execPath(),
    standalone: Deno.build.standalone,
    cacheDir: denoCacheDir((name) => deps.env()[name]),
  };
  let pool: SandboxPool | null = null;
  const sandbox = once(async () =>
    pool = await openSandboxPool({
      ...config.sandbox,
      limits: config.limits,
      hostCommand: createHostCommand({ ...childOptions, program: programOf("host") }),
      log,
    })
  );
  const checker: Checker = openChecker({
    command: createCheckerCommand({ ...childOptions, program: programOf("checker") }),
    log,
  });
  const warmedChecker = once(() => checker.check("return 0;", ""));
  const find = async (principal: Principal, space: string, input: SearchRequest) => {
    await catalog();
    const { visible } = view(principal, space);
    const showsQuarantined = principal.scopes.includes("admin");
    return await index.search(input, visible, { showsQuarantined });
  };
  const kept = createKeptResults({
    store,
    sealer: audit.sealer,
    now: deps.now,
    onKept: (principal, bytes) => deps.budget.charge(principal, bytes),
  });
  const admit = createAdmission({ budget: deps.budget, audit, policy: policy.current, log });
  const running = new Set<Promise<unknown>>();
  const stopping = new AbortController();
  let draining = false;
  /** Runs work that a drain waits for, and that ends with the service at the latest. */
  const track = async <T>(start: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    if (draining) throw shuttingDown();
    const work = start(stopping.signal);
    running.add(work);
    try {
      return await work;
    } finally {
      running.delete(work);
    }
  };
  const quotas = createQuotas({ store, now: deps.now });
  const executeDeps: ExecuteDeps = {
    now: () => performance.now(),
    snapshot,
    policy: policy.current,
    audit,
    upstreams,
    quotas: createQuotaGate(quotas, deps.now),
    output: createOutputGate(config.schemas.format),
    formats: config.schemas.format,
    observeResult: (tool, value) => opened?.observeResult(tool, value),
    sandbox: { run: async (...run) => await (await sandbox()).run(...run) },
    preflight: createPreflight({
      mode: config.preflight,
      snapshot,
      policy: policy.current,
      mentionedTools,
      looseNames,
      declareTools,
      check: (code, declarations) => checker.check(code, declarations),
    }),
    discovery: createProgramDiscovery({ snapshot, view, search: find }),
    limits: config.limits,
    recordPatienceMs: deps.recordPatienceMs,
    newId: uuidV7,
    newSeed: () => ({
      epochMs: deps.now(),
      random: crypto.getRandomValues(new Uint8Array(32)).toHex(),
    }),
    keepResult: kept.keep,
    countTokens: estimateTokens,
  };
  return {
    policy,
    catalog,
    explain: (question) => explainGate({ ...executeDeps, policy, catalog, quotas }, question),
    view,
    kept,
    upstreams,
    sandbox,
    sandboxStatus: () => pool?.status() ?? null,
    warmChecker() {
      if (config.preflight === "off" || draining) return;
      warmedChecker().catch((error) =>
        log("warn", "Cannot start the checker", { cause: `${error}` })
      );
    },
    servers: () => withConnections(upstreams, snapshot().servers.values()),
    async search(caller, input, exchange) {
      await admit(caller);
      const answer = await find(caller.principal, caller.space, input);
      await audit.append({
        kind: "search",
        space: caller.space,
        actor: actorOf(caller.principal, policy.current()),
        ...(exchange?.task == null ? {} : { task: exchange.task }),
        ...(exchange?.traceparent == null ? {} : { trace: exchange.traceparent }),
        result: { status: "ok", bytes: answer.declarations.length },
        detail: {
          query: input.query.slice(0, 200),
          hits: answer.hits.length,
          total: answer.total,
          tokensReturned: estimateTokens(answer.declarations),
        },
      });
      return answer;
    },
    async execute(caller, input, exchange) {
      const code = codeOf(input);
      await admit(caller);
      await catalog();
      return await track((signal) =>
        execute(executeDeps, {
          ...caller,
          code,
          ...(input.timeoutMs === undefined ? {} : { timeoutMs: input.timeoutMs }),
          ...(input.dryRun === undefined ? {} : { dryRun: input.dryRun }),
          task: exchange.task,
          traceparent: exchange.traceparent,
          signal: AbortSignal.any([exchange.signal, signal]),
          ...(exchange.onCall === undefined ? {} : { onCall: exchange.onCall }),
        })
      );
    },
    async classic({ principal, space }) {
      const configured = Object.hasOwn(config.spaces, space) ? config.spaces[space] : undefined;
      if ((configured?.mode ?? "code") !== "code") await catalog();
      return classicTools(configured, view(principal, space).tools);
    },
    callClassic: (caller, tool, args, exchange) =>
      track(async (signal) => {
        await admit(caller);
        const context = contextOf(
          uuidV7(),
          {
            ...caller,
            task: exchange.task,
            traceparent: exchange.traceparent,
            signal: AbortSignal.any([exchange.signal, signal]),
          },
          config.limits,
          null,
          null,
        );
        const outcome = await callTool(executeDeps, context, {
          // The identifiers: a tool and a prompt may share their original name.
          server: tool.serverIdentifier,
          tool: tool.identifier,
          index: 0,
          args,
          signal: context.signal,
          ...(exchange.onProgress === undefined ? {} : { onProgress: exchange.onProgress }),
        });
        const unconfirmed = await confirm(context.recorded, deps.recordPatienceMs);
        if (unconfirmed === null || !outcome.sent) return outcome;
        return { ...outcome, recordPending: describePending(unconfirmed) };
      }),
    inline(caller) {
      return index.inline(view(caller.principal, caller.space).visible, INLINE_TOKENS_MAX).text;
    },
    async close() {
      draining = true;
      await withinMs(Promise.allSettled(running), config.server.drainMs);
      stopping.abort();
      await Promise.allSettled(running);
      await policy.close();
      await checker.close();
      if (sandbox.started()) await (await sandbox()).close();
      await opened?.close();
      await semantic?.close();
      await upstreams.close();
    },
  };
}

/** False for a configured server that has not answered yet: nothing can be held against it. */
function isListed(snapshot: CatalogSnapshot, name: string): boolean {
  const state = [...snapshot.servers.values()].find(({ server, serverIdentifier }) =>
    server === name || serverIdentifier === name
  );
  return state === undefined || state.listedAt !== null;
}

/** A child's program: a module of the source tree, or a file beside a packed bundle. */
function programOf(child: "host" | "checker"): string {
  const isSource = import.meta.url.endsWith("/src/wire_gate.ts");
  const sources = { host: "sandbox/host/host_main.ts", checker: "checker/process/checker_host.ts" };
  const bundles = { host: "sandbox_host.js", checker: "checker_host.js" };
  return new URL(isSource ? sources[child] : bundles[child], import.meta.url).href;
}

function shuttingDown(): GateError {
  return new GateError("ERR_BUSY", "Cannot run the program: the service is shutting down", {
    hint: "Try again in a few seconds",
    retryAfterMs: 5_000,
  });
}

/** Opens a thing at its first use and never twice; after a failure the next use tries again. */
function once<T>(open: () => Promise<T>): (() => Promise<T>) & { started: () => boolean } {
  let opening: Promise<T> | null = null;
  const get = () => {
    opening ??= open().catch((error) => {
      opening = null;
      throw error;
    });
    return opening;
  };
  return Object.assign(get, { started: () => opening !== null });
}
