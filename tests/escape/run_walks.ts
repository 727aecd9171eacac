/** Runs the programs of `reachable_walk.ts` and adds up what they saw. */
import type { Limits } from "../../src/model/limits.ts";
import type { SandboxPool } from "../../src/sandbox/pool/sandbox_pool.ts";
import { LIMITS, runCode } from "../sandbox/open_pool.ts";
import type { WalkReport } from "./reachable_walk.ts";

export const WALK_LIMITS: Limits = {
  ...LIMITS,
  wallTimeMs: 120_000,
  cpuTimeMs: 60_000,
  memoryMb: 512,
  toolCallsMax: 2_000,
  logBytesMax: 4_194_304,
};

/** @returns `problems`: paths of objects of another realm, and programs that did not come to their end */
export async function runWalks(
  pool: SandboxPool,
  walks: readonly (readonly [name: string, code: string])[],
): Promise<{ visited: number; thrown: number; problems: string[] }> {
  let visited = 0;
  let thrown = 0;
  const problems: string[] = [];
  for (const [name, code] of walks) {
    const { resultJson, error } = await runCode(pool, code, { limits: WALK_LIMITS });
    if (resultJson === null) {
      problems.push(`${name}: ${error?.code} ${error?.message}`);
      continue;
    }
    const report = JSON.parse(resultJson) as WalkReport;
    visited += report.visited;
    thrown += report.thrown;
    problems.push(...report.foreign.map((path) => `${name}: ${path}`));
  }
  return { visited, thrown, problems };
}
