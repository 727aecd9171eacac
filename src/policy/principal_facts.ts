import { API_KEYS, type Principal } from "../model/principal.ts";
import type { GroupSpec, TestPrincipal } from "./file/schema.ts";

/**
 * Tells whether a verified identity is in a group. All tests of the group must hold.
 *
 * A claim must be a text or a list of texts; other values make the principal a member of no group.
 */
export function isMember(principal: Principal, group: GroupSpec): boolean {
  if (group.client !== undefined && !isClient(principal, group.client)) return false;
  if (group.sub !== undefined && principal.sub !== group.sub) return false;
  if (group.claim === undefined || group.has === undefined) return true;
  const value = claimAt(principal.claims, group.claim);
  if (typeof value === "string") return value === group.has;
  return Array.isArray(value) && value.includes(group.has);
}

/** Matches the OAuth client, or an API key by its id or by the name that the operator gave it. */
function isClient({ client, issuer, sub }: Principal, name: string): boolean {
  return client === name || (issuer === API_KEYS && sub === name);
}

/** Finds a claim by its name, or else by its path: `realm_access.roles`. */
function claimAt(claims: Principal["claims"], name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const key of name.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as { readonly [key: string]: unknown })[key];
  }
  return value;
}

/** The principal that a policy test or `policy explain --as` describes. Grants nothing by itself. */
export function principalFromTest(as: TestPrincipal): Principal {
  return {
    sub: as.sub ?? "test",
    issuer: "test",
    client: as.client ?? "test",
    claims: { ...as.claims, ...(as.groups === undefined ? {} : { groups: as.groups }) },
    scopes: as.scopes ?? [],
    spaces: as.spaces ?? null,
  };
}

/**
 * The principal of a description that may name groups of the policy and values of the claim.
 * Operators and audit records use groups of the policy. For explanations only: a real identity
 * consists of its claims alone.
 *
 * @param issuer as audit records spell it: it distinguishes an API key from other principals.
 */
export function principalInGroups(
  as: TestPrincipal,
  issuer: string | undefined,
  groups: ReadonlyMap<string, GroupSpec>,
): Principal {
  const names = as.groups ?? [];
  const named = names.flatMap((name) => groups.get(name) ?? []);
  // A name of a group means only that group; as a value of the claim it could fit another group.
  const values = names.filter((name) => !groups.has(name));
  const described = as.groups === undefined ? as : { ...as, groups: values };
  let principal = principalFromTest(described);
  if (issuer !== undefined) principal = { ...principal, issuer };
  for (const group of named) {
    if (!isMember(principal, group)) principal = madeMember(principal, group);
  }
  return principal;
}

function madeMember(principal: Principal, group: GroupSpec): Principal {
  const { client = principal.client, sub = principal.sub, claim, has } = group;
  if (claim === undefined || has === undefined) return { ...principal, client, sub };
  const known = claimAt(principal.claims, claim);
  const values = Array.isArray(known) ? known : typeof known === "string" ? [known] : [];
  return { ...principal, client, sub, claims: { ...principal.claims, [claim]: [...values, has] } };
}
