import type { Principal } from "../model/principal.ts";
import type { CompiledRule } from "./compiled_rule.ts";
import type { CelValue } from "./condition/cel_value.ts";
import type { PolicyDocument } from "./file/document.ts";
import { isMember } from "./principal_facts.ts";

/** The facts of a principal that rules test before arguments. Equal facts share one object. */
export interface Audience {
  readonly groups: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
}

export interface Audiences {
  readonly of: (principal: Principal) => Audience;
  /** The variable `user` of conditions. */
  readonly userFacts: (principal: Principal) => CelValue;
  /**
   * Whether this audience is in a group of the rule. A deny or ask that names an unknown group
   * applies to every principal: a typo must not open what the rule should close.
   */
  readonly hasGroup: (audience: Audience, rule: CompiledRule) => boolean;
}

/** The cache of audiences is cleared beyond this many. */
const AUDIENCES_MAX = 1_000;

/** Turns principals into audiences. The caches save time and never change an answer. */
export function createAudiences(groups: PolicyDocument["groups"]): Audiences {
  const byPrincipal = new WeakMap<Principal, Audience>();
  const userByPrincipal = new WeakMap<Principal, CelValue>();
  const byKey = new Map<string, Audience>();

  function of(principal: Principal): Audience {
    const known = byPrincipal.get(principal);
    if (known !== undefined) return known;
    const names = [...groups].filter(([, group]) => isMember(principal, group))
      .map(([name]) => name).toSorted();
    const key = JSON.stringify([names, principal.scopes.toSorted()]);
    const audience = byKey.get(key) ??
      { groups: new Set(names), scopes: new Set(principal.scopes) };
    if (byKey.size >= AUDIENCES_MAX) byKey.clear();
    byKey.set(key, audience);
    byPrincipal.set(principal, audience);
    return audience;
  }

  function userFacts(principal: Principal): CelValue {
    const known = userByPrincipal.get(principal);
    if (known !== undefined) return known;
    const { groups, scopes } = of(principal);
    const facts = new Map<string, CelValue>([
      ["sub", principal.sub],
      ["client", principal.client],
      ["groups", [...groups]],
      ["scopes", [...scopes]],
    ]);
    userByPrincipal.set(principal, facts);
    return facts;
  }

  function hasGroup(audience: Audience, { rule }: CompiledRule): boolean {
    if (rule.for === null || rule.for.some((name) => audience.groups.has(name))) return true;
    return rule.effect !== "allow" && rule.for.some((name) => !groups.has(name));
  }

  return { of, userFacts, hasGroup };
}

/** Whether the audience has all of the scopes. */
export function hasScopes(audience: Audience, scopes: readonly string[]): boolean {
  return scopes.every((scope) => audience.scopes.has(scope));
}
