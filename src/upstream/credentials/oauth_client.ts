import * as oauth from "oauth4webapi";
import type { Outbound } from "../net/outbound_fetch.ts";
import type { AccessToken } from "./token_cache.ts";

/** The tokens that the token endpoint granted. */
export interface Grant extends AccessToken {
  readonly refreshToken: string | null;
}

export interface OAuthClientOptions {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Resolved for each request; undefined for a public client. */
  readonly clientSecret: (() => Promise<string>) | undefined;
  readonly fetch: Outbound["fetch"];
  readonly now?: () => number;
}

/** The grants that toolgate requests from a token endpoint. Their errors hold no secret. */
export interface OAuthClient {
  clientCredentials(parameters: { readonly [name: string]: string }): Promise<Grant>;
  /** @see RFC 8693 */
  exchange(subjectToken: string, parameters: { readonly [name: string]: string }): Promise<Grant>;
  authorizationCode(callback: CodeCallback): Promise<Grant>;
  refresh(refreshToken: string): Promise<Grant>;
}

export interface CodeCallback {
  readonly url: URL;
  readonly state: string;
  readonly redirectUrl: string;
  readonly verifier: string;
}

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const TIMEOUT_MS = 15_000;

export function createOAuthClient(options: OAuthClientOptions): OAuthClient {
  const server: oauth.AuthorizationServer = {
    issuer: new URL(options.tokenUrl).origin,
    token_endpoint: options.tokenUrl,
  };
  const client: oauth.Client = { client_id: options.clientId };
  const request = requestOptions(options);
  const ask = createAsker(options, server, client);
  return {
    clientCredentials: (parameters) =>
      ask((by) => oauth.clientCredentialsGrantRequest(server, client, by, parameters, request)),
    exchange: (subjectToken, parameters) =>
      ask((by) =>
        oauth.genericTokenEndpointRequest(server, client, by, EXCHANGE, {
          subject_token: subjectToken,
          subject_token_type: ACCESS_TOKEN,
          requested_token_type: ACCESS_TOKEN,
          ...parameters,
        }, request)
      ),
    authorizationCode: ({ url, state, redirectUrl, verifier }) =>
      ask((by) => {
        // No issuer is configured, so the client cannot check the issuer that a callback names.
        const callback = new URL(url);
        callback.searchParams.delete("iss");
        const checked = oauth.validateAuthResponse(server, client, callback, state);
        return oauth.authorizationCodeGrantRequest(
          server,
          client,
          by,
          checked,
          redirectUrl,
          verifier,
          request,
        );
      }),
    refresh: (refreshToken) =>
      ask((by) => oauth.refreshTokenGrantRequest(server, client, by, refreshToken, request)),
  };
}

function requestOptions(
  { tokenUrl, fetch }: OAuthClientOptions,
): oauth.TokenEndpointRequestOptions {
  return {
    [oauth.customFetch]: (url: string, init: oauth.CustomFetchOptions<"POST", URLSearchParams>) =>
      fetchToken(fetch, url, init),
    // This only allows plain http; the fetch decides which hosts may be called.
    [oauth.allowInsecureRequests]: new URL(tokenUrl).protocol === "http:",
    signal: () => AbortSignal.timeout(TIMEOUT_MS),
  };
}

/**
 * Makes the function that sends a request to the token endpoint and reads the grant.
 *
 * Some servers take the secret in a header, others in the form: the first refusal tells which.
 */
function createAsker(
  options: OAuthClientOptions,
  server: oauth.AuthorizationServer,
  client: oauth.Client,
): (send: (by: oauth.ClientAuth) => Promise<Response>) => Promise<Grant> {
  const now = options.now ?? Date.now;
  let usesPost = false;

  const authentication = async (): Promise<oauth.ClientAuth> => {
    if (options.clientSecret === undefined) return oauth.None();
    const secret = await options.clientSecret();
    return usesPost ? oauth.ClientSecretPost(secret) : oauth.ClientSecretBasic(secret);
  };
  const readGrant = async (response: Response): Promise<Grant> => {
    const answer = await oauth.processGenericTokenEndpointResponse(server, client, response);
    return {
      value: answer.access_token,
      expiresAt: answer.expires_in === undefined ? null : now() + answer.expires_in * 1_000,
      refreshToken: answer.refresh_token ?? null,
    };
  };
  return async (send) => {
    try {
      return await readGrant(await send(await authentication()));
    } catch (error) {
      if (!isClientRefused(error) || usesPost || options.clientSecret === undefined) {
        throw plain(error);
      }
      usesPost = true;
      try {
        return await readGrant(await send(await authentication()));
      } catch (again) {
        usesPost = false;
        throw plain(again);
      }
    }
  };
}

function isClientRefused(error: unknown): boolean {
  return error instanceof oauth.ResponseBodyError && error.error === "invalid_client" ||
    error instanceof oauth.WWWAuthenticateChallengeError;
}

/**
 * The token endpoint's answer without the ID token, which toolgate neither reads nor can verify.
 */
async function fetchToken(
  outbound: Outbound["fetch"],
  url: string,
  init: oauth.CustomFetchOptions<"POST", URLSearchParams>,
): Promise<Response> {
  const { body, ...rest } = init;
  const response = await outbound(url, {
    ...rest,
    body: body.toString(),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  } as RequestInit);
  if (!response.ok) return response;
  const answer: unknown = await response.json();
  if (typeof answer === "object" && answer !== null && "id_token" in answer) delete answer.id_token;
  return Response.json(answer, { status: response.status });
}

/** Keeps only the server's error code; the rest of the answer may hold secrets. */
function plain(error: unknown): Error {
  if (error instanceof oauth.ResponseBodyError) {
    return new TokenRefusedError(error.error.slice(0, 100), error.status);
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    return new TokenRefusedError("unauthorized", error.status);
  }
  return error instanceof Error ? error : new Error("The token endpoint failed");
}

/** The token endpoint refused the request. */
export class TokenRefusedError extends Error {
  override readonly name = "TokenRefusedError";
  /** @param reason an OAuth error code such as `invalid_grant` */
  constructor(readonly reason: string, readonly status: number) {
    super(`The token endpoint refused (${reason}, HTTP ${status})`);
  }
}
