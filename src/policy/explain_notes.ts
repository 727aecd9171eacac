import { nearest } from "../model/nearest.ts";
import type { Tool } from "../model/tool.ts";
import { findTool } from "./named_tool.ts";
import type { GroupSpec, TestPrincipal } from "./policy_schema.ts";

/** Keys of `--as` that are no claims. */
const PRINCIPAL_KEYS = ["sub", "client", "groups", "scopes", "spaces", "claims"];

/**
 * What a question about a decision names and nothing knows. Its answer is true all the same, but
 * most likely not the one that was wanted.
 */
export function explainNotes(
  question: { readonly as: TestPrincipal; readonly call: string },
  groups: ReadonlyMap<string, GroupSpec>,
  tools: readonly Tool[],
): string[] {
  const { as, call } = question;
  const specs = [...groups.values()];
  const values = specs.filter(({ claim }) => claim === "groups").flatMap(({ has }) => has ?? []);
  const knownGroups = [...groups.keys(), ...values];
  const knownClaims = specs.flatMap(({ claim }) => claim ?? []);
  const isClaim = (name: string) =>
    knownClaims.some((claim) => claim === name || claim.startsWith(`${name}.`));
  return [
    ...(tools.length === 0 || findTool(tools, call) !== null ? [] : [
      `There is no tool "${call}"; explained is what would hold for one of that name` +
      suggestion(call, tools.map(({ id }) => id)),
    ]),
    ...(as.groups ?? []).filter((name) => !knownGroups.includes(name)).map((name) =>
      `No group of the policy is or asks for "${name}"${suggestion(name, knownGroups)}`
    ),
    ...Object.keys(as.claims ?? {}).filter((name) => !isClaim(name)).map((name) =>
      `No group of the policy asks for the claim "${name}"` +
      suggestion(name, [...PRINCIPAL_KEYS, ...knownClaims])
    ),
  ];
}

function suggestion(word: string, candidates: readonly string[]): string {
  const [near] = nearest(word, new Set(candidates), 1);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}
