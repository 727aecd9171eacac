import type { AuthFailures } from "../audit/auth_failures.ts";
import type { Config } from "../config/schema.ts";
import type { SiteFetch } from "../dial/site_fetch.ts";
import { GateError } from "../model/errors.ts";
import type { Principal } from "../model/principal.ts";
import { recordAdmin, type RecordAdminDeps } from "../operations/record_admin.ts";
import type { ConsoleIdentity } from "./console_deps.ts";
import { createOidcLogin, type OidcLogin } from "./oidc_login.ts";

export interface ConsoleLoginDeps extends RecordAdminDeps {
  readonly config: Pick<Config, "auth">;
  readonly authFailures: Pick<AuthFailures, "record">;
  /** @throws {GateError} `ERR_UNAUTHENTICATED` */
  readonly authenticate: (token: string) => Promise<Principal>;
  readonly resolveSecrets: (text: string) => Promise<string>;
  readonly fetch: SiteFetch;
  readonly now: () => number;
}

/** Login with a credential or at the issuer. It records every login, also a failed one. */
export function createConsoleLogin(
  deps: ConsoleLoginDeps,
): Pick<ConsoleIdentity, "login" | "oidc"> {
  return {
    async login(token) {
      const principal = await principalOf(deps, token);
      if (principal !== null) await recordAdmin(deps, principal, "console.login");
      else {
        await deps.authFailures.record({
          path: "/console/login",
          code: "ERR_UNAUTHENTICATED",
          message: "Cannot sign in: the credential is not valid",
        });
      }
      return principal;
    },
    oidc: openOidc(deps),
  };
}

async function principalOf(deps: ConsoleLoginDeps, token: string): Promise<Principal | null> {
  try {
    return await deps.authenticate(token);
  } catch (error) {
    if (error instanceof GateError && error.code === "ERR_UNAUTHENTICATED") return null;
    throw error;
  }
}

function openOidc(deps: ConsoleLoginDeps): OidcLogin | null {
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
      await recordAdmin(deps, principal, "console.login");
      return principal;
    },
  };
}
