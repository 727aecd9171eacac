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
 * A new one takes its place whole or not at all: one that does not parse, has problems against the
 * catalog or fails its own tests leaves the old one active and says why.
 */
export interface ActivePolicy {
  readonly current: () => Policy;
  readonly status: () => PolicyStatus;
  /** Reads the files again and activates them if they are good. */
  readonly reload: () => Promise<PolicyStatus>;
  /** What is wrong with the files as they are now, against the catalog as it is now. */
  readonly check: () => Promise<PolicyReport>;
  /** Runs the tests that the files hold. */
  readonly test: () => Promise<PolicyTestReport>;
  /** Explains one decision of the policy in force; a tool that the catalog lacks is known by its name. */
  readonly explain: (question: ExplainQuestion) => ExplainAnswer;
  /** What a new API key is given and the policy knows nothing of. */
  readonly keyNotes: (key: Parameters<typeof keyNotes>[0]) => readonly string[];
  /** Records which policy is in force; to be called before its first decision. */
  readonly announce: () => Promise<void>;
  /** To be called when the catalog has changed: problems depend on it. */
  readonly toolsChanged: () => void;
  readonly close: () => Promise<void>;
}

export interface PolicyStatus {
  /** Where it comes from: a path, `open`, or `default`. */
  readonly source: string;
  readonly name: string;
  readonly digest: string;
  /** Since when it is in force in this process, as RFC 3339. */
  readonly since: string;
  /** What the policy in force has against the catalog. */
  readonly problems: readonly string[];
  /** Why the last attempt to replace it failed; null after a success. */
  readonly rejected: string | null;
}

/** The files as they are now, which may not be the policy in force. */
export interface PolicyReport {
  readonly name: string;
  readonly digest: string;
  /** Against the catalog; tests that fail are among them. */
  readonly problems: readonly PolicyProblem[];
}

export interface ExplainQuestion {
  readonly as: TestPrincipal;
  /** Who vouches for the principal, as records have it; a made-up one has none. */
  readonly issuer?: string;
  /** `server.tool` in either spelling. */
  readonly call: string;
  readonly args: unknown;
  readonly execution: DecisionRequest["execution"];
  readonly space: string;
  /** The tool that is called, if it is known better than by its name. */
  readonly tool?: Tool;
}

export interface ExplainAnswer extends Explanation {
  /** Whom the question describes. */
  readonly principal: Principal;
  /** What the question names and nothing knows. */
  readonly notes: readonly string[];
}

export interface ActivePolicyDeps extends ProposeDeps {
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly log: Log;
  /**
   * What to do at start with files that cannot be used: refuse to start, or hide every tool so that
   * `check`, `test` and `explain` can say more of the files than that. Default: refuse.
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
      // What did not fit the tools before may fit them now.
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

/** What is wrong with the files as they are now. @param policy the one in force */
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

/** Finds what the policy in force has against the catalog, and warns when that is more than before. */
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
