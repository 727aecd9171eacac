import { type AuditLog, openAuditLog } from "./audit/audit_log.ts";
import { openServiceClock } from "./audit/open_service_clock.ts";
import { AUDIT_LIMITS, type AuditLimits } from "./audit/write/queue.ts";
import { refreshStale } from "./catalog/refresh_stale.ts";
import type { LoadedConfig } from "./config/load_config.ts";
import { chainName, reachableHost } from "./config/own_names.ts";
import { createSecretResolver, type ResolveSecrets, systemSecretDeps } from "./config/secrets.ts";
import { siteEnvironment } from "./config/site_environment.ts";
import { readSiteProxies } from "./dial/site_proxies.ts";
import type { StrayErrors } from "./http/server/stray_errors.ts";
import type { Log } from "./model/log.ts";
import type { ServiceClock } from "./model/time/service_clock.ts";
import type { OperationDeps } from "./operations/operation_deps.ts";
import { openStore } from "./store/open_store.ts";
import type { Store } from "./store/store.ts";
import { openUserTokens } from "./upstream/credentials/open_user_tokens.ts";
import { createSecretMask, resolveMasked } from "./upstream/secret_mask.ts";
import { createStorageBudget, type StorageBudget } from "./usage/storage_budget.ts";
import { type Gate, openGate } from "./wire_gate.ts";
import { type Identity, wireIdentity } from "./wire_identity.ts";
import { type Listening, wireListening } from "./wire_listening.ts";
import { type Protocols, wireProtocols } from "./wire_protocols.ts";
import { type Status, wireStatus } from "./wire_status.ts";

/** The whole service. */
export interface App {
  /** Serves one request without a port; the command line uses it when no service runs. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Bearer token of the local operator; changes with every start. */
  readonly localToken: string;
  /** Logs, counts and shows an error that no part of the service caught. */
  readonly noteStrayError: StrayErrors["note"];
  /** Starts everything and listens. @throws {Deno.errors.AddrInUse} */
  listen(): Promise<{ readonly url: string }>;
  /** Refuses new work, lets executions finish within `server.drainMs`, then closes all parts. */
  close(): Promise<void>;
}

export interface AppOptions extends LoadedConfig {
  readonly log: Log;
  /** Default `refuse`; `close` starts with every tool hidden, so that an operator can look. */
  readonly unusablePolicy?: "refuse" | "close";
}

/**
 * Wires the service. Opens only the store and the audit log; other parts open at their first use.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const store = await openStore(options.config.store, ({ message, hint }) => {
    options.log("error", message, { hint });
  });
  return await openApp(options, store);
}

/** Wires the service over an open store, which closes with the service. */
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

/** Wires the parts of the service in the order of their dependencies. */
async function assemble(options: AppOptions, parts: OpenParts): Promise<App> {
  const { store, audit, budget, clock } = parts;
  const { config, log } = options;
  // Report an unusable proxy setting now, not at the first call.
  readSiteProxies(siteEnvironment());
  const identity = wireIdentity({ config, store, now: clock.now });
  const mask = createSecretMask();
  mask.add(identity.localToken);
  const resolver = createSecretResolver(systemSecretDeps(options.baseDir));
  const resolveSecrets: ResolveSecrets = (text) => resolveMasked(mask, resolver, "", text);
  const drain = new AbortController();
  const shared = { ...parts, loaded: options, config, now: clock.now, resolveSecrets, log };
  const gate = await openGate({
    ...shared,
    subjectToken: identity.subjectToken,
    userTokens: await openUserTokens(config, store),
    env: siteEnvironment,
    unusablePolicy: options.unusablePolicy ?? "refuse",
  });
  const operations: OperationDeps = {
    ...gate,
    audit,
    keys: identity.keys,
    limits: config.limits,
    admit: budget.admit,
    usdPerMillionTokens: config.pricing.usdPerMillionTokens,
    now: clock.now,
    log,
    closing: drain.signal,
  };
  const listening = wireListening({ ...shared, env: (name) => Deno.env.get(name) });
  const status = wireStatus({
    ...shared,
    gate,
    shipping: listening.shipping,
    isDraining: () => drain.signal.aborted,
    instance: identity.instance,
    mask: mask.apply,
  });
  const protocols = await wireProtocols({
    ...shared,
    gate,
    identity,
    listening,
    operations,
    status,
  });
  return appOf({ ...parts, options, drain, identity, gate, listening, status, protocols });
}

interface AppParts extends OpenParts {
  readonly options: AppOptions;
  readonly drain: AbortController;
  readonly identity: Identity;
  readonly gate: Gate;
  readonly listening: Listening;
  readonly status: Status;
  readonly protocols: Protocols;
}

/** Makes the `App` of a wired service: it answers, listens and closes. */
function appOf(parts: AppParts): App {
  const { options, identity: { instance, localToken }, gate, status, protocols } = parts;
  let closed: Promise<void> | null = null;
  return {
    fetch: protocols.fetch,
    localToken,
    noteStrayError: status.strayErrors.note,
    async listen() {
      const { port } = await status.edge.listen(protocols.fetch);
      const url = `http://${reachableHost(options.config.server.host)}:${port}`;
      await parts.listening.start({ pid: Deno.pid, url, token: localToken, instance });
      warm(gate, options.log);
      return { url };
    },
    close: () => closed ??= closeAll(parts),
  };
}

/** Opens catalog and sandbox before the first request; `/readyz` and requests show failures. */
function warm({ catalog, sandbox }: Gate, log: Log): void {
  catalog().then(refreshStale).catch((error) =>
    log("error", "Cannot open the catalog", { cause: `${error}` })
  );
  sandbox().catch((error) => log("error", "Cannot open the sandbox", { cause: `${error}` }));
}

async function closeAll(parts: AppParts): Promise<void> {
  const { drain, gate, status, protocols, listening } = parts;
  drain.abort();
  // The port stays open until all work has ended, so that a balancer sees the red `/readyz` first.
  await gate.close();
  const serving = status.edge.close();
  await protocols.close();
  await serving;
  await protocols.recordFailures();
  await listening.close();
  for (const part of [parts.audit, parts.budget, parts.clock, parts.store]) await part.close();
}

/** Undoes a partial start, then rethrows. */
function closing(...parts: readonly { close(): Promise<void> }[]) {
  return async (error: unknown): Promise<never> => {
    for (const part of parts) await part.close();
    throw error;
  };
}
