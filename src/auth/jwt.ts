import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from "jose";
import type { Config } from "../config/schema.ts";
import type { SiteFetch } from "../dial/site_fetch.ts";
import { GateError } from "../model/errors.ts";
import type { Principal } from "../model/principal.ts";
import { type TokenVerifier, unauthenticated } from "./authenticate.ts";

export type OAuthConfig = Exclude<Config["auth"], string>;

export interface JwtVerifierDeps {
  readonly now: () => number;
  /** Fetches documents of the issuer, and nothing else. */
  readonly fetch: SiteFetch;
}

/**
 * Public-key signatures only: with a shared secret every verifier could also issue tokens, and with
 * `none` everyone could.
 */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "EdDSA",
];
const DISCOVERY_TIMEOUT_MS = 5_000;
const ISSUER_RETRY_MS = 5_000;

/**
 * Verifies access tokens of an OAuth 2.1 authorization server: signature, issuer, audience, expiry.
 *
 * @see RFC 9068, RFC 8707, RFC 7517
 */
export function createJwtVerifier(config: OAuthConfig, deps: JwtVerifierDeps): TokenVerifier {
  let keys: Promise<JWTVerifyGetKey> | null = null;
  const loadKeys = (): Promise<JWTVerifyGetKey> => {
    keys ??= jwksUrlOf(config, deps).then((url) =>
      createRemoteJWKSet(new URL(url), {
        cooldownDuration: 5_000,
        [customFetch]: (address, init) => deps.fetch(address, init),
      })
    );
    keys.catch(() => keys = null); // the issuer may be up again for the next request
    return keys;
  };
  return async (token, audience) => {
    if (token.split(".").length !== 3) return null;
    try {
      const { payload } = await jwtVerify(token, await loadKeys(), {
        issuer: config.issuer,
        audience: audiencesOf(config, audience),
        algorithms: ALGORITHMS,
        clockTolerance: config.clockSkewSeconds,
        currentDate: new Date(deps.now()),
        requiredClaims: ["exp"],
      });
      return principalOf(config, payload);
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

/** Turns an issuer's claims into a principal; the policy interprets them. */
function principalOf(config: OAuthConfig, payload: JWTPayload): Principal {
  const sub = textClaim(payload, config.claims.sub ?? "sub");
  if (sub === null) throw unauthenticated("the token names no subject");
  const client = config.claims.client === undefined
    ? textClaim(payload, "client_id") ?? textClaim(payload, "azp")
    : textClaim(payload, config.claims.client);
  return {
    sub,
    issuer: config.issuer,
    client: client ?? "",
    claims: payload,
    scopes: scopesOf(payload[config.claims.scopes ?? "scope"] ?? payload.scp),
    spaces: null,
  };
}

function textClaim(payload: JWTPayload, claim: string): string | null {
  const value = payload[claim];
  return typeof value === "string" && value !== "" ? value : null;
}

/** Scopes as a space-separated text (RFC 8693, section 4.2) or, from some issuers, as a list. */
function scopesOf(claim: unknown): string[] {
  if (typeof claim === "string") return claim.split(" ").filter((scope) => scope !== "");
  return Array.isArray(claim) ? claim.filter((scope) => typeof scope === "string") : [];
}

function audiencesOf(config: OAuthConfig, resource: string): string[] {
  if (config.audience !== undefined) return [config.audience];
  const { origin } = new URL(resource);
  return [resource, resource.replace(/\/$/, ""), origin, `${origin}/`];
}

async function jwksUrlOf(config: OAuthConfig, deps: JwtVerifierDeps): Promise<string> {
  if (config.jwksUrl !== undefined) return config.jwksUrl;
  const issuer = config.issuer.replace(/\/$/, "");
  for (const document of ["oauth-authorization-server", "openid-configuration"]) {
    const metadata = await fetchMetadata(deps, issuer, document);
    if (metadata?.issuer?.replace(/\/$/, "") === issuer && typeof metadata.jwks_uri === "string") {
      return metadata.jwks_uri;
    }
  }
  throw new Error(`Issuer ${issuer} publishes no keys`);
}

interface IssuerMetadata {
  readonly issuer?: string;
  readonly jwks_uri?: string;
}

/** @see RFC 8414, section 3; OpenID Connect Discovery 1.0, section 4 */
async function fetchMetadata(
  deps: JwtVerifierDeps,
  issuer: string,
  document: string,
): Promise<IssuerMetadata | null> {
  const url = new URL(issuer);
  const path = url.pathname.replace(/\/$/, "");
  const places = document === "openid-configuration"
    ? [`${path}/.well-known/${document}`]
    : [`/.well-known/${document}${path}`];
  for (const place of places) {
    const response = await deps.fetch(new URL(place, url), {
      redirect: "error",
      signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS),
    });
    if (response.ok) return await response.json();
    await response.body?.cancel();
  }
  return null;
}

function refusalOf(error: unknown): GateError {
  if (error instanceof GateError) return error;
  if (error instanceof errors.JWTExpired) return unauthenticated("the token has expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return unauthenticated(`the token's "${error.claim}" claim does not fit`);
  }
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) {
    // The token was not checked, and a new token would not help: send no challenge.
    return new GateError(
      "ERR_UPSTREAM_UNREACHABLE",
      "Cannot authenticate: the issuer cannot be reached",
      {
        hint: "Try again; the operator checks auth.issuer and auth.jwksUrl",
        cause: error,
        retryAfterMs: ISSUER_RETRY_MS,
      },
    );
  }
  return unauthenticated("the token is not valid");
}
