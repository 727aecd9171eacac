/** Scopes of toolgate itself, on MCP, the API and the console. */
export const SCOPES = ["search", "execute", "audit", "auditor", "approve", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** The issuer of API keys. */
export const API_KEYS = "keys";

/** Scopes over the whole service. A credential limited to spaces cannot have them. */
export const SERVICE_SCOPES: readonly string[] = ["audit", "auditor", "admin"];

/** The caller. `auth/` makes it from a verified credential, never from a message. */
export interface Principal {
  /** Subject: `local`, an API key's name, or the `sub` of a token. */
  readonly sub: string;
  /** The issuer of the credential: `none`, `keys`, or the token's issuer URL. */
  readonly issuer: string;
  /** The OAuth client or API key id; `local` without authentication. */
  readonly client: string;
  /** Verified claims; only the policy file turns them into groups. */
  readonly claims: { readonly [claim: string]: unknown };
  readonly scopes: readonly string[];
  /** Spaces the credential is limited to; null means no limit of its own. */
  readonly spaces: readonly string[] | null;
}

/** A string unique to the principal: the key of sandboxes, quotas and journals. */
export function principalKey(principal: Principal): string {
  return JSON.stringify([principal.issuer, principal.sub, principal.client]);
}

/** A string unique to the person, the same for all clients: the key of accounts. */
export function personKey(principal: Pick<Principal, "issuer" | "sub">): string {
  return JSON.stringify([principal.issuer, principal.sub]);
}
