import type { AuditLog } from "./audit/audit_log.ts";
import { type Catalog, openCatalog } from "./catalog/catalog.ts";
import { configuredUpstreams } from "./config/configured_upstreams.ts";
import type { LoadedConfig } from "./config/load_config.ts";
import type { ResolveSecrets } from "./config/secrets.ts";
import { aliasesOf, titlesOf } from "./config/server_names.ts";
import { unknownSpaces } from "./config/space_modes.ts";
import { type CatalogSnapshot, EMPTY_SNAPSHOT } from "./model/catalog.ts";
import type { Log } from "./model/log.ts";
import type { Principal } from "./model/principal.ts";
import { openOnce } from "./model/time/open_once.ts";
import type { Tool } from "./model/tool.ts";
import { type ActivePolicy, openActivePolicy } from "./policy/active_policy.ts";
import { createBundleMemory } from "./policy/bundle/memory.ts";
import type { Store } from "./store/store.ts";
import { type CatalogView, createCatalogViews } from "./supervisor/catalog_view.ts";
import { isListed } from "./supervisor/is_listed.ts";
import { startCatalog } from "./supervisor/start_catalog.ts";
import type { UserTokens } from "./upstream/credentials/user_tokens.ts";
import type { SubjectToken } from "./upstream/upstream.ts";
import { openUpstreams, type Upstreams } from "./upstream/upstreams.ts";

/** The upstreams, the catalog of their tools, and the policy that says who may call them. */
export interface CatalogParts {
  readonly upstreams: Upstreams;
  readonly policy: ActivePolicy;
  /** The catalog, opened at its first use; waits a bounded time for the servers' first lists. */
  readonly catalog: () => Promise<Catalog>;
  /** The current snapshot; empty before the catalog is opened. */
  readonly snapshot: () => CatalogSnapshot;
  readonly view: (principal: Principal, space: string) => CatalogView;
  readonly observeResult: (tool: Tool, value: unknown) => void;
  /** Ends the policy's watch, the catalog and then every connection. */
  close(): Promise<void>;
}

export interface CatalogPartsDeps {
  readonly loaded: LoadedConfig;
  readonly store: Store;
  readonly audit: Pick<AuditLog, "append">;
  /** The service's time, which never goes back. */
  readonly now: () => number;
  readonly resolveSecrets: ResolveSecrets;
  /** The token with which a caller authenticated; null if there is none. */
  readonly subjectToken: SubjectToken;
  /** The store of tokens for users' own accounts; undefined if no upstream uses them. */
  readonly userTokens: UserTokens | undefined;
  readonly env: () => { readonly [name: string]: string };
  readonly log: Log;
  /** @see ActivePolicyDeps */
  readonly unusablePolicy: "refuse" | "close";
}

/** Wires these parts; upstreams connect and list at their first use. */
export async function wireCatalog(deps: CatalogPartsDeps): Promise<CatalogParts> {
  const { loaded: { config }, log } = deps;
  const upstreams = wireUpstreams(deps);
  const opened = openOnce(() => openStoredCatalog(deps, upstreams));
  const snapshot = () => opened.current()?.snapshot() ?? EMPTY_SNAPSHOT;
  const policy = await openActivePolicy({
    config,
    audit: (event) => deps.audit.append(event),
    tools: () => [...snapshot().tools.values()],
    isListed: (server) => isListed(snapshot(), server),
    now: deps.now,
    bundles: createBundleMemory(deps.store),
    unusable: deps.unusablePolicy,
    log,
  });
  for (const unknown of unknownSpaces(config, policy.current().spaces)) log("warn", unknown);
  const started = openOnce(async () =>
    await startCatalog({ policy, upstreams, log }, await opened.get())
  );
  return {
    upstreams,
    policy,
    catalog: started.get,
    snapshot,
    view: createCatalogViews({ snapshot, policy: policy.current }),
    observeResult: (tool, value) => opened.current()?.observeResult(tool, value),
    async close() {
      await policy.close();
      await (await opened.settled())?.close();
      await upstreams.close();
    },
  };
}

function wireUpstreams(deps: CatalogPartsDeps): Upstreams {
  const { config, source, baseDir } = deps.loaded;
  return openUpstreams({
    upstreams: configuredUpstreams(config),
    demo: source === "demo",
    baseDir,
    resolveSecrets: deps.resolveSecrets,
    env: deps.env,
    log: deps.log,
    resultBytesMax: config.limits.toolResultBytesMax,
    subjectToken: deps.subjectToken,
    ...(deps.userTokens === undefined ? {} : { userTokens: deps.userTokens }),
  });
}

/** Opens the catalog from the store. */
async function openStoredCatalog(deps: CatalogPartsDeps, upstreams: Upstreams): Promise<Catalog> {
  const { loaded: { config }, store, audit, log } = deps;
  return await openCatalog({
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
}
