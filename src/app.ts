import { type AuditLog, openAuditLog } from "./audit/audit_log.ts";
import { createAuthFailures } from "./audit/auth_failures.ts";
import { openServiceClock } from "./audit/open_service_clock.ts";
import { type Shipping, startShipping } from "./audit/ship/ship.ts";
import { AUDIT_LIMITS, type AuditLimits } from "./audit/write/queue.ts";
import { createApiKeys } from "./auth/api_keys.ts";
import { createAuthenticator, LOCAL_PRINCIPAL, type TokenVerifier } from "./auth/authenticate.ts";
import { createJwtVerifier } from "./auth/jwt.ts";
import { localVerifier } from "./auth/local_verifier.ts";
import { rememberToken } from "./auth/remember_token.ts";
import { refreshStale } from "./catalog/refresh_stale.ts";
import { descriptorLimit } from "./config/descriptor_limit.ts";
import type { LoadedConfig } from "./config/load_config.ts";
import { chainName, reachableHost } from "./config/own_names.ts";
import { runCommand } from "./config/run_command.ts";
import { createSecretResolver, type ResolveSecrets, systemSecretDeps } from "./config/secrets.ts";
import {
  type PublishedServiceFile,
  publishServiceFile,
  serviceFilePaths,
} from "./config/service_file.ts";
import { proveService } from "./config/service_proof.ts";
import { siteEnvironment } from "./config/site_environment.ts";
import { openConsole } from "./console/open_console.ts";
import { siteFetch } from "./dial/site_fetch.ts";
import { readSiteProxies } from "./dial/site_proxies.ts";
import { createHealth } from "./http/health.ts";
import { createHttpApp } from "./http/http_app.ts";
import { createProtectedResource } from "./http/protected_resource.ts";
import { createEdge } from "./http/server/edge.ts";
import { createStrayErrors, type StrayErrors } from "./http/server/stray_errors.ts";
import { createListingMeter } from "./mcp/listing_meter.ts";
import { createMcpEndpoint } from "./mcp/mcp_endpoint.ts";
import { createSessionSigner } from "./mcp/session_id.ts";
import type { Log } from "./model/log.ts";
import type { Principal } from "./model/principal.ts";
import type { ServiceClock } from "./model/time/service_clock.ts";
import { VERSION } from "./model/version.ts";
import { createAttack } from "./operations/attack.ts";
import type { OperationDeps } from "./operations/operation_deps.ts";
import { reportSuccess } from "./operations/reports.ts";
import { openStore } from "./store/open_store.ts";
import { serviceSecret } from "./store/service_secret.ts";
import type { Store } from "./store/store.ts";
import { actorOf } from "./supervisor/actor.ts";
import { openUserTokens } from "./upstream/credentials/open_user_tokens.ts";
import { createSecretMask, resolveMasked } from "./upstream/secret_mask.ts";
import { createMetrics } from "./usage/metrics.ts";
import { createStorageBudget, type StorageBudget } from "./usage/storage_budget.ts";
import { estimateTokens } from "./usage/tokens.ts";
import { openGate } from "./wire_gate.ts";

/** The whole service. */
export interface App {
  /** Serves one request without a port; the command line uses it when no service runs. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Bearer token of the local operator; changes with every start. */
  readonly localToken: string;
  /** Takes note of an error that no part of the service waited for: logged, counted, shown. */
  readonly noteStrayError: StrayErrors["note"];
  /** Starts everything and listens. @throws {Deno.errors.AddrInUse} */
  listen(): Promise<{ readonly url: string }>;
  /** Takes no new work, lets running executions finish within `server.drainMs`, closes everything. */
  close(): Promise<void>;
}

export interface AppOptions extends LoadedConfig {
  readonly log: Log;
  /** Default `refuse`; `close` opens with every tool hidden, to look at what is wrong. */
  readonly unusablePolicy?: "refuse" | "close";
}

/** Wires the service; nothing but the store and the audit log is opened before it is used. */
export async function createApp(options: AppOptions): Promise<App> {
  const store = await openStore(options.config.store, ({ message, hint }) => {
    options.log("error", message, { hint });
  });
  return await openApp(options, store);
}

