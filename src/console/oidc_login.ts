import * as oauth from "oauth4webapi";
import type { SiteFetch } from "../dial/site_fetch.ts";
import { GateError } from "../model/errors.ts";
import { isLoopback } from "../model/loopback.ts";
import { type Principal, SCOPES } from "../model/principal.ts";

/**
 * Login at an OpenID provider: authorization code with PKCE, state and nonce.
 *
 * @see OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9207
 */
export interface OidcLogin {
  /** Returns the URL for the browser, and the state to keep until the browser comes back. */
  readonly begin: (redirectUri: string) => Promise<{ readonly url: string; readonly flow: string }>;
  /**
   * @param flow the state that `begin` returned.
   * @throws {GateError} `ERR_UNAUTHENTICATED`
   */
  readonly finish: (callbackUrl: URL, redirectUri: string, flow: string) => Promise<Principal>;
}

export interface OidcLoginOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Resolves the secret when it is needed; undefined for a public client. */
  readonly clientSecret: () => Promise<string | undefined>;
  /** `auth.audience`, requested so that the access token is for toolgate. */
  readonly audience: string | undefined;
  /** Names of the claims, as for access tokens. */
  readonly claims: { readonly sub?: string | undefined; readonly scopes?: string | undefined };
  /** The principal of an access token for toolgate; null for any other token. */
  readonly verify: (accessToken: string) => Promise<Principal | null>;
  readonly fetch: SiteFetch;
  readonly now: () => number;
}

interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

const TIMEOUT_MS = 10_000;
const METADATA_MS = 600_000;

export function createOidcLogin(options: OidcLoginOptions): OidcLogin {
  const client: oauth.Client = { client_id: options.clientId };
  const http = () => ({
    [oauth.customFetch]: (
      url: string,
      init: oauth.CustomFetchOptions<string, BodyInit | undefined>,
    ) => options.fetch(url, init as RequestInit),
    // Only a provider on this machine may use plain HTTP.
    [oauth.allowInsecureRequests]: isLoopback(new URL(options.issuer).hostname),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  let known: { readonly server: oauth.AuthorizationServer; readonly at: number } | null = null;
  const discover = async (): Promise<oauth.AuthorizationServer> => {
    if (known !== null && options.now() - known.at < METADATA_MS) return known.server;
    const issuer = new URL(options.issuer);
    const response = await oauth.discoveryRequest(issuer, http());
    known = { server: await oauth.processDiscoveryResponse(issuer, response), at: options.now() };
    return known.server;
  };
  return {
    async begin(redirectUri) {
      const server = await reachable(discover);
      if (server.authorization_endpoint === undefined) throw refused("it has no login page");
      const flow: Flow = {
        state: oauth.generateRandomState(),
        nonce: oauth.generateRandomNonce(),
        verifier: oauth.generateRandomCodeVerifier(),
      };
      const url = new URL(server.authorization_endpoint);
      const parameters = {
        client_id: options.clientId,
        redirect_uri: redirectUri,
        response_type: "code",
        scope: scopesFor(server),
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: "S256",
        ...audienceParameters(options.audience),
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return { url: url.href, flow: JSON.stringify(flow) };
    },
    async finish(callbackUrl, redirectUri, remembered) {
      const flow: Flow = JSON.parse(remembered);
      const server = await reachable(discover);
      const secret = await options.clientSecret();
      try {
        const callback = oauth.validateAuthResponse(server, client, callbackUrl, flow.state);
        const answer = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          clientAuthentication(server, secret),
          callback,
          redirectUri,
          flow.verifier,
          { ...http(), additionalParameters: audienceParameters(options.audience) },
        );
        const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, {
          expectedNonce: flow.nonce,
          requireIdToken: true,
        });
        const principal = await accessPrincipal(options, tokens.access_token);
        return principal ?? idPrincipal(options, tokens);
      } catch (error) {
        throw error instanceof GateError ? error : refused(reasonOf(error), error);
      }
    },
  };
}

/** Null if the access token is not a JWT for toolgate: then the ID token names the person. */
async function accessPrincipal(
  options: OidcLoginOptions,
  accessToken: string,
): Promise<Principal | null> {
  try {
    return await options.verify(accessToken);
  } catch (error) {
    if (error instanceof GateError && error.code === "ERR_UNAUTHENTICATED") return null;
    throw error;
  }
}

/** The person of the ID token, with the scopes that the provider granted. */
function idPrincipal(
  options: OidcLoginOptions,
  tokens: oauth.TokenEndpointResponse,
): Principal {
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  if (claims === undefined) throw refused("it sent no ID token");
  const sub = claims[options.claims.sub ?? "sub"];
  if (typeof sub !== "string" || sub === "") throw refused("the ID token names no subject");
  const claimed = options.claims.scopes === undefined ? undefined : claims[options.claims.scopes];
  return {
    sub,
    issuer: options.issuer,
    client: options.clientId,
    claims,
    scopes: scopeList(claimed ?? tokens.scope ?? ""),
    spaces: null,
  };
}

function scopeList(value: unknown): string[] {
  const scopes = typeof value === "string" ? value.split(" ") : Array.isArray(value) ? value : [];
  return scopes.filter((scope) => typeof scope === "string" && scope !== "" && scope !== "openid");
}

/** Our scopes that the provider knows: many providers refuse an unknown scope. */
function scopesFor(server: oauth.AuthorizationServer): string {
  const supported = server.scopes_supported;
  const ours = SCOPES.filter((scope) => supported === undefined || supported.includes(scope));
  return ["openid", ...ours].join(" ");
}

/** A URL becomes a resource indicator (RFC 8707); other audiences use the older `audience`. */
function audienceParameters(audience: string | undefined): { [name: string]: string } {
  if (audience === undefined) return {};
  return /^https?:/.test(audience) ? { resource: audience } : { audience };
}

function clientAuthentication(
  server: oauth.AuthorizationServer,
  secret: string | undefined,
): oauth.ClientAuth {
  if (secret === undefined) return oauth.None();
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  return methods.includes("client_secret_basic")
    ? oauth.ClientSecretBasic(secret)
    : oauth.ClientSecretPost(secret);
}

async function reachable<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw refused("the issuer cannot be reached or does not answer as one", error);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof oauth.AuthorizationResponseError) {
    return error.error === "access_denied" ? "you did not consent" : `it answered ${error.error}`;
  }
  if (error instanceof oauth.ResponseBodyError) return `it answered ${error.error}`;
  return "its answer is not valid";
}

function refused(state: string, cause?: unknown): GateError {
  return new GateError("ERR_UNAUTHENTICATED", `Cannot sign in with the issuer: ${state}`, {
    hint: "Try again, or use an API key",
    cause,
  });
}
