import { API_KEYS, type Principal } from "../model/principal.ts";
import type { GroupSpec, TestPrincipal } from "./policy_schema.ts";

/**
 * Tells whether a verified identity is in a group. All tests that the group names must hold.
 *
 * A claim may be a text or a list of texts; nothing else is a member of anything.
 */
export function isMember(principal: Principal, group: GroupSpec): boolean {
  if (group.client !== undefined && !isClient(principal, group.client)) return false;
  if (group.sub !== undefined && principal.sub !== group.sub) return false;
  if (group.claim === undefined || group.has === undefined) return true;
  const value = claimAt(principal.claims, group.claim);
  if (typeof value === "string") return value === group.has;
  return Array.isArray(value) && value.includes(group.has);
}

/** The OAuth client, or an API key by its id or by the name that its operator gave it. */
function isClient({ client, issuer, sub }: Principal, name: string): boolean {
  return client === name || (issuer === API_KEYS && sub === name);
}

/** A claim by its own name, else by its path: `realm_access.roles`. */
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
 * Lets a description name groups of the policy as well as values of the claim: operators think in the
 * former. For explanations only; a real identity is its claims and nothing else.
 */
export function withPolicyGroups(
  as: TestPrincipal,
  groups: ReadonlyMap<string, GroupSpec>,
): TestPrincipal {
  const named = (as.groups ?? []).flatMap((name) => groups.get(name) ?? []);
  if (named.length === 0) return as;
  const claims: { [claim: string]: unknown } = { ...as.claims, groups: as.groups };
  let { client, sub } = as;
  for (const group of named) {
    client = group.client ?? client;
    sub = group.sub ?? sub;
    if (group.claim === undefined) continue;
    const known = claims[group.claim];
    claims[group.claim] = [...(Array.isArray(known) ? known : []), group.has];
  }
  const { groups: list, ...rest } = claims;
  return {
    ...as,
    ...(client === undefined ? {} : { client }),
    ...(sub === undefined ? {} : { sub }),
    groups: list as string[],
    claims: rest as NonNullable<TestPrincipal["claims"]>,
  };
}
