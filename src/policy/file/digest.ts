import { canonicalJson } from "../../model/json/canonical_json.ts";
import { sha256Hex } from "../../model/sha256.ts";
import type { Placed, PolicyDocument } from "./document.ts";

/**
 * SHA-256 (hex) of the content of a policy. Order, file names and comments do not change the
 * digest; groups, tools, spaces, rules, limits and output do.
 */
export function policyDigest(document: PolicyDocument): string {
  const { name, mode, groups, tools, spaces, rules, limits, output } = document;
  return sha256Hex(canonicalJson({
    name,
    mode,
    groups: entriesOf(groups),
    tools: entriesOf(tools),
    spaces: spaces === null ? null : entriesOf(spaces),
    rules: byId(rules),
    limits: byId(limits),
    output,
  }));
}

function entriesOf(map: ReadonlyMap<string, Placed<unknown>>): unknown {
  return [...map].map(([name, value]) => [name, withoutPlace(value)] as const)
    .toSorted(([a], [b]) => a < b ? -1 : 1);
}

function byId(list: readonly Placed<{ readonly id: string }>[]): unknown {
  return list.toSorted((a, b) => a.id < b.id ? -1 : 1).map(withoutPlace);
}

function withoutPlace(value: Placed<unknown>): unknown {
  const { place: _, placeOf: __, ...rest } = value as Placed<object>;
  return rest;
}
