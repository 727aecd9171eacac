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
  type Usable,
} from "./propose_policy.ts";

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

/** Longest delay of a timer. */
const TIMER_MS_MAX = 2_147_483_647;

/** @throws {GateError} if the first policy cannot be used at all. */
export async function openActivePolicy(deps: ActivePolicyDeps): Promise<ActivePolicy> {
  const source = sourceOf(deps.config);
  const look = () => describeContents(() => readSources(deps.config));
  const firstLook = await look();
  const proposed = await propose(deps, { isFirst: true });
  if (!proposed.ok && deps.unusable !== "close") throw unusable(proposed.reason);
  const first = proposed.ok ? proposed : builtIn(closedPolicy());
  const draft = proposed.ok ? undefined : proposed.draft;
  let { policy, document } = first;
  let warnings = first.warnings;
  let problems: readonly PolicyProblem[] = [];
  let rejected = proposed.ok ? null : proposed.reason;
  let announced = false;
  let wasStale = first.isStale;
  let staleTimer: ReturnType<typeof setTimeout> | undefined;
  let since = deps.now();
  /** Reloads go one after the other: what was read first must not take its place last. */
  let reloading: Promise<unknown> = Promise.resolve();

  const status = (): PolicyStatus => ({
    source,
    name: policy.name,
    digest: policy.digest,
    since: new Date(since).toISOString(),
    problems: [...warnings, ...problems.map(renderProblem)],
    rejected,
  });
  const take = async (candidate: Usable) => {
    if (candidate.activated !== null) await deps.bundles.remember(candidate.activated);
    ({ policy, document, warnings } = candidate);
    clearTimeout(staleTimer);
    const { staleAt } = candidate;
    if (staleAt === null || staleAt <= deps.now()) return;
    const delay = Math.min(staleAt - deps.now() + 1, TIMER_MS_MAX);
    staleTimer = setTimeout(reloadByItself, delay);
    Deno.unrefTimer(staleTimer);
  };
  const reject = async (reason: string, isAsked: boolean): Promise<PolicyStatus> => {
    const isKnown = rejected === reason;
    rejected = reason;
    if (isKnown && !isAsked) return status();
    deps.log("error", "A new policy was not activated", { source, reason });
    await deps.audit({
      kind: "policy.activate",
      decision: { effect: "deny", because: ["rejected"], bundle: policy.digest },
      err: { code: "ERR_CONFIG", message: reason.slice(0, 500) },
      detail: { source },
    });
    return status();
  };
  const reload = (isAsked: boolean): Promise<PolicyStatus> => {
    const reloaded = reloading.then(() => reloadNow(isAsked));
    reloading = reloaded.catch(() => {});
    return reloaded;
  };
  const reloadNow = async (isAsked: boolean): Promise<PolicyStatus> => {
    const next = await propose(deps, { isFirst: false });
    if (!next.ok) return await reject(next.reason, isAsked);
    rejected = null;
    // A bundle that became stale denies from now on: another policy under the same digest.
    const isSame = next.policy.digest === policy.digest && next.isStale === wasStale;
    wasStale = next.isStale;
    await take(next);
    if (isSame) return status();
    since = deps.now();
    problems = [];
    deps.log("info", "Activated a new policy", { source, digest: policy.digest });
    await deps.audit(activation(policy, source));
    return status();
  };
  const reloadByItself = async () => {
    try {
      await reload(false);
    } catch (error) {
      deps.log("error", "Cannot reload the policy", { cause: `${error}` });
    }
  };
  await take(first);
  const watch = first.document === null ? null : watchContents(look, firstLook, reloadByItself);
  return {
    current: () => policy,
    status,
    reload: () => reload(true),
    async check() {
      const next = await readConfigured(deps);
      const { name, digest } = next?.policy ?? policy;
      if (next === null) return { name, digest, problems: [] };
      const { failures } = runPolicyTests(next.policy, deps.tools());
      const found = withUnlisted(next.problems, deps.isListed);
      return { name, digest, problems: [...found, ...failures.map(asProblem)] };
    },
    async test() {
      const next = await readConfigured(deps);
      return runPolicyTests(next?.policy ?? policy, deps.tools());
    },
    explain({ as, issuer, call, args, execution, space, ...known }) {
      const subject = draft ?? { policy, document };
      const groups = subject.document?.groups ?? new Map();
      const principal = principalInGroups(as, issuer, groups);
      const tool = known.tool ?? findTool(deps.tools(), call) ?? toolFromName(call);
      const explanation = subject.policy.explain({ principal, space, tool, args, execution });
      const tools = known.tool === undefined ? deps.tools() : [...deps.tools(), known.tool];
      return { ...explanation, principal, notes: explainNotes({ as, call }, groups, tools) };
    },
    keyNotes: (key) => keyNotes(key, document),
    async announce() {
      if (announced || !proposed.ok) return;
      announced = true;
      await deps.audit(activation(policy, source));
    },
    toolsChanged() {
      if (document === null) return;
      const found = blockingProblems(compilePolicy(document, deps.tools()).problems, deps.isListed);
      if (found.length > problems.length) {
        const texts = found.map(renderProblem).slice(0, 20);
        deps.log("warn", "The policy does not fit the catalog", { problems: texts });
      }
      problems = found;
      // What did not fit the tools before may fit them now.
      if (rejected !== null) void reloadByItself();
    },
    async close() {
      clearTimeout(staleTimer);
      await watch?.close();
      await reloading;
    },
  };
}

function sourceOf(config: ProposeDeps["config"]): string {
  return config.bundle?.path ?? config.policies ?? "default";
}

function asProblem({ place, summary }: PolicyTestFailure): PolicyProblem {
  return { ...place, severity: "error", kind: "test", message: summary, near: null };
}

function activation(policy: Policy, source: string): AuditEvent {
  return {
    kind: "policy.activate",
    decision: { effect: "allow", because: [policy.name], bundle: policy.digest },
    detail: { source },
  };
}
