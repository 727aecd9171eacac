import { GateError } from "../model/errors.ts";
import { type Principal, SCOPES } from "../model/principal.ts";

/** Turns the credential of a request into a principal, or throws why it cannot. */
export interface Authenticator {
  /**
   * @param token the bearer token; null if the request has none.
   * @param audience URL of the resource that is called (RFC 8707).
   * @throws {GateError} `ERR_UNAUTHENTICATED`
   */
  authenticate(token: string | null, audience: string): Promise<Principal>;
}

/** Verifies one kind of token; null for a token of another kind, or an unknown one. */
export type TokenVerifier = (token: string, audience: string) => Promise<Principal | null>;

export interface AuthenticatorOptions {
  /** If true, callers without a token are `local`; the edge then listens on loopback only. */
  readonly anonymous: boolean;
  readonly verifiers: readonly TokenVerifier[];
}

/** The principal of callers without a credential, if authentication is off. */
export const LOCAL_PRINCIPAL: Principal = {
  sub: "local",
  issuer: "none",
  client: "local",
  claims: {},
  scopes: SCOPES,
  spaces: null,
};

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  return {
    async authenticate(token, audience) {
      if (token !== null) {
        for (const verify of options.verifiers) {
          const principal = await verify(token, audience);
          if (principal !== null) return principal;
        }
      }
      if (options.anonymous && token === null) return LOCAL_PRINCIPAL;
      // A wrong credential is an error even where none is needed.
      throw unauthenticated(
        token === null ? "there is no credential" : "the credential is not valid",
      );
    },
  };
}

/** The error of a refused or missing credential. */
export function unauthenticated(state: string): GateError {
  return new GateError("ERR_UNAUTHENTICATED", `Cannot authenticate: ${state}`, {
    hint: "Send Authorization: Bearer <API key or access token>",
  });
}