/** The same over a store that is open already; it is closed with the service. */
export async function openApp(
  options: AppOptions,
  store: Store,
  patience: Partial<AuditLimits> = {},
): Promise<App> {
  const { config, log } = options;
  const limits = { ...AUDIT_LIMITS, ...patience };
  const chain = chainName(config.store);
  const clock = await openServiceClock(store, chain, log).catch(closing(store));
  const budget = createStorageBudget({
    store,
    now: clock.now,
    bytesPerDayMax: config.limits.storedBytesPerDayMax,
  });
  const audit = await openAuditLog({
    store,
    limits,
    chain,
    now: clock.now,
    config: config.audit,
    keysPath: config.store.startsWith("kv:") ? config.store.slice("kv:".length) : null,
    log: (message) => log("warn", message),
    onKept: ({ iss, sub }, bytes) => budget.charge({ issuer: iss, sub }, bytes),
  }).catch(closing(clock, store));
  const parts = { store, audit, budget, clock, recordPatienceMs: limits.factPatienceMs };
  return await assemble(options, parts).catch(closing(clock, audit, store));
}

interface OpenParts {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly budget: StorageBudget;
  readonly clock: ServiceClock;
  readonly recordPatienceMs: number;
}

async function assemble(options: AppOptions, parts: OpenParts): Promise<App> {
  const { store, audit, budget, clock, recordPatienceMs } = parts;
  const { config, log } = options;
  // A proxy that cannot be used is told now, not by the first call.
  readSiteProxies(siteEnvironment());
  const mask = createSecretMask();
  const resolver = createSecretResolver(systemSecretDeps(options.baseDir));
  const resolveSecrets: ResolveSecrets = (text) => resolveMasked(mask, resolver, "", text);
  const instance = crypto.randomUUID();
  const localUrl = `http://${reachableHost(config.server.host)}:${config.server.port}`;
  const localToken = crypto.getRandomValues(new Uint8Array(32)).toHex();
  mask.add(localToken);
  const drain = new AbortController();
  const subjectTokens = new WeakMap<Principal, string>();
  const gate = await openGate({
    loaded: options,
    subjectToken: (principal) => Promise.resolve(subjectTokens.get(principal) ?? null),
    userTokens: await openUserTokens(config, store),
    store,
    audit,
    recordPatienceMs,
    budget,
    now: clock.now,
    resolveSecrets,
    env: siteEnvironment,
    log,
    unusablePolicy: options.unusablePolicy ?? "refuse",
  });
  const keys = createApiKeys({ store, now: clock.now });
  const authenticator = createAuthenticator({
    anonymous: config.auth === "none",
    verifiers: [
      localVerifier(localToken),
      keys.verify,
      ...jwtVerifiers(options).map((verify) => rememberToken(verify, subjectTokens)),
    ],
  });
  const operations: OperationDeps = {
    ...gate,
    audit,
    keys,
    limits: config.limits,
    admit: budget.admit,
    usdPerMillionTokens: config.pricing.usdPerMillionTokens,
    now: clock.now,
    log,
    closing: drain.signal,
  };
  const listings = createListingMeter({
    audit,
    policy: gate.policy.current,
    view: gate.view,
    countTokens: estimateTokens,
    log,
  });
  const mcp = createMcpEndpoint({
    version: VERSION,
    now: clock.now,
    signer: createSessionSigner(await serviceSecret(store, "session")),
    search: gate.search,
    execute: gate.execute,
    onListed: (...listing) => {
      // A list is answered to everybody; it is recorded within the budget of whoever asked.
      const [{ principal }] = listing;
      budget.admit(principal).then(() => listings.listed(...listing), () => {});
      // Who lists the tools soon runs a program, and its first mistake waits for the checker.
      gate.warmChecker();
    },
    reportSuccess: (...report) => reportSuccess(operations, ...report),
    inline: gate.inline,
    classic: gate.classic,
    callClassic: gate.callClassic,
    visibility: ({ principal, space }, tool) => gate.view(principal, space).visible(tool),
    readResult: (caller, uri) => gate.kept.read(caller.principal, uri),
    log,
  });
  const canEnter: Parameters<typeof createHttpApp>[0]["canEnter"] = (principal, space) =>
    gate.policy.current().canEnter(principal, space);
  let shipping: Shipping | null = null;
  const metrics = createMetrics({
    connections: () => edge.connections(),
    auditOk: () => audit.health().ok,
    storeOk: () => store.fault() === null,
    sandbox: gate.sandboxStatus,
    servers: gate.servers,
    sinks: () => shipping?.known() ?? [],
  });
  const strayErrors = createStrayErrors({
    log,
    now: clock.now,
    mask: mask.apply,
    count: metrics.countStrayError,
  });
  const edge = createEdge({
    config,
    descriptorLimit: () => descriptorLimit(runCommand),
    onRefused: (reason) => metrics.countRefused(reason),
    log: (message) => log("warn", message),
  });
  const health = createHealth({
    edge: edge.status,
    config,
    store,
    audit,
    gate,
    shipping: () => shipping,
    strayErrors: strayErrors.status,
    clock: clock.status,
    isDraining: () => drain.signal.aborted,
    version: VERSION,
    instance,
  });
  audit.follow((record) => metrics.observe(record));
  const authFailures = createAuthFailures({
    append: audit.append,
    onError: (error) => log("error", "Cannot record failed authentications", { cause: `${error}` }),
  });
  const pages = openConsole({
    ...operations,
    config,
    version: VERSION,
    instance,
    store,
    secret: await serviceSecret(store, "console"),
    authFailures,
    anonymous: config.auth === "none" ? LOCAL_PRINCIPAL : null,
    authenticate: (token) => authenticator.authenticate(token, config.server.publicUrl ?? localUrl),
    keyPrincipal: keys.principalOf,
    sinks: async () => await shipping?.status() ?? [],
    accountAt: (server) =>
      gate.upstreams.servers.includes(server) ? gate.upstreams.userOAuth(server) : null,
    resolveSecrets,
    fetch: siteFetch,
  });
  const fetch = createHttpApp({
    publicUrl: config.server.publicUrl,
    authenticator,
    resource: createProtectedResource({
      auth: config.auth,
      publicUrl: (request) => config.server.publicUrl ?? new URL(request.url).origin,
    }),
    mcp,
    canEnter,
    onAuthFailure: ({ path, error: { code, message }, principal }) =>
      authFailures.record({
        path,
        code,
        message,
        ...(principal === null ? {} : { actor: actorOf(principal, gate.policy.current()) }),
      }),
    readiness: health.readiness,
    metrics: { ...metrics, needsCredential: config.auth !== "none" },
    instance,
    prove: (challenge) => proveService(localToken, challenge),
    api: {
      version: VERSION,
      ...operations,
      canEnter,
      search: gate.search,
      execute: (caller, input, signal) =>
        gate.execute(caller, input, { task: null, traceparent: null, signal }),
      health: health.report,
      attack: createAttack(operations),
    },
    console: pages.fetch,
    log,
  });
  let published: PublishedServiceFile | null = null;
  let closed: Promise<void> | null = null;
  const closeAll = async () => {
    drain.abort();
    // What listens goes on until nothing runs any more: a balancer sees the red `/readyz` first.
    await gate.close();
    const serving = edge.close();
    await mcp.close();
    await listings.settled();
    await pages.close();
    await serving;
    await authFailures.close();
    await shipping?.close();
    await published?.withdraw();
    await audit.close();
    await budget.close();
    await clock.close();
    await store.close();
  };
  return {
    fetch,
    localToken,
    noteStrayError: strayErrors.note,
    async listen() {
      const { port } = await edge.listen(fetch);
      const host = reachableHost(config.server.host);
      const url = `http://${host}:${port}`;
      const paths = serviceFilePaths(options, (name) => Deno.env.get(name));
      const service = { pid: Deno.pid, url, token: localToken, instance };
      published = await publishServiceFile(paths, service);
      if (published === null) {
        const problem = "Commands on this machine will not find it: no folder takes its file";
        log("warn", problem, { tried: paths });
      }
      shipping = startShipping({
        store,
        signNote: audit.signNote,
        resolveSecrets,
        retentionMs: config.audit.retentionDays * 86_400_000,
        now: clock.now,
        log,
      }, config.audit.ship);
      // Warm before the first request; a failure shows in /readyz and in the requests themselves.
      gate.catalog().then(refreshStale).catch((error) =>
        log("error", "Cannot open the catalog", { cause: `${error}` })
      );
      gate.sandbox().catch((error) =>
        log("error", "Cannot open the sandbox", { cause: `${error}` })
      );
      return { url };
    },
    close: () => closed ??= closeAll(),
  };
}

/** Closes what was opened already when the rest cannot be. */
function closing(...parts: readonly { close(): Promise<void> }[]) {
  return async (error: unknown): Promise<never> => {
    for (const part of parts) await part.close();
    throw error;
  };
}

function jwtVerifiers({ config }: AppOptions): TokenVerifier[] {
  if (typeof config.auth === "string") return [];
  // Issuers have clocks of their own: what they say is compared with the machine's.
  return [createJwtVerifier(config.auth, { now: Date.now, fetch: siteFetch })];
}
