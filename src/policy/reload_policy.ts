import type { AuditEvent } from "../model/event.ts";
import type { Log } from "../model/log.ts";
import type { PolicyDocument } from "./file/document.ts";
import type { PolicyProblem } from "./file/policy_error.ts";
import type { Policy } from "./policy.ts";
import { propose, type ProposeDeps, type Usable } from "./propose_policy.ts";

/** The policy in force and its state. */
export interface PolicyInForce {
  policy: Policy;
  /** Null for the built-in policies: they have no files. */
  document: PolicyDocument | null;
  warnings: readonly string[];
  /** Problems of the policy with the catalog. */
  problems: readonly PolicyProblem[];
  /** Why the last attempt to replace the policy failed; null after a success. */
  rejected: string | null;
  /** When the policy came into force, in milliseconds since 1970. */
  since: number;
  /** The policy is a bundle past its `notAfter`. */
  isStale: boolean;
}

/** Reads the policy again and changes what is in force. */
export interface PolicyReloads {
  /** Puts the first policy in force, which no reload has read. */
  take(candidate: Usable): Promise<void>;
  /** Reloads run one after another, so that an older read never replaces a newer one. */
  reload(isAsked: boolean): Promise<void>;
  /** Reloads without a request of an operator; logs a failure. */
  reloadByItself(): Promise<void>;
  /** Stops automatic reloads, and waits for the last one. */
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
    // A bundle that became stale now denies every call: a different policy with the same digest.
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

/** Keeps the old policy. Records a repeated reason only if an operator asked for the reload. */
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
