import type { CheckerReport } from "../../checker/checker.ts";
import type { CheckFinding } from "../../checker/protocol.ts";
import type { CatalogSnapshot } from "../../model/catalog.ts";
import type { PreflightFinding } from "../../model/execution.ts";
import { lookUp, splitToolName, type ToolSpelling } from "../../model/named_tool.ts";
import type { Principal } from "../../model/principal.ts";
import type { Tool } from "../../model/tool.ts";
import type { Policy } from "../../policy/policy.ts";
import { firstVisible, nearestTools, toolsOfServer } from "../call/tool_not_found.ts";
import { fullyNamed, meantTools } from "../call/meant_tools.ts";

/** Checks a program against the declarations of the tools it names, before or while it runs. */
export interface Preflight {
  readonly mode: "off" | "warn" | "block";
  /** Never throws: a program that cannot be checked runs unchecked, and the report says why. */
  check(
    principal: Principal,
    space: string,
    code: string,
    codeSha256: string,
  ): Promise<PreflightReport>;
}

export interface PreflightReport {
  readonly findings: readonly PreflightFinding[];
  /**
   * Findings that never stop a program: the program may be right, or the finding rests on results
   * seen so far, and a tool may return other results later (a file that was text may be JSON the
   * next time).
   */
  readonly advice: readonly PreflightFinding[];
  /** Why the program was not checked; null if it was, or if the check is off. */
  readonly unchecked: string | null;
}

export const NOTHING_FOUND: PreflightReport = { findings: [], advice: [], unchecked: null };

export interface PreflightDeps {
  readonly mode: "off" | "warn" | "block";
  readonly snapshot: () => CatalogSnapshot;
  readonly policy: () => Pick<Policy, "visibility">;
  readonly mentionedTools: (code: string) => readonly string[];
  /** Names outside of `tools` that may stand for tools. */
  readonly looseNames: (code: string) => readonly string[];
  readonly declareTools: (tools: readonly Tool[]) => string;
  readonly check: (
    code: string,
    declarations: string,
    declaredOnly?: string,
  ) => Promise<CheckerReport>;
}

/** Above this size, the search for tool names in a program would delay other requests. */
const CHECKED_CHARACTERS_MAX = 100_000;
const REPORTS_MAX = 500;
const NEIGHBOURS_MAX = 60;
const NEAREST_MAX = 5;

export function createPreflight(deps: PreflightDeps): Preflight {
  // Clients often send the same program again; its check depends only on code and declarations.
  const reports = new Map<string, Promise<PreflightReport>>();
  return {
    mode: deps.mode,
    check(principal, space, code, codeSha256) {
      if (deps.mode === "off") return Promise.resolve(NOTHING_FOUND);
      if (code.length > CHECKED_CHARACTERS_MAX) {
        const unchecked = `it is longer than ${CHECKED_CHARACTERS_MAX} characters`;
        return Promise.resolve({ ...NOTHING_FOUND, unchecked });
      }
      const tools = toolsFor(deps, principal, space, code);
      const declarations = deps.declareTools(tools);
      const key = `${codeSha256} ${declarations}`;
      const known = reports.get(key);
      if (known !== undefined) return known;
      const declaredOnly = declareWithoutResults(deps, tools);
      const check = deps.check(code, declarations, declaredOnly);
      const report = check.then(({ status, reason, findings }) => {
        if (status === "checked") return sortFindings(deps.mode, findings);
        reports.delete(key);
        return { ...NOTHING_FOUND, unchecked: reason ?? "the checker gave no reason" };
      }).catch(() => ({ ...NOTHING_FOUND, unchecked: "the checker failed" }));
      reports.set(key, report);
      if (reports.size > REPORTS_MAX) {
        const oldest = reports.keys().next().value;
        if (oldest !== undefined) reports.delete(oldest);
      }
      return report;
    },
  };
}

/** The declarations without observed results; undefined if none of the tools has any. */
function declareWithoutResults(deps: PreflightDeps, tools: readonly Tool[]): string | undefined {
  if (tools.every(({ observed }) => observed === undefined)) return undefined;
  return deps.declareTools(tools.map(({ observed: _, ...tool }): Tool => tool));
}

/** Separates findings that stop a program from findings that only warn. */
function sortFindings(mode: Preflight["mode"], found: readonly CheckFinding[]): PreflightReport {
  // A tool may return more than the results seen so far; only a misspelt name is surely wrong.
  const isUncertain = ({ isMisspelling, isObserved }: CheckFinding) =>
    mode === "block" && isObserved === true && isMisspelling !== true;
  const advice = found.filter(({ isAdvice }) => isAdvice === true);
  const findings = found.filter(({ isAdvice }) => isAdvice !== true);
  return {
    findings: findings.filter((finding) => !isUncertain(finding)).map(plain),
    advice: [...findings.filter(isUncertain), ...advice].map(plain),
    unchecked: null,
  };
}

function plain({ line, column, message }: CheckFinding): PreflightFinding {
  return { line, column, message };
}

/** The visible tools that a program names, and the neighbours of names that do not exist. */
function toolsFor(
  deps: PreflightDeps,
  principal: Principal,
  space: string,
  code: string,
): readonly Tool[] {
  const snapshot = deps.snapshot();
  const policy = deps.policy();
  const isVisible = (tool: Tool) => policy.visibility(principal, space, tool) !== null;
  const named = new Set<Tool>();
  for (const name of deps.mentionedTools(code)) {
    const spelling = splitToolName(snapshot.tools, name);
    const tool = lookUp(snapshot.tools, spelling);
    if (tool !== null && isVisible(tool)) named.add(tool);
    else {
      for (const neighbour of neighbours(snapshot, spelling, isVisible)) named.add(neighbour);
    }
  }
  for (const name of deps.looseNames(code)) {
    for (const tool of fullyNamed(snapshot, name, isVisible)) named.add(tool);
  }
  return [...named].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Tools that an unknown name may have meant: the nearest of its server, or of all. */
function neighbours(
  snapshot: CatalogSnapshot,
  { server, tool }: ToolSpelling,
  isVisible: (tool: Tool) => boolean,
): readonly Tool[] {
  const ofServer = toolsOfServer(snapshot, server === "" ? tool : server);
  const first = firstVisible(ofServer, isVisible, NEIGHBOURS_MAX);
  const name = server === "" ? tool : `${server}.${tool}`;
  const meant = first.length === 0 ? meantTools(snapshot, name, isVisible) : [];
  if (meant.length > 0) return meant;
  const near = first.length === 0
    ? nearestTools(name, snapshot.tools)
    : nearestTools(tool, new Map(ofServer.map((each) => [each.identifier, each])));
  return [...new Set([...firstVisible(near, isVisible, NEAREST_MAX), ...first])]
    .slice(0, NEIGHBOURS_MAX);
}
