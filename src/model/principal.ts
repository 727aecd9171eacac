/** Scopes of toolgate itself, on MCP, the API and the console. */
export const SCOPES = ["search", "execute", "audit", "auditor", "approve", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who vouches for an API key. */
export const API_KEYS = "keys";

/** Scopes over the whole service: a credential that is limited to spaces cannot have them. */
export const SERVICE_SCOPES: readonly string[] = ["audit", "auditor", "admin"];

/** Who is calling. Made by `auth/` from a verified credential, never from a message. */
export interface Principal {
  /** Subject: `local`, an API key's name, or the `sub` of a token. */
  readonly sub: string;
  /** Who vouches for it: `none`, `keys`, or the token's issuer URL. */
  readonly issuer: string;
  /** The OAuth client or API key id; `local` without authentication. */
  readonly client: string;
  /** Verified claims; the policy file alone turns them into groups. */
  readonly claims: { readonly [claim: string]: unknown };
  readonly scopes: readonly string[];
  /** Spaces the credential is limited to; null means no limit of its own. */
  readonly spaces: readonly string[] | null;
}

/** A string that is the same for the same principal only: the key of sandboxes, quotas and journals. */
export function principalKey(principal: Principal): string {
  return JSON.stringify([principal.issuer, principal.sub, principal.client]);
}

/** The same for one person whatever client they use: the key of what belongs to people, such as accounts. */
export function personKey(principal: Pick<Principal, "issuer" | "sub">): string {
  return JSON.stringify([principal.issuer, principal.sub]);
}
