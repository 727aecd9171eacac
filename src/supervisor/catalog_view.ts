import type { CatalogSnapshot } from "../model/catalog.ts";
import type { Visibility } from "../model/decision.ts";
import type { Principal } from "../model/principal.ts";
import type { Tool } from "../model/tool.ts";
import type { Policy } from "../policy/policy.ts";

/** The part of the catalog that one principal may use in one space, and may see. */
export interface CatalogView {
  /** Digest of the policy, the space, and the principal's fields that a policy can read. */
  readonly key: string;
  readonly tools: readonly Tool[];
  visible(tool: Tool): Visibility | null;
}

const VIEWS_MAX = 200;

/**
 * Makes views and keeps them while catalog and policy stay the same.
 *
 * The key holds every field of a principal that a policy can read, so two principals share a view
 * only if the policy cannot tell them apart.
 */
export function createCatalogViews(deps: {
  readonly snapshot: () => CatalogSnapshot;
  readonly policy: () => Policy;
}): (principal: Principal, space: string) => CatalogView {
  let views = new Map<string, CatalogView>();
  let madeFor: { snapshot: CatalogSnapshot; policy: Policy } | null = null;
  return (principal, space) => {
    const snapshot = deps.snapshot();
    const policy = deps.policy();
    if (madeFor?.snapshot !== snapshot || madeFor.policy !== policy) {
      views = new Map();
      madeFor = { snapshot, policy };
    }
    const key = JSON.stringify([
      space,
      principal.sub,
      principal.client,
      principal.issuer,
      principal.claims,
      principal.scopes,
      principal.spaces,
    ]);
    const known = views.get(key);
    if (known !== undefined) return known;
    const seen = new Map<Tool, Visibility>();
    for (const tool of snapshot.tools.values()) {
      const visibility = policy.visibility(principal, space, tool);
      if (visibility !== null) seen.set(tool, visibility);
    }
    const view: CatalogView = {
      key: `${policy.digest} ${key}`,
      tools: [...seen.keys()],
      visible: (tool) => seen.get(tool) ?? null,
    };
    if (views.size >= VIEWS_MAX) views.clear();
    views.set(key, view);
    return view;
  };
}
