import type { Config } from "../config/schema.ts";
import type { AuditEvent } from "../model/event.ts";
import { GateError, reportError } from "../model/errors.ts";
import type { DecisionRequest } from "../model/decision.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import type { Tool } from "../model/tool.ts";
import { closedPolicy, defaultPolicy, openPolicy } from "./builtin_policies.ts";
import { verifyBundle } from "./bundle.ts";
import { withPins } from "./bundle_pins.ts";
import { activateBundle, type ActivatedBundle } from "./bundle_activation.ts";
import type { BundleKey } from "./bundle_signature.ts";
import type { Explanation } from "./explain.ts";
import { explainNotes, keyNotes } from "./explain_notes.ts";
import { blockingProblems, withUnlisted } from "./check_policy.ts";
import { loadPolicyFiles } from "./load_policy.ts";
import { parsePolicy } from "./parse_policy.ts";
import { type CompiledPolicy, compilePolicy, type Policy } from "./policy.ts";
import type { PolicyDocument } from "./policy_document.ts";
import { type PolicyProblem, renderProblem } from "./policy_error.ts";
import type { TestPrincipal } from "./policy_schema.ts";
import { findTool, toolFromName } from "./named_tool.ts";
import { type PolicyTestFailure, type PolicyTestReport, runPolicyTests } from "./policy_tests.ts";
import { principalInGroups } from "./principal_facts.ts";
import { watchPolicy } from "./watch_policy.ts";

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
  readonly close: () => void;
}

