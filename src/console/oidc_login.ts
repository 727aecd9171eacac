import type { Principal } from "../model/principal.ts";

/** Login at an OpenID provider: authorization code with PKCE. */
export interface OidcLogin {
  /** Where to send the browser, and what to remember until it comes back. */
  readonly begin: (redirectUri: string) => Promise<{ readonly url: string; readonly flow: string }>;
  /**
   * @param flow what `begin` said to remember.
   * @throws {GateError} `ERR_UNAUTHENTICATED`
   */
  readonly finish: (callbackUrl: URL, redirectUri: string, flow: string) => Promise<Principal>;
}
