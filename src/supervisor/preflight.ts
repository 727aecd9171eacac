import type { CatalogSnapshot } from "../model/catalog.ts";
import type { PreflightFinding } from "../model/execution.ts";
import type { Principal } from "../model/principal.ts";
import type { Tool } from "../model/tool.ts";
import type { Policy } from "../policy/policy.ts";
import type { CheckerReport } from "../sandbox/checker.ts";
import {
  firstVisible,
  lookUp,
  nearestTools,
  splitToolName,
  toolsOfServer,
  type ToolSpelling,
} from "./find_tool.ts";

/** Checks a program against the declarations of the tools it names, before or while it runs. */
export interface Preflight {
  readonly mode: "off" | "warn" | "block";
  /** Never throws: a program that could not be checked runs unchecked, and the report says why. */
  check(
    principal: Principal,
    space: string,
    code: string,
    codeSha256: string,
  ): Promise<PreflightReport>;
}

export interface PreflightReport {
  readonly findings: readonly PreflightFinding[];
  /** Why the program was not checked; null if it was, or if nobody wanted it. */
  readonly unchecked: string | null;
}

export const NOTHING_FOUND: PreflightReport = { findings: [], unchecked: null };

export interface PreflightDeps {
  readonly mode: "off" | "warn" | "block";
  readonly snapshot: () => CatalogSnapshot;
  readonly policy: () => Pick<Policy, "visibility">;
  readonly mentionedTools: (code: string) => readonly string[];
  readonly declareTools: (tools: readonly Tool[]) => string;
  readonly check: (code: string, declarations: string) => Promise<CheckerReport>;
}

const REPORTS_MAX = 500;
const NEIGHBOURS_MAX = 60;
const NEAREST_MAX = 5;

export function createPreflight(deps: PreflightDeps): Preflight {
  // The same program is often sent again; its check depends on the code and on the declarations alone.
  const reports = new Map<string, Promise<PreflightReport>>();
  return {
    mode: deps.mode,
    check(principal, space, code, codeSha256) {
      if (deps.mode === "off") return Promise.resolve(NOTHING_FOUND);
      const declarations = declarationsFor(deps, principal, space, code);
      const key = `${codeSha256} ${declarations}`;
      const known = reports.get(key);
      if (known !== undefined) return known;
      const report = deps.check(code, declarations).then(({ status, reason, findings }) => {
        if (status === "checked") return { findings, unchecked: null };
        reports.delete(key);
        return { findings, unchecked: reason ?? "the checker gave no reason" };
      }, () => ({ findings: [], unchecked: "the checker failed" }));
      reports.set(key, report);
      if (reports.size > REPORTS_MAX) {
        const oldest = reports.keys().next().value;
        if (oldest !== undefined) reports.delete(oldest);
      }
      return report;
    },
  };
}

/** Declarations of the visible tools that a program names, and of the neighbours of names that do not exist. */
function declarationsFor(
  deps: PreflightDeps,
  principal: Principal,
  space: string,
  code: string,
): string {
  const snapshot = deps.snapshot();
  const policy = deps.policy();
  const isVisible = (tool: Tool) => policy.visibility(principal, space, tool) !== null;
  const named = new Set<Tool>();
  for (const name of deps.mentionedTools(code)) {
    const spelling = splitToolName(snapshot, name);
    const tool = lookUp(snapshot, spelling);
    if (tool !== null && isVisible(tool)) named.add(tool);
    else {
      for (const neighbour of neighbours(snapshot, spelling, isVisible)) named.add(neighbour);
    }
  }
  const ordered = [...named].sort((a, b) => (a.id < b.id ? -1 : 1));
  return deps.declareTools(ordered);
}

/** Tools that an unknown name may have meant: the nearest of its server, or of all. */
function neighbours(
  snapshot: CatalogSnapshot,
  { server, tool }: ToolSpelling,
  isVisible: (tool: Tool) => boolean,
): readonly Tool[] {
  const ofServer = toolsOfServer(snapshot, server);
  const first = firstVisible(ofServer, isVisible, NEIGHBOURS_MAX);
  const near = first.length === 0
    ? nearestTools(`${server}.${tool}`, snapshot.tools)
    : nearestTools(tool, new Map(ofServer.map((each) => [each.identifier, each])));
  return [...new Set([...firstVisible(near, isVisible, NEAREST_MAX), ...first])]
    .slice(0, NEIGHBOURS_MAX);
}
