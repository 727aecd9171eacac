import type { Principal } from "../model/principal.ts";
import type { TokenVerifier } from "./authenticate.ts";

/** Remembers a principal's token while its request runs, for token exchange. */
export function rememberToken(
  verify: TokenVerifier,
  tokens: WeakMap<Principal, string>,
): TokenVerifier {
  return async (token, audience) => {
    const principal = await verify(token, audience);
    if (principal !== null) tokens.set(principal, token);
    return principal;
  };
}
