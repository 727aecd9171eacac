import { watchContents } from "../config/watch_contents.ts";
import type { DecisionRequest } from "../model/decision.ts";
import type { AuditEvent } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import { findTool, toolFromName } from "../model/named_tool.ts";
import type { Tool } from "../model/tool.ts";
import { closedPolicy } from "./builtin_policies.ts";
import { blockingProblems, withUnlisted } from "./check/check_policy.ts";
import {
  type PolicyTestFailure,
  type PolicyTestReport,
  runPolicyTests,
} from "./check/policy_tests.ts";
import type { Explanation } from "./explain.ts";
import { explainNotes, keyNotes } from "./explain_notes.ts";
import { describeContents } from "./file/load_policy.ts";
import type { PolicyDocument } from "./file/document.ts";
import { type PolicyProblem, renderProblem } from "./file/policy_error.ts";
import type { TestPrincipal } from "./file/schema.ts";
import { compilePolicy, type Policy } from "./policy.ts";
import { principalInGroups } from "./principal_facts.ts";
import {
  builtIn,
  propose,
  type ProposeDeps,
  readConfigured,
  readSources,
  unusable,
} from "./propose_policy.ts";
import { activationEvent, createPolicyReloads, type PolicyInForce } from "./reload_policy.ts";

/**
 * The policy in force.
 *
 * A new policy replaces it completely or not at all. If the new policy does not parse, has problems
 * with the catalog or fails its own tests, the old policy stays active and the status says why.
 */
export interface ActivePolicy {
  readonly current: () => Policy;
  readonly status: () => PolicyStatus;
  /** Reads the files again and activates them if they are good. */
  readonly reload: () => Promise<PolicyStatus>;
  /** Reports what is wrong with the current files, compared with the current catalog. */
  readonly check: () => Promise<PolicyReport>;
  /** Runs the tests that the files contain. */
  readonly test: () => Promise<PolicyTestReport>;
  /** Explains one decision of the policy in force; the tool may be outside the catalog. */
  readonly explain: (question: ExplainQuestion) => ExplainAnswer;
  /** Lists groups and spaces of a new API key that the policy does not know. */
  readonly keyNotes: (key: Parameters<typeof keyNotes>[0]) => readonly string[];
  /** Records which policy is in force. The caller calls this before the first decision. */
  readonly announce: () => Promise<void>;
  /** The caller calls this when the catalog has changed, because problems depend on the catalog. */
  readonly toolsChanged: () => void;
  readonly close: () => Promise<void>;
}

export interface PolicyStatus {
  /** Where the policy comes from: a path, `open`, or `default`. */
  readonly source: string;
  readonly name: string;
  readonly digest: string;
  /** When this process put the policy in force, as RFC 3339. */
  readonly since: string;
  /** Problems of the policy in force with the catalog. */
  readonly problems: readonly string[];
  /** Why the last attempt to replace the policy failed; null after a success. */
  readonly rejected: string | null;
}

/** The state of the current files, which may differ from the policy in force. */
export interface PolicyReport {
  readonly name: string;
  readonly digest: string;
  /** Problems with the catalog, and failing tests. */
  readonly problems: readonly PolicyProblem[];
}

export interface ExplainQuestion {
  readonly as: TestPrincipal;
  /** The issuer of the principal, as audit records spell it; an invented principal has none. */
  readonly issuer?: string;
  /** `server.tool` in either spelling. */
  readonly call: string;
  readonly args: unknown;
  readonly execution: DecisionRequest["execution"];
  readonly space: string;
  /** The called tool, if the caller knows more than its name. */
  readonly tool?: Tool;
}

export interface ExplainAnswer extends Explanation {
  /** The principal that the question describes. */
  readonly principal: Principal;
  /** Names in the question that neither policy nor catalog knows. */
  readonly notes: readonly string[];
}

export interface ActivePolicyDeps extends ProposeDeps {
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly log: Log;
  /**
   * What to do at start if the files cannot be used: refuse to start, or hide every tool so that
   * `check`, `test` and `explain` can report more details. Default: refuse.
   */
  readonly unusable?: "refuse" | "close";
}

