import type { AuthFailures } from "../audit/auth_failures.ts";
import type { AuditLog } from "../audit/audit_log.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { declareTool } from "../catalog/declare.ts";
import type { Config } from "../config/schema.ts";
import type { SiteFetch } from "../dial/site_fetch.ts";
import { DEFAULT_SPACE } from "../mcp/caller.ts";
import type { ServerState } from "../model/catalog.ts";
import { GateError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import { decideTool, diffTool, listCatalog } from "../operations/catalog.ts";
import { recordAdmin } from "../operations/record_admin.ts";
import type { ActivePolicy } from "../policy/active_policy.ts";
import type { Store } from "../store/store.ts";
import type { CatalogView } from "../supervisor/catalog_view.ts";
import { createAuditChecker } from "./audit_checker.ts";
import type {
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

/** Makes what the console's pages need of the service's parts. */
export async function createConsoleServices(deps: ConsoleServicesDeps): Promise<ConsoleServices> {
  const { audit, now } = deps;
  const live = await openLiveExecutions({
    queryAudit: audit.query,
    followAudit: audit.follow,
    now,
  });
  const checker = createAuditChecker({ audit, now, log: deps.log });
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
      } else await recordAdmin(deps, principal, "console.login");
      return principal;
    },
    ...createSessionStore(deps),
    oidc: openOidc(deps, (principal) => recordAdmin(deps, principal, "console.login")),
    queryAudit: audit.query,
    followAudit: audit.follow,
    async showExecution(principal, id, wish) {
      const view = await showExecution(audit, id, wish);
      if (view !== null && wish !== null) {
        await recordAdmin(deps, principal, "payloads.read", {
          execution: id,
          ...(wish.call === null ? {} : { call: wish.call }),
        });
      }
      return view;
    },
    verifyState: checker.state,
    async startVerify(principal) {
      await recordAdmin(deps, principal, "audit.verify");
      checker.start();
    },
    sinks: deps.sinks,
    exportAudit: deps.exportAudit,
    accountAt: deps.accountAt,
    executionsLive: live.list,
    usage: deps.usage,
    ...catalogFunctions(deps),
    ...policyFunctions(deps),
    async close() {
      live.close();
      await checker.close();
    },
  };
}

function catalogFunctions(deps: ConsoleServicesDeps): ConsoleCatalog {
  return {
    tools: (principal) => listCatalog(deps, { principal, space: DEFAULT_SPACE }, "all"),
    diff: (server, name) => diffTool(deps, server, name),
    decideTool: (principal, decision) => decideTool(deps, principal, decision),
    declareTool,
  };
}

function policyFunctions(deps: ConsoleServicesDeps): ConsolePolicy {
  return {
    policyStatus: () => ({ ...deps.policy.status(), mode: deps.policy.current().mode }),
    spaces: () => deps.policy.current().spaces,
    explain: deps.explain,
    async recordedCall(principal, call, mayOpen) {
      const found = await readRecordedCall(deps.audit, call, mayOpen);
      if (found !== null && mayOpen) {
        await recordAdmin(deps, principal, "payloads.read", { execution: found.execution, call });
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
