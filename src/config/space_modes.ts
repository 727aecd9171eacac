import { nearest } from "../model/nearest.ts";
import { DEFAULT_SPACE } from "../model/space.ts";
import { configuredUpstreams } from "./configured_upstreams.ts";
import type { ConfigProblem } from "./problems.ts";
import type { Config } from "./schema.ts";

/** Finds spaces whose mode cannot work with the rest of the configuration. */
export function findModeProblems(config: Config): ConfigProblem[] {
  const upstreams = configuredUpstreams(config).map(({ name }) => name);
  return Object.entries(config.spaces).flatMap(([name, { mode, upstream, classic }]) => {
    const problem = (key: string, text: string, remedy: string): ConfigProblem => ({
      key: `spaces.${name}.${key}`,
      path: ["spaces", name, key],
      problem: text,
      remedy,
    });
    if (mode !== "hybrid" && classic.length > 0) {
      return [
        problem("classic", 'goes with "mode: hybrid" only', 'Set "mode: hybrid" or remove it'),
      ];
    }
    if (mode !== "pass") {
      return upstream === undefined
        ? []
        : [problem("upstream", 'goes with "mode: pass" only', 'Set "mode: pass" or remove it')];
    }
    const list = `Name one of ${upstreams.join(", ")}`;
    if (upstream === undefined) {
      return [problem("upstream", "is missing: this mode stands for one upstream", list)];
    }
    if (upstreams.includes(upstream)) return [];
    const [near] = nearest(upstream, upstreams, 1);
    const remedy = near === undefined ? list : `Did you mean "${near}"?`;
    return [problem("upstream", `is "${upstream}", and there is no such upstream`, remedy)];
  });
}

/** Spaces that have a mode but are not in the policy: no principal can enter them. */
export function unknownSpaces(
  { spaces }: Pick<Config, "spaces">,
  known: readonly string[],
): string[] {
  const names = [DEFAULT_SPACE, ...known];
  return Object.keys(spaces).filter((name) => !names.includes(name)).map((name) => {
    const [near] = nearest(name, known, 1);
    return `spaces.${name} in the configuration: the policy has no such space` +
      (near === undefined ? "" : `; did you mean "${near}"?`);
  });
}
