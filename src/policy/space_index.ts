import type { Principal } from "../model/principal.ts";
import { DEFAULT_SPACE } from "../model/space.ts";
import type { Tool } from "../model/tool.ts";
import type { Audience, Audiences } from "./audience.ts";
import type { PolicyDocument } from "./file/document.ts";
import { compileToolPattern, type ToolPattern } from "./tool_pattern.ts";

/** Virtual servers: their tools and the principals that may enter them. */
export interface SpaceIndex {
  readonly names: readonly string[];
  readonly isKnown: (space: string) => boolean;
  readonly canEnter: (principal: Principal, space: string) => boolean;
  /** Whether the tool exists for the principal in this space. */
  readonly hasTool: (principal: Principal, space: string, tool: Tool) => boolean;
  /**
   * The spaces whose limits count a call of the tool: the called space or, in the union, every
   * space that contains the tool. Otherwise a principal could use each limit twice.
   */
  readonly countedIn: (principal: Principal, space: string, tool: Tool) => readonly string[];
  /** The spaces that contain the tool, for explanations. */
  readonly spacesOf: (tool: Tool) => readonly string[];
}

interface Space {
  readonly name: string;
  readonly for: readonly string[] | null;
  readonly patterns: readonly ToolPattern[];
}

/**
 * Compiles the `spaces:` section.
 *
 * Without it there is one space, `default`, with every tool. With it, `default` is the union of the
 * spaces that the principal may enter, unless the file defines a space of that name.
 */
export function createSpaceIndex(
  spaces: PolicyDocument["spaces"],
  audiences: Pick<Audiences, "of">,
): SpaceIndex {
  if (spaces === null) return singleSpace;
  const byName = new Map<string, Space>(
    [...spaces].map(([name, spec]) => [name, {
      name,
      for: spec.for ?? null,
      patterns: spec.tools.map(compileToolPattern),
    }]),
  );
  const holdersByTool = new WeakMap<Tool, ReadonlySet<string>>();
  const holders = (tool: Tool) => {
    let names = holdersByTool.get(tool);
    if (names === undefined) {
      names = new Set(
        [...byName.values()].filter(({ patterns }) => patterns.some((p) => p.matches(tool)))
          .map(({ name }) => name),
      );
      holdersByTool.set(tool, names);
    }
    return names;
  };
  const mayEnter = (principal: Principal, audience: Audience, space: Space | undefined) =>
    space !== undefined &&
    (space.for === null || space.for.some((group) => audience.groups.has(group))) &&
    credentialAllows(principal, space.name);
  const isUnion = (space: string) => space === DEFAULT_SPACE && !byName.has(space);
  return {
    names: [...byName.keys()],
    isKnown: (space) => byName.has(space) || isUnion(space),
    canEnter(principal, space) {
      const audience = audiences.of(principal);
      if (!isUnion(space)) return mayEnter(principal, audience, byName.get(space));
      // An operator may enter the union even if it has no tool for this operator.
      if (principal.spaces === null && principal.scopes.includes("admin")) return true;
      return [...byName.values()].some((each) => mayEnter(principal, audience, each));
    },
    hasTool(principal, space, tool) {
      const audience = audiences.of(principal);
      const names = holders(tool);
      if (!isUnion(space)) {
        return names.has(space) && mayEnter(principal, audience, byName.get(space));
      }
      for (const name of names) {
        if (mayEnter(principal, audience, byName.get(name))) return true;
      }
      return false;
    },
    countedIn(principal, space, tool) {
      if (!isUnion(space)) return [space];
      const audience = audiences.of(principal);
      return [...holders(tool)].filter((name) => mayEnter(principal, audience, byName.get(name)));
    },
    spacesOf: (tool) => [...holders(tool)],
  };
}

const singleSpace: SpaceIndex = {
  names: [DEFAULT_SPACE],
  isKnown: (space) => space === DEFAULT_SPACE,
  canEnter: (principal, space) => space === DEFAULT_SPACE && credentialAllows(principal, space),
  hasTool: (principal, space) => space === DEFAULT_SPACE && credentialAllows(principal, space),
  countedIn: (_principal, space) => [space],
  spacesOf: () => [DEFAULT_SPACE],
};

/** A key or token may have fewer spaces than its owner. */
function credentialAllows(principal: Principal, space: string): boolean {
  return principal.spaces === null || principal.spaces.includes(space);
}
