import type { Decision, DecisionRequest } from "../../model/decision.ts";
import type { Tool } from "../../model/tool.ts";
import { blockingProblems } from "../check/check_policy.ts";
import { runPolicyTests } from "../check/policy_tests.ts";
import { type PolicyProblem, renderProblem } from "../file/policy_error.ts";
import { compilePolicy, type Policy } from "../policy.ts";
import type { PolicyBundle, VerifiedBundle } from "./bundle.ts";

/** What a service remembers about its newest activated bundle. */
export interface ActivatedBundle {
  readonly seq: number;
  readonly digest: string;
}

export interface ActivationDeps {
  /** The last bundle that was active on this site; null before the first. */
  readonly last: ActivatedBundle | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What to do with a bundle that is past its `notAfter`. */
  readonly stale: "deny" | "warn";
  readonly tools: readonly Tool[];
  /** False for a configured server whose tools are currently unknown. */
  readonly isListed: (server: string) => boolean;
}

export type Activation =
  | {
    readonly ok: true;
    /** Denies everything if the bundle is stale and `stale` is `deny`. */
    readonly policy: Policy;
    readonly activated: ActivatedBundle;
    readonly pins: PolicyBundle["pins"];
    /** Milliseconds since the epoch at which `activateBundle` must be asked again. */
    readonly staleAt: number;
    readonly warnings: readonly string[];
  }
  | { readonly ok: false; readonly reasons: readonly string[] };

/**
 * Decides whether a verified bundle may become the policy in force.
 *
 * Its sequence number must not decrease or repeat with different content, its policy must fit the
 * known tools, and its own tests must pass. A stale bundle is activated too: with `stale: deny` as
 * a policy that denies every call, so that an operator cannot return to an older bundle.
 */
export function activateBundle(verified: VerifiedBundle, deps: ActivationDeps): Activation {
  const { bundle, document, digest } = verified;
  const { policy, problems } = compilePolicy(document, deps.tools, digest);
  const reasons = [
    ...checkNumber(bundle, digest, deps.last),
    ...blockingProblems(problems, deps.isListed).map(renderProblem),
    ...runPolicyTests(policy, deps.tools).failures.map(({ message }) => message),
  ];
  if (reasons.length > 0) return { ok: false, reasons };
  const isStale = isStaleBundle(bundle, deps.now);
  return {
    ok: true,
    policy: isStale && deps.stale === "deny" ? expiredPolicy(policy, bundle.notAfter) : policy,
    activated: { seq: bundle.seq, digest },
    pins: bundle.pins,
    staleAt: Date.parse(bundle.notAfter),
    warnings: [
      ...(isStale ? [`The policy bundle is stale since ${bundle.notAfter}`] : []),
      ...(Date.parse(bundle.issuedAt) > deps.now
        ? [`The policy bundle was issued in the future, at ${bundle.issuedAt}: check the clock`]
        : []),
      ...problems.filter((problem) => !isBlocking(problem, deps)).map(renderProblem),
    ],
  };
}

export function isStaleBundle(bundle: PolicyBundle, now: number): boolean {
  return now > Date.parse(bundle.notAfter);
}

/** The policy of a stale bundle: the same tools are visible, every call is denied. */
export function expiredPolicy(policy: Policy, notAfter: string): Policy {
  const message = `The policy bundle of this service ended at ${notAfter}. ` +
    "Nothing can be called until the operator activates a newer one.";
  const deny = ({ tool }: DecisionRequest): Decision => ({
    effect: "deny",
    access: policy.classify(tool),
    because: ["bundle-expired"],
    message,
    approval: null,
    approvals: [],
    observed: null,
  });
  const decide = (request: DecisionRequest): Decision => {
    const isVisible = policy.visibility(request.principal, request.space, request.tool) !== null;
    return isVisible ? deny(request) : policy.decide(request);
  };
  return {
    ...policy,
    decide,
    explain: (request) => ({ ...policy.explain(request), decision: decide(request) }),
  };
}

function checkNumber(
  { seq }: PolicyBundle,
  digest: string,
  last: ActivatedBundle | null,
): string[] {
  if (last === null || seq > last.seq) return [];
  if (seq < last.seq) {
    return [`its number ${seq} is older than ${last.seq}, which was active already`];
  }
  return digest === last.digest
    ? []
    : [`its number ${seq} was active already with other content; give it a new number`];
}

function isBlocking(problem: PolicyProblem, { isListed }: ActivationDeps): boolean {
  return blockingProblems([problem], isListed).length > 0;
}