export interface PolicyStatus {
  /** Where it comes from: a path, `open`, or `default`. */
  readonly source: string;
  readonly name: string;
  readonly digest: string;
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

export interface ActivePolicyDeps {
  readonly config: Pick<Config, "policies" | "bundle">;
  readonly tools: () => readonly Tool[];
  /** False for a configured server whose tools are not known now: nothing is held against those. */
  readonly isListed: (server: string) => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly bundles: BundleMemory;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly log: Log;
  /**
   * What to do at start with files that cannot be used: refuse to start, or hide every tool so that
   * `check`, `test` and `explain` can say more of the files than that. Default: refuse.
   */
  readonly unusable?: "refuse" | "close";
}

/** Which bundle was active last on this site, over restarts. */
export interface BundleMemory {
  last(): Promise<ActivatedBundle | null>;
  remember(activated: ActivatedBundle): Promise<void>;
}

/** A policy that may take its place, or why it may not. */
type Candidate =
  | Usable
  | { readonly ok: false; readonly reason: string; readonly draft?: Draft };

interface Usable {
  readonly ok: true;
  readonly policy: Policy;
  /** Null for the built-in policies: they have no files. */
  readonly document: PolicyDocument | null;
  readonly activated: ActivatedBundle | null;
  /** Past its time: a bundle that denies everything, or warns. */
  readonly isStale: boolean;
  /** When to ask again although no file changed; null: never. */
  readonly staleAt: number | null;
  readonly warnings: readonly string[];
}

/** A policy that reads well and yet may not be activated. */
interface Draft {
  readonly policy: Policy;
  readonly document: PolicyDocument;
}

/** Longest delay of a timer. */
const TIMER_MS_MAX = 2_147_483_647;

/** @throws {GateError} if the first policy cannot be used at all. */
export async function openActivePolicy(deps: ActivePolicyDeps): Promise<ActivePolicy> {
  const source = sourceOf(deps.config);
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

  const status = (): PolicyStatus => ({
    source,
    name: policy.name,
    digest: policy.digest,
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
  const reject = async (reason: string): Promise<PolicyStatus> => {
    rejected = reason;
    deps.log("error", "A new policy was not activated", { source, reason });
    await deps.audit({
      kind: "policy.activate",
      decision: { effect: "deny", because: ["rejected"], bundle: policy.digest },
      err: { code: "ERR_CONFIG", message: reason.slice(0, 500) },
      detail: { source },
    });
    return status();
  };
  const reload = async (): Promise<PolicyStatus> => {
    const next = await propose(deps, { isFirst: false });
    if (!next.ok) return await reject(next.reason);
    rejected = null;
    // A bundle that became stale denies from now on: another policy under the same digest.
    const isSame = next.policy.digest === policy.digest && next.isStale === wasStale;
    wasStale = next.isStale;
    await take(next);
    if (isSame) return status();
    problems = [];
    deps.log("info", "Activated a new policy", { source, digest: policy.digest });
    await deps.audit(activation(policy, source));
    return status();
  };
  const reloadByItself = () => {
    reload().catch((error) => deps.log("error", "Cannot reload the policy", { cause: `${error}` }));
  };
  await take(first);
  const watch = first.document === null ? null : watchPolicy(source, reloadByItself);
  return {
    current: () => policy,
    status,
    reload,
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
    },
    close() {
      clearTimeout(staleTimer);
      watch?.close();
    },
  };
}

function sourceOf(config: ActivePolicyDeps["config"]): string {
  if (config.bundle === undefined) return config.policies ?? "default";
  return typeof config.bundle === "string" ? config.bundle : config.bundle.path;
}

/**
 * Reads what is configured and decides whether it may be activated.
 *
 * @param options.isFirst at start the catalog is still empty: only what the files alone tell is checked.
 */
async function propose(
  deps: ActivePolicyDeps,
  options: { readonly isFirst: boolean },
): Promise<Candidate> {
  const { config } = deps;
  if (config.bundle !== undefined) return await proposeBundle(deps, options);
  if (config.policies === undefined) return builtIn(defaultPolicy());
  if (config.policies === "open") return builtIn(openPolicy());
  let document: PolicyDocument;
  try {
    document = parsePolicy(await loadPolicyFiles(config.policies));
  } catch (error) {
    return { ok: false, reason: reportError(error).message };
  }
  const tools = options.isFirst ? [] : deps.tools();
  const { policy, problems } = compilePolicy(document, tools);
  const reasons = [
    ...blockingProblems(problems, deps.isListed).map(renderProblem),
    ...runPolicyTests(policy, tools).failures.map((failure) => failure.message),
  ];
  if (reasons.length > 0) {
    return { ok: false, reason: reasons.join("\n"), draft: { policy, document } };
  }
  return {
    ok: true,
    policy,
    document,
    activated: null,
    isStale: false,
    staleAt: null,
    warnings: [],
  };
}

async function proposeBundle(
  deps: ActivePolicyDeps,
  options: { readonly isFirst: boolean },
): Promise<Candidate> {
  const { bundle } = deps.config;
  if (bundle === undefined || typeof bundle === "string") {
    return {
      ok: false,
      reason:
        'A bundle needs the keys that may sign it: bundle: { path: …, trust: ["site.pub.json"] }',
    };
  }
  try {
    const trusted = await Promise.all(bundle.trust.map(readKey));
    const verified = await verifyBundle(await Deno.readTextFile(bundle.path), trusted);
    const activation = activateBundle(verified, {
      last: await deps.bundles.last(),
      now: deps.now(),
      stale: bundle.stale,
      tools: deps.tools(),
      isListed: options.isFirst ? () => false : deps.isListed,
    });
    if (!activation.ok) return { ok: false, reason: activation.reasons.join("\n") };
    const { policy, activated, pins, staleAt, warnings } = activation;
    return {
      ok: true,
      policy: withPins(policy, pins),
      document: verified.document,
      activated,
      isStale: staleAt < deps.now(),
      staleAt,
      warnings,
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { ok: false, reason: error.message };
    return { ok: false, reason: reportError(error).message };
  }
}

async function readKey(path: string): Promise<BundleKey> {
  return JSON.parse(await Deno.readTextFile(path));
}

/** The files or the bundle as they are now, held against the catalog; null for a built-in policy. */
async function readConfigured(deps: ActivePolicyDeps): Promise<CompiledPolicy | null> {
  const { config } = deps;
  if (config.bundle !== undefined) {
    const candidate = await proposeBundle(deps, { isFirst: true });
    if (!candidate.ok) throw unusable(candidate.reason);
    const { document, policy: { digest } } = candidate;
    return document === null ? null : compilePolicy(document, deps.tools(), digest);
  }
  if (config.policies === undefined || config.policies === "open") return null;
  return compilePolicy(parsePolicy(await loadPolicyFiles(config.policies)), deps.tools());
}

function builtIn(policy: Policy): Usable {
  return {
    ok: true,
    policy,
    document: null,
    activated: null,
    isStale: false,
    staleAt: null,
    warnings: [],
  };
}

function unusable(reason: string): GateError {
  return new GateError("ERR_CONFIG", reason, {
    hint: 'Mend the policy and start again; "toolgate policy check" holds it against the tools',
  });
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
