import type { UpstreamAuthConfig } from "../../config/upstreams/upstream_kind.ts";
import { GateError } from "../../model/errors.ts";
import { personKey, type Principal, principalKey } from "../../model/principal.ts";
import type { Outbound } from "../net/outbound_fetch.ts";
import { resolveMasked, type SecretMask } from "../secret_mask.ts";
import type { SubjectToken, UpstreamContext } from "../upstream.ts";
import { createOAuthClient, type OAuthClient } from "./oauth_client.ts";
import { createTokenCache } from "./token_cache.ts";
import { createUserOAuth, type UserOAuth } from "./user_oauth.ts";
import type { UserTokens } from "./user_tokens.ts";

/** How toolgate authenticates at one HTTP upstream. It never forwards the caller's own token. */
export interface Credentials {
  /** The kind of credential, for the audit. */
  readonly kind: string;
  /**
   * Names the account that a call acts for. Only calls with the same text share a connection.
   * `SERVICE` is toolgate's own account.
   */
  scopeOf(principal: Principal): string;
  /** Headers for one request of a scope, resolved now. */
  headers(scope: string): Promise<{ readonly [name: string]: string }>;
  /** Forgets a credential that the upstream refused; true if another attempt may succeed. */
  refused(scope: string, headers: { readonly [name: string]: string }): boolean;
  /** Present where people bring their own accounts. */
  readonly user: UserOAuth | null;
}

/** The scope of toolgate's own requests, such as listing. */
export const SERVICE = "";

export interface CredentialOptions {
  readonly headers: { readonly [name: string]: string };
  readonly auth: UpstreamAuthConfig | undefined;
  readonly outbound: Outbound["fetch"];
  readonly mask: SecretMask;
  readonly subjectToken: SubjectToken | undefined;
  readonly userTokens: UserTokens | undefined;
}

export function createCredentials(
  context: UpstreamContext,
  options: CredentialOptions,
): Credentials {
  const resolve = (name: string, text: string) =>
    resolveMasked(options.mask, context.resolveSecrets, name, text);
  const fixedHeaders = async () => {
    const headers: { [name: string]: string } = {};
    for (const [name, text] of Object.entries(options.headers)) {
      headers[name] = await resolve(name, text);
    }
    return headers;
  };
  const { auth } = options;
  if (auth === undefined) {
    return {
      kind: Object.keys(options.headers).length === 0 ? "none" : "header",
      scopeOf: () => SERVICE,
      headers: fixedHeaders,
      refused: () => false,
      user: null,
    };
  }
  const source = tokenSource(context, options, auth, resolve);
  return {
    kind: auth.type,
    scopeOf: source.scopeOf,
    async headers(scope) {
      const token = await source.token(scope).catch((error: unknown) => {
        throw error instanceof GateError ? error : new GateError(
          "ERR_CREDENTIAL",
          `Cannot get a token for "${context.server}"`,
          { hint: "The operator finds the reason in the service log", cause: error },
        );
      });
      options.mask.add(token);
      return { ...await fixedHeaders(), Authorization: `Bearer ${token}` };
    },
    refused(scope, headers) {
      const token = headers.Authorization?.replace(/^Bearer /, "");
      if (token === undefined) return false;
      source.drop(scope, token);
      return true;
    },
    user: source.user,
  };
}

interface TokenSource {
  scopeOf(principal: Principal): string;
  token(scope: string): Promise<string>;
  drop(scope: string, token: string): void;
  readonly user: UserOAuth | null;
}

function tokenSource(
  context: UpstreamContext,
  options: CredentialOptions,
  auth: UpstreamAuthConfig,
  resolve: (name: string, text: string) => Promise<string>,
): TokenSource {
  const secret = auth.clientSecret;
  const client = createOAuthClient({
    tokenUrl: auth.tokenUrl,
    clientId: auth.clientId,
    clientSecret: secret === undefined ? undefined : () => resolve("clientSecret", secret),
    fetch: options.outbound,
  });
  const parameters = {
    ...(auth.scope === undefined ? {} : { scope: auth.scope }),
    ...("audience" in auth && auth.audience !== undefined ? { audience: auth.audience } : {}),
  };
  switch (auth.type) {
    case "client_credentials": {
      const cache = createTokenCache(() => client.clientCredentials(parameters));
      return { scopeOf: () => SERVICE, token: cache.get, drop: cache.drop, user: null };
    }
    case "token_exchange":
      return exchangeSource(context, options, client, parameters);
    case "oauth":
      return userSource(context, options, auth, client);
  }
}

/** Exchanges the caller's token for a token of that caller at the upstream. */
function exchangeSource(
  context: UpstreamContext,
  options: CredentialOptions,
  client: OAuthClient,
  parameters: { readonly [name: string]: string },
): TokenSource {
  const principals = new Map<string, Principal>();
  const cache = createTokenCache(async (scope) => {
    if (scope === SERVICE) return await client.clientCredentials(parameters);
    const principal = principals.get(scope);
    const subject = principal && await options.subjectToken?.(principal);
    if (!subject) {
      throw new GateError(
        "ERR_CREDENTIAL",
        `Cannot get a token for "${context.server}": the caller did not log in with one`,
        { hint: "This server needs a caller that is authenticated by OAuth" },
      );
    }
    return await client.exchange(subject, parameters);
  });
  return {
    scopeOf: (principal) => rememberPrincipal(principals, principal),
    token: cache.get,
    drop: cache.drop,
    user: null,
  };
}

/** Takes tokens from the accounts that people have connected. */
function userSource(
  { server }: UpstreamContext,
  options: CredentialOptions,
  auth: Extract<UpstreamAuthConfig, { type: "oauth" }>,
  client: OAuthClient,
): TokenSource {
  const tokens = options.userTokens;
  if (tokens === undefined) {
    throw new GateError("ERR_CONFIG", `Cannot use "${server}": no place for tokens`, {
      hint: "Accounts of people need the service; this command runs without it",
    });
  }
  const { authorizationUrl, clientId, scope } = auth;
  const user = createUserOAuth({ server, authorizationUrl, clientId, scope, client, tokens });
  // Listing uses the account of any person who has connected.
  const ownerOf = async (of: string) => of === SERVICE ? await tokens.anyone(server) ?? "" : of;
  return {
    scopeOf: personKey,
    token: async (of) => await user.token(await ownerOf(of)),
    drop(of, token) {
      // If the store is away, the owner is unknown. The upstream refuses the token again at its
      // next use.
      ownerOf(of).then((owner) => user.drop(owner, token)).catch(() => {});
    },
    user,
  };
}

const PRINCIPALS_MAX = 1_000;

/** Keeps the newest principals, so that a scope can be resolved to its principal. */
function rememberPrincipal(principals: Map<string, Principal>, principal: Principal): string {
  const scope = principalKey(principal);
  principals.delete(scope);
  principals.set(scope, principal);
  for (const oldest of principals.keys()) {
    if (principals.size <= PRINCIPALS_MAX) break;
    principals.delete(oldest);
  }
  return scope;
}