/** @throws {GateError} if the first policy cannot be used at all. */
export async function openActivePolicy(deps: ActivePolicyDeps): Promise<ActivePolicy> {
  const source = sourceOf(deps.config);
  const look = () => describeContents(() => readSources(deps.config));
  const firstLook = await look();
  const proposed = await propose(deps, { isFirst: true });
  if (!proposed.ok && deps.unusable !== "close") throw unusable(proposed.reason);
  const first = proposed.ok ? proposed : builtIn(closedPolicy());
  const { policy, document, warnings, isStale } = first;
  const inForce: PolicyInForce = {
    policy,
    document,
    warnings,
    problems: [],
    rejected: proposed.ok ? null : proposed.reason,
    since: deps.now(),
    isStale,
  };
  const reloads = createPolicyReloads({ ...deps, source }, inForce);
  let announced = false;
  await reloads.take(first);
  const watch = document === null ? null : watchContents(look, firstLook, reloads.reloadByItself);

  return {
    current: () => inForce.policy,
    status: () => statusOf(inForce, source),
    async reload() {
      await reloads.reload(true);
      return statusOf(inForce, source);
    },
    check: () => checkConfigured(deps, inForce.policy),
    async test() {
      const next = await readConfigured(deps);
      return runPolicyTests(next?.policy ?? inForce.policy, deps.tools());
    },
    explain: (question) =>
      explainQuestion(proposed.ok ? inForce : proposed.draft ?? inForce, deps.tools(), question),
    keyNotes: (key) => keyNotes(key, inForce.document),
    async announce() {
      if (announced || !proposed.ok) return;
      announced = true;
      await deps.audit(activationEvent(inForce.policy, source));
    },
    toolsChanged() {
      if (inForce.document === null) return;
      checkAgainstCatalog(deps, inForce, inForce.document);
      // A policy that did not fit the old catalog may fit the new one.
      if (inForce.rejected !== null) void reloads.reloadByItself();
    },
    async close() {
      await watch?.close();
      await reloads.close();
    },
  };
}

function statusOf(inForce: PolicyInForce, source: string): PolicyStatus {
  return {
    source,
    name: inForce.policy.name,
    digest: inForce.policy.digest,
    since: new Date(inForce.since).toISOString(),
    problems: [...inForce.warnings, ...inForce.problems.map(renderProblem)],
    rejected: inForce.rejected,
  };
}

/** Reports what is wrong with the current files. @param policy the policy in force */
async function checkConfigured(deps: ActivePolicyDeps, policy: Policy): Promise<PolicyReport> {
  const next = await readConfigured(deps);
  const { name, digest } = next?.policy ?? policy;
  if (next === null) return { name, digest, problems: [] };
  const { failures } = runPolicyTests(next.policy, deps.tools());
  const found = withUnlisted(next.problems, deps.isListed);
  return { name, digest, problems: [...found, ...failures.map(asProblem)] };
}

function explainQuestion(
  subject: Pick<PolicyInForce, "policy" | "document">,
  tools: readonly Tool[],
  { as, issuer, call, args, execution, space, ...known }: ExplainQuestion,
): ExplainAnswer {
  const groups = subject.document?.groups ?? new Map();
  const principal = principalInGroups(as, issuer, groups);
  const tool = known.tool ?? findTool(tools, call) ?? toolFromName(call);
  const explanation = subject.policy.explain({ principal, space, tool, args, execution });
  const all = known.tool === undefined ? tools : [...tools, known.tool];
  return { ...explanation, principal, notes: explainNotes({ as, call }, groups, all) };
}

/** Checks the policy in force against the catalog, and warns if there are more problems. */
function checkAgainstCatalog(
  deps: ActivePolicyDeps,
  inForce: PolicyInForce,
  document: PolicyDocument,
): void {
  const found = blockingProblems(compilePolicy(document, deps.tools()).problems, deps.isListed);
  if (found.length > inForce.problems.length) {
    const texts = found.map(renderProblem).slice(0, 20);
    deps.log("warn", "The policy does not fit the catalog", { problems: texts });
  }
  inForce.problems = found;
}

function sourceOf(config: ProposeDeps["config"]): string {
  return config.bundle?.path ?? config.policies ?? "default";
}

function asProblem({ place, summary }: PolicyTestFailure): PolicyProblem {
  return { ...place, severity: "error", kind: "test", message: summary, near: null };
}
