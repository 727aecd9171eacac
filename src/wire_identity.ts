import { type ApiKeys, createApiKeys } from "./auth/api_keys.ts";
import {
  type Authenticator,
  createAuthenticator,
  type TokenVerifier,
} from "./auth/authenticate.ts";
import { createJwtVerifier } from "./auth/jwt.ts";
import { localVerifier } from "./auth/local_verifier.ts";
import { rememberToken } from "./auth/remember_token.ts";
import type { Config } from "./config/schema.ts";
import { proveService } from "./config/service_proof.ts";
import { siteFetch } from "./dial/site_fetch.ts";
import type { Principal } from "./model/principal.ts";
import type { Store } from "./store/store.ts";
import type { SubjectToken } from "./upstream/upstream.ts";

/** The identity of this service, and the verification of its callers. */
export interface Identity {
  /** Id of this start of the service. */
  readonly instance: string;
  /** Bearer token of the local operator; changes with every start. */
  readonly localToken: string;
  /** Proves to commands on this machine that they have reached their service. */
  readonly prove: (challenge: string) => string | null;
  readonly keys: ApiKeys;
  readonly authenticator: Authenticator;
  /** The caller's access token, for upstreams that exchange it. */
  readonly subjectToken: SubjectToken;
}

export interface IdentityDeps {
  readonly config: Pick<Config, "auth">;
  readonly store: Store;
  /** The service's time, which never goes back. */
  readonly now: () => number;
}

export function wireIdentity({ config, store, now }: IdentityDeps): Identity {
  const localToken = crypto.getRandomValues(new Uint8Array(32)).toHex();
  const keys = createApiKeys({ store, now });
  const subjectTokens = new WeakMap<Principal, string>();
  const authenticator = createAuthenticator({
    anonymous: config.auth === "none",
    verifiers: [
      localVerifier(localToken),
      keys.verify,
      ...jwtVerifiers(config).map((verify) => rememberToken(verify, subjectTokens)),
    ],
  });
  return {
    instance: crypto.randomUUID(),
    localToken,
    prove: (challenge) => proveService(localToken, challenge),
    keys,
    authenticator,
    subjectToken: (principal) => Promise.resolve(subjectTokens.get(principal) ?? null),
  };
}

function jwtVerifiers({ auth }: Pick<Config, "auth">): TokenVerifier[] {
  if (typeof auth === "string") return [];
  // Issuers use their own clocks, so token times are compared with the machine's clock.
  return [createJwtVerifier(auth, { now: Date.now, fetch: siteFetch })];
}
