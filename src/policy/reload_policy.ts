import type { AuditEvent } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import type { PolicyDocument } from "./file/document.ts";
import type { PolicyProblem } from "./file/policy_error.ts";
import type { Policy } from "./policy.ts";
import { propose, type ProposeDeps, type Usable } from "./propose_policy.ts";

/** The policy in force and what is known of it. */
export interface PolicyInForce {
  policy: Policy;
  /** Null for the built-in policies: they have no files. */
  document: PolicyDocument | null;
  warnings: readonly string[];
  /** What it has against the catalog. */
  problems: readonly PolicyProblem[];
  /** Why the last attempt to replace it failed; null after a success. */
  rejected: string | null;
  /** Since when it is in force, in milliseconds since 1970. */
  since: number;
  /** A bundle past its time. */
  isStale: boolean;
}

/** Reads the policy again and changes what is in force. */
export interface PolicyReloads {
  /** Puts a policy in force that no reload has read: the first one. */
  take(candidate: Usable): Promise<void>;
  /** Reloads go one after the other: what was read first must not take its place last. */
  reload(isAsked: boolean): Promise<void>;
  /** A reload that nobody asked for; a failure is logged. */
  reloadByItself(): Promise<void>;
  /** Starts no reload by itself any more, and waits for the last one. */
  close(): Promise<void>;
}

export interface PolicyReloadsDeps extends ProposeDeps {
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly log: Log;
  /** Where the policy comes from, for records and logs. */
  readonly source: string;
}

/** Longest delay of a timer. */
const TIMER_MS_MAX = 2_147_483_647;

export function createPolicyReloads(
  deps: PolicyReloadsDeps,
  inForce: PolicyInForce,
): PolicyReloads {
  const { source } = deps;
  let staleTimer: ReturnType<typeof setTimeout> | undefined;
  let reloading: Promise<unknown> = Promise.resolve();

  async function take(candidate: Usable): Promise<void> {
    if (candidate.activated !== null) await deps.bundles.remember(candidate.activated);
    const { policy, document, warnings, staleAt } = candidate;
    Object.assign(inForce, { policy, document, warnings });
    clearTimeout(staleTimer);
    if (staleAt === null || staleAt <= deps.now()) return;
    const delay = Math.min(staleAt - deps.now() + 1, TIMER_MS_MAX);
    staleTimer = setTimeout(reloadByItself, delay);
    Deno.unrefTimer(staleTimer);
  }

  async function reloadNow(isAsked: boolean): Promise<void> {
    const next = await propose(deps, { isFirst: false });
    if (!next.ok) return await reject(deps, inForce, next.reason, isAsked);
    inForce.rejected = null;
    // A bundle that became stale denies from now on: another policy under the same digest.
    const isSame = next.policy.digest === inForce.policy.digest &&
      next.isStale === inForce.isStale;
    inForce.isStale = next.isStale;
    await take(next);
    if (isSame) return;
    inForce.since = deps.now();
    inForce.problems = [];
    deps.log("info", "Activated a new policy", { source, digest: inForce.policy.digest });
    await deps.audit(activationEvent(inForce.policy, source));
  }

  function reload(isAsked: boolean): Promise<void> {
    const reloaded = reloading.then(() => reloadNow(isAsked));
    reloading = reloaded.catch(() => {});
    return reloaded;
  }

  async function reloadByItself(): Promise<void> {
    try {
      await reload(false);
    } catch (error) {
      deps.log("error", "Cannot reload the policy", { cause: `${error}` });
    }
  }

  return {
    take,
    reload,
    reloadByItself,
    async close() {
      clearTimeout(staleTimer);
      await reloading;
    },
  };
}

/** Leaves the old policy in force. The same reason again is recorded only for whoever asks. */
async function reject(
  deps: PolicyReloadsDeps,
  inForce: PolicyInForce,
  reason: string,
  isAsked: boolean,
): Promise<void> {
  const isKnown = inForce.rejected === reason;
  inForce.rejected = reason;
  if (isKnown && !isAsked) return;
  const { source } = deps;
  deps.log("error", "A new policy was not activated", { source, reason });
  await deps.audit({
    kind: "policy.activate",
    decision: { effect: "deny", because: ["rejected"], bundle: inForce.policy.digest },
    err: { code: "ERR_CONFIG", message: reason.slice(0, 500) },
    detail: { source },
  });
}

export function activationEvent(policy: Policy, source: string): AuditEvent {
  return {
    kind: "policy.activate",
    decision: { effect: "allow", because: [policy.name], bundle: policy.digest },
    detail: { source },
  };
}
