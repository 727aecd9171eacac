import type { AuthFailures } from "../audit/auth_failures.ts";
import type { AuditLog } from "../audit/audit_log.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Config } from "../config/schema.ts";
import type { SiteFetch } from "../dial/site_fetch.ts";
import type { ServerState } from "../model/catalog.ts";
import { GateError } from "../model/errors.ts";
import type { AuditEvent } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import type { Tool } from "../model/tool.ts";
import type { ActivePolicy } from "../policy/active_policy.ts";
import type { Store } from "../store/store.ts";
import { actorOf } from "../supervisor/actor.ts";
import type { CatalogView } from "../supervisor/catalog_view.ts";
import { createAuditChecker } from "./audit_checker.ts";
import type {
  CatalogListing,
  ConsoleAudit,
  ConsoleCatalog,
  ConsoleDeps,
  ConsolePolicy,
  ConsoleUsage,
} from "./console_deps.ts";
import { openLiveExecutions } from "./live_executions.ts";
import { createOidcLogin, type OidcLogin } from "./oidc_login.ts";
import { createSessionStore } from "./session_store.ts";
import { readRecordedCall } from "./recorded_call.ts";
import { showExecution } from "./show_execution.ts";

/** The service's own parts, from which the console's functions are made. */
export interface ConsoleServicesDeps
  extends Pick<ConsoleAudit, "exportAudit" | "sinks">, ConsoleUsage {
  readonly config: Pick<Config, "auth" | "server">;
  readonly version: string;
  readonly instance: string;
  readonly store: Store;
  /** 32 bytes, the same on every replica. */
  readonly secret: Uint8Array<ArrayBuffer>;
  readonly audit: AuditLog;
  readonly authFailures: Pick<AuthFailures, "record">;
  readonly catalog: () => Promise<Catalog>;
  readonly policy: Pick<ActivePolicy, "current" | "status">;
  readonly view: (principal: Principal, space: string) => CatalogView;
  readonly declareTool: (tool: Tool) => string;
  readonly explain: ConsolePolicy["explain"];
  /** As they are now, connections included. */
  readonly servers: () => readonly ServerState[];
  /** Who everybody is without authentication; null: people log in. */
  readonly anonymous: Principal | null;
  /** @throws {GateError} `ERR_UNAUTHENTICATED` */
  readonly authenticate: (token: string) => Promise<Principal>;
  /** The principal of an API key as it is now; null if it was revoked or has expired. */
  readonly keyPrincipal: (keyId: string) => Promise<Principal | null>;
  readonly resolveSecrets: (text: string) => Promise<string>;
  readonly fetch: SiteFetch;
  readonly now: () => number;
  readonly log: Log;
  readonly accountAt: ConsoleDeps["accountAt"];
  readonly closing: AbortSignal;
}

export interface ConsoleServices extends ConsoleDeps {
  close(): Promise<void>;
}

const DEFAULT_SPACE = "default";

/** Makes what the console's pages need of the service's parts. */
export async function createConsoleServices(deps: ConsoleServicesDeps): Promise<ConsoleServices> {
  const { audit, now } = deps;
  const live = await openLiveExecutions({
    queryAudit: audit.query,
    followAudit: audit.follow,
    now,
  });
  const checker = createAuditChecker({ audit, now, log: deps.log });
  const record = (principal: Principal, action: string, detail: AuditEvent["detail"] = {}) =>
    audit.append({
      kind: "admin",
      actor: actorOf(principal, deps.policy.current()),
      detail: { action, ...detail },
    });
  return {
    now,
    version: deps.version,
    publicUrl: deps.config.server.publicUrl,
    secret: deps.secret,
    log: deps.log,
    closing: deps.closing,
    anonymous: deps.anonymous,
    async login(token) {
      const principal = await principalOf(deps, token);
      if (principal === null) {
        const message = "Cannot sign in: the credential is not valid";
        await deps.authFailures.record({
          path: "/console/login",
          code: "ERR_UNAUTHENTICATED",
          message,
        });
      } else await record(principal, "console.login");
      return principal;
    },
    ...createSessionStore(deps),
    oidc: openOidc(deps, (principal) => record(principal, "console.login")),
    queryAudit: audit.query,
    followAudit: audit.follow,
    async showExecution(principal, id, wish) {
      const view = await showExecution(audit, id, wish);
      if (view !== null && wish !== null) {
        await record(principal, "payloads.read", {
          execution: id,
          ...(wish.call === null ? {} : { call: wish.call }),
        });
      }
      return view;
    },
    verifyState: checker.state,
    async startVerify(principal) {
      await record(principal, "audit.verify");
      checker.start();
    },
    sinks: deps.sinks,
    exportAudit: deps.exportAudit,
    accountAt: deps.accountAt,
    executionsLive: live.list,
    usage: deps.usage,
    ...catalogFunctions(deps),
    ...policyFunctions(deps, record),
    async close() {
      live.close();
      await checker.close();
    },
  };
}

