import { type AuthFailures, createAuthFailures } from "./audit/auth_failures.ts";
import { LOCAL_PRINCIPAL } from "./auth/authenticate.ts";
import { reachableHost } from "./config/own_names.ts";
import type { Config } from "./config/schema.ts";
import type { ResolveSecrets } from "./config/secrets.ts";
import { type Console, openConsole } from "./console/open_console.ts";
import { siteFetch } from "./dial/site_fetch.ts";
import { createHttpApp } from "./http/http_app.ts";
import { createProtectedResource } from "./http/protected_resource.ts";
import { createListingMeter, type ListingMeter } from "./mcp/listing_meter.ts";
import { createMcpEndpoint, type McpEndpoint } from "./mcp/mcp_endpoint.ts";
import { createSessionSigner } from "./mcp/session_id.ts";
import type { Principal } from "./model/principal.ts";
import { VERSION } from "./model/version.ts";
import { createAttack } from "./operations/attack.ts";
import type { OperationDeps } from "./operations/operation_deps.ts";
import { reportSuccess } from "./operations/reports.ts";
import { serviceSecret } from "./store/service_secret.ts";
import type { Store } from "./store/store.ts";
import { actorOf } from "./supervisor/actor.ts";
import { estimateTokens } from "./usage/tokens.ts";
import type { Gate } from "./wire_gate.ts";
import type { Identity } from "./wire_identity.ts";
import type { Listening } from "./wire_listening.ts";
import type { Status } from "./wire_status.ts";

/** The protocols that the service serves on one port: MCP, the API, the console's pages. */
export interface Protocols {
  readonly fetch: ReturnType<typeof createHttpApp>;
  /** Ends sessions and streams, and waits until all lists are recorded. */
  close(): Promise<void>;
  /** Records failed authentications that were only counted; call it after the port is closed. */
  recordFailures(): Promise<void>;
}

export interface ProtocolDeps {
  readonly config: Config;
  readonly store: Store;
  readonly gate: Gate;
  readonly identity: Identity;
  readonly listening: Listening;
  readonly operations: OperationDeps;
  readonly status: Status;
  readonly resolveSecrets: ResolveSecrets;
}

export async function wireProtocols(deps: ProtocolDeps): Promise<Protocols> {
  const { audit, log } = deps.operations;
  const listings = createListingMeter({
    audit,
    policy: deps.gate.policy.current,
    view: deps.gate.view,
    countTokens: estimateTokens,
    log,
  });
  const authFailures = createAuthFailures({
    append: audit.append,
    onError: (error) => log("error", "Cannot record failed authentications", { cause: `${error}` }),
  });
  const mcp = wireMcp(deps, listings, await serviceSecret(deps.store, "session"));
  const pages = wireConsole(deps, authFailures, await serviceSecret(deps.store, "console"));
  return {
    fetch: wireHttp(deps, { mcp, pages, authFailures }),
    async close() {
      await mcp.close();
      await listings.settled();
      await pages.close();
    },
    recordFailures: authFailures.close,
  };
}

type Secret = Awaited<ReturnType<typeof serviceSecret>>;

function wireMcp(
  { gate, operations }: ProtocolDeps,
  listings: ListingMeter,
  secret: Secret,
): McpEndpoint {
  const { admit, now, log } = operations;
  return createMcpEndpoint({
    version: VERSION,
    now,
    signer: createSessionSigner(secret),
    search: gate.search,
    execute: gate.execute,
    onListed: (...listing) => {
      // Every caller gets the list; its record counts against the caller's budget.
      const [{ principal }] = listing;
      admit(principal).then(() => listings.listed(...listing), () => {});
      // Clients that list tools usually run a program next, so start the checker now.
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
}

function wireConsole(deps: ProtocolDeps, authFailures: AuthFailures, secret: Secret): Console {
  const { config, gate: { upstreams }, identity, listening } = deps;
  const { host, port, publicUrl } = config.server;
  const ownUrl = publicUrl ?? `http://${reachableHost(host)}:${port}`;
  return openConsole({
    ...deps.operations,
    config,
    version: VERSION,
    instance: identity.instance,
    store: deps.store,
    secret,
    authFailures,
    anonymous: config.auth === "none" ? LOCAL_PRINCIPAL : null,
    authenticate: (token) => identity.authenticator.authenticate(token, ownUrl),
    keyPrincipal: identity.keys.principalOf,
    sinks: async () => await listening.shipping()?.status() ?? [],
    accountAt: (server) => upstreams.servers.includes(server) ? upstreams.userOAuth(server) : null,
    resolveSecrets: deps.resolveSecrets,
    fetch: siteFetch,
  });
}

interface HttpParts {
  readonly mcp: McpEndpoint;
  readonly pages: Console;
  readonly authFailures: AuthFailures;
}

function wireHttp(
  { config, gate, identity, operations, status }: ProtocolDeps,
  { mcp, pages, authFailures }: HttpParts,
): Protocols["fetch"] {
  const { publicUrl } = config.server;
  const policy = gate.policy.current;
  const canEnter = (principal: Principal, space: string) => policy().canEnter(principal, space);
  return createHttpApp({
    publicUrl,
    authenticator: identity.authenticator,
    resource: createProtectedResource({
      auth: config.auth,
      publicUrl: (request) => publicUrl ?? new URL(request.url).origin,
    }),
    mcp,
    canEnter,
    onAuthFailure: ({ path, error: { code, message }, principal }) =>
      authFailures.record({
        path,
        code,
        message,
        ...(principal === null ? {} : { actor: actorOf(principal, policy()) }),
      }),
    readiness: status.health.readiness,
    metrics: { ...status.metrics, needsCredential: config.auth !== "none" },
    instance: identity.instance,
    prove: identity.prove,
    api: {
      version: VERSION,
      ...operations,
      canEnter,
      search: gate.search,
      execute: (caller, input, signal) =>
        gate.execute(caller, input, { task: null, traceparent: null, signal }),
      health: status.health.report,
      attack: createAttack(operations),
    },
    console: pages.fetch,
    log: operations.log,
  });
}
