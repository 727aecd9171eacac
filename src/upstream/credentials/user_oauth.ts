import * as oauth from "oauth4webapi";
import { GateError } from "../../model/errors.ts";
import { personKey, type Principal } from "../../model/principal.ts";
import { type Grant, type OAuthClient, TokenRefusedError } from "./oauth_client.ts";
import { createTokenCache } from "./token_cache.ts";
import type { UserTokens } from "./user_tokens.ts";

/** A person's own account at one upstream. */
export interface UserOAuth {
  /** Starts a login; the browser goes to `authorizationUrl` and comes back to `redirectUrl`. */
  begin(redirectUrl: string, principal: Principal): Promise<{ authorizationUrl: string }>;
  /**
   * Ends a login with the URL that the browser came back to.
   *
   * @throws {GateError} `ERR_CREDENTIAL` if the login is unknown, expired, refused, or another
   * person's.
   */
  finish(callback: URL, principal: Principal): Promise<void>;
  isConnected(principal: Principal): Promise<boolean>;
  disconnect(principal: Principal): Promise<void>;
  /** A valid access token; concurrent callers share one refresh. */
  token(key: string): Promise<string>;
  /** Forgets an access token that the upstream refused. */
  drop(key: string, value: string): void;
}

export interface UserOAuthOptions {
  readonly server: string;
  readonly authorizationUrl: string;
  readonly clientId: string;
  readonly scope: string | undefined;
  readonly client: OAuthClient;
  readonly tokens: UserTokens;
  readonly now?: () => number;
}

const MARGIN_MS = 30_000;
const REFUSED_MAX = 1_000;

/** Authorization code with PKCE. @see OAuth 2.1, section 4.1 */
export function createUserOAuth(options: UserOAuthOptions): UserOAuth {
  const { server, client, tokens } = options;
  const now = options.now ?? Date.now;
  const refused = new Set<string>();
  const isFresh = (grant: Grant) =>
    !refused.has(grant.value) && (grant.expiresAt === null || grant.expiresAt - now() > MARGIN_MS);
  const cache = createTokenCache((key) => renewGrant(options, key, isFresh), now);
  return {
    async begin(redirectUrl, principal) {
      const verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const challenge = await oauth.calculatePKCECodeChallenge(verifier);
      const pending = { server, principalKey: personKey(principal), verifier, redirectUrl };
      await tokens.begin(state, pending);
      return { authorizationUrl: loginUrl(options, redirectUrl, state, challenge) };
    },
    async finish(callback, principal) {
      const state = callback.searchParams.get("state") ?? "";
      const pending = await tokens.finish(state);
      if (pending === null || pending.server !== server) {
        throw loginFailed(server, "the login is unknown or over");
      }
      // Otherwise an attacker could make another person's tools work on the attacker's account.
      if (pending.principalKey !== personKey(principal)) {
        throw loginFailed(server, "another person began the login");
      }
      const { verifier, redirectUrl } = pending;
      let grant: Grant;
      try {
        grant = await client.authorizationCode({ url: callback, state, redirectUrl, verifier });
      } catch (error) {
        throw loginFailed(server, "the authorization server refused", error);
      }
      await tokens.write(server, pending.principalKey, grant);
    },
    isConnected: async (principal) => await tokens.read(server, personKey(principal)) !== null,
    disconnect: (principal) => tokens.remove(server, personKey(principal)),
    token: (key) => cache.get(key),
    drop(key, value) {
      if (refused.size > REFUSED_MAX) refused.clear();
      refused.add(value);
      cache.drop(key, value);
    },
  };
}

function loginUrl(
  { authorizationUrl, clientId, scope }: UserOAuthOptions,
  redirectUrl: string,
  state: string,
  challenge: string,
): string {
  const url = new URL(authorizationUrl);
  const parameters = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUrl,
    state,
    code_challenge: challenge,
    code_challenge_method: "S256",
    ...(scope === undefined ? {} : { scope }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** The stored grant of a person, or a new one for its refresh token. */
async function renewGrant(
  { server, client, tokens }: UserOAuthOptions,
  key: string,
  isFresh: (grant: Grant) => boolean,
): Promise<Grant> {
  const grant = await tokens.read(server, key);
  if (grant === null) throw notConnected(server);
  if (isFresh(grant)) return grant;
  if (grant.refreshToken === null) throw notConnected(server);
  try {
    const renewed = await client.refresh(grant.refreshToken);
    const kept = { ...renewed, refreshToken: renewed.refreshToken ?? grant.refreshToken };
    await tokens.write(server, key, kept);
    return kept;
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    // Another replica may have used the refresh token first; then its result is in the store.
    const latest = await tokens.read(server, key);
    if (latest !== null && latest.value !== grant.value && isFresh(latest)) return latest;
    throw notConnected(server, error);
  }
}

function notConnected(server: string, cause?: unknown): GateError {
  return new GateError(
    "ERR_CREDENTIAL",
    `Cannot use "${server}": you have not connected your account`,
    {
      hint: `Open /connect/${encodeURIComponent(server)} in a browser and log in, then try again`,
      cause,
    },
  );
}

function loginFailed(server: string, why: string, cause?: unknown): GateError {
  return new GateError("ERR_CREDENTIAL", `Cannot connect your account at "${server}": ${why}`, {
    hint: "Begin again",
    cause,
  });
}