function catalogFunctions(deps: ConsoleServicesDeps): ConsoleCatalog {
  const actor = (principal: Principal) => actorOf(principal, deps.policy.current());
  return {
    async tools(principal): Promise<CatalogListing> {
      const snapshot = (await deps.catalog()).snapshot();
      const policy = deps.policy.current();
      const view = deps.view(principal, DEFAULT_SPACE);
      const isAdmin = principal.scopes.includes("admin");
      const tools = (isAdmin ? [...snapshot.tools.values()] : view.tools).map((tool) => ({
        tool,
        access: policy.classify(tool),
        effect: view.visible(tool)?.effect ?? "hidden" as const,
      }));
      const used = new Set(tools.map(({ tool }) => tool.server));
      return {
        tools,
        servers: deps.servers().flatMap(({ down, ...state }) => {
          if (isAdmin) return [down === undefined ? state : { ...state, down }];
          return used.has(state.server) ? [{ ...state, error: null }] : [];
        }),
        quarantined: isAdmin ? snapshot.quarantined : [],
      };
    },
    diff: async (server, name) => (await deps.catalog()).diff(server, name),
    async decideTool(principal, decision) {
      await (await deps.catalog()).decide({ ...decision, actor: actor(principal) });
    },
    declareTool: deps.declareTool,
  };
}

function policyFunctions(
  deps: ConsoleServicesDeps,
  record: (
    principal: Principal,
    action: string,
    detail: AuditEvent["detail"],
  ) => Promise<unknown>,
): ConsolePolicy {
  return {
    policyStatus: () => ({ ...deps.policy.status(), mode: deps.policy.current().mode }),
    spaces: () => deps.policy.current().spaces,
    explain: deps.explain,
    async recordedCall(principal, call, mayOpen) {
      const found = await readRecordedCall(deps.audit, call, mayOpen);
      if (found !== null && mayOpen) {
        await record(principal, "payloads.read", { execution: found.execution, call });
      }
      return found;
    },
  };
}

async function principalOf(deps: ConsoleServicesDeps, token: string): Promise<Principal | null> {
  try {
    return await deps.authenticate(token);
  } catch (error) {
    if (error instanceof GateError && error.code === "ERR_UNAUTHENTICATED") return null;
    throw error;
  }
}

function openOidc(
  deps: ConsoleServicesDeps,
  onLogin: (principal: Principal) => Promise<unknown>,
): OidcLogin | null {
  const { auth } = deps.config;
  if (typeof auth === "string" || auth.console === undefined) return null;
  const { clientId, clientSecret } = auth.console;
  const login = createOidcLogin({
    issuer: auth.issuer,
    clientId,
    clientSecret: async () =>
      clientSecret === undefined ? undefined : await deps.resolveSecrets(clientSecret),
    audience: auth.audience,
    claims: auth.claims,
    verify: deps.authenticate,
    fetch: deps.fetch,
    now: deps.now,
  });
  return {
    begin: login.begin,
    async finish(callbackUrl, redirectUri, flow) {
      const principal = await login.finish(callbackUrl, redirectUri, flow);
      await onLogin(principal);
      return principal;
    },
  };
}
