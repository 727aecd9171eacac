import { nearest } from "../model/nearest.ts";
import { findTool } from "../model/named_tool.ts";
import { DEFAULT_SPACE } from "../model/space.ts";
import type { Tool } from "../model/tool.ts";
import type { PolicyDocument } from "./file/document.ts";
import type { GroupSpec, TestPrincipal } from "./file/schema.ts";

/** Keys of `--as` that are not claims. */
const PRINCIPAL_KEYS = ["sub", "client", "groups", "scopes", "spaces", "claims"];

/**
 * Lists names in a question about a decision that neither policy nor catalog knows. The answer is
 * still correct, but the operator probably meant another name.
 */
export function explainNotes(
  question: { readonly as: TestPrincipal; readonly call: string },
  groups: ReadonlyMap<string, GroupSpec>,
  tools: readonly Tool[],
): string[] {
  const { as, call } = question;
  const specs = [...groups.values()];
  const knownGroups = [...groups.keys(), ...groupValues(groups)];
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

/**
 * Lists groups and spaces of an API key that the policy does not know. The key is still valid: the
 * operator may change the policy later.
 *
 * @param policy null for a built-in policy, which asks for no groups.
 */
export function keyNotes(
  key: { readonly groups: readonly string[]; readonly spaces: readonly string[] | null },
  policy: Pick<PolicyDocument, "groups" | "spaces"> | null,
): string[] {
  const groups = policy?.groups ?? new Map<string, GroupSpec>();
  const spaces = [...policy?.spaces?.keys() ?? [DEFAULT_SPACE]];
  const values = groupValues(groups);
  const noteOn = (name: string) => {
    const meant = groups.get(name);
    return meant?.claim === "groups"
      ? `"${name}" is a group of the policy; keys hold the value it asks for: "${meant.has}"`
      : `No group of the policy asks for "${name}"${suggestion(name, values)}`;
  };
  return [
    ...key.groups.filter((name) => !values.includes(name)).map(noteOn),
    ...(key.spaces ?? []).filter((name) => !spaces.includes(name))
      .map((name) => `The policy has no space "${name}"${suggestion(name, spaces)}`),
  ];
}

/** The values of the `groups` claim that some group of the policy tests. */
function groupValues(groups: ReadonlyMap<string, GroupSpec>): string[] {
  return [...groups.values()].filter(({ claim }) => claim === "groups")
    .flatMap(({ has }) => has ?? []);
}

function suggestion(word: string, candidates: readonly string[]): string {
  const [near] = nearest(word, new Set(candidates), 1);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}
