import type { Config } from "../config/schema.ts";
import type { AuditEvent } from "../model/event.ts";
import { reportError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import type { Tool } from "../model/tool.ts";
import { defaultPolicy, openPolicy } from "./builtin_policies.ts";
import { loadPolicyFiles } from "./load_policy.ts";
import { parsePolicy } from "./parse_policy.ts";
import { type CompiledPolicy, compilePolicy, type Policy } from "./policy.ts";
import type { PolicyDocument } from "./policy_document.ts";
import { type PolicyProblem, renderProblem } from "./policy_error.ts";
import { type PolicyTestReport, runPolicyTests } from "./policy_tests.ts";

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
  readonly check: () => Promise<readonly PolicyProblem[]>;
  /** Runs the tests that the files hold. */
  readonly test: () => Promise<PolicyTestReport>;
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

export interface ActivePolicyDeps {
  readonly config: Pick<Config, "policies">;
  readonly tools: () => readonly Tool[];
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly log: Log;
}

interface Loaded {
  readonly policy: Policy;
  /** Null for the built-in policies: they have no files. */
  readonly document: PolicyDocument | null;
}

const WATCH_QUIET_MS = 200;

/** @throws {PolicyError} if the first policy cannot be used at all. */
export async function openActivePolicy(deps: ActivePolicyDeps): Promise<ActivePolicy> {
  const source = deps.config.policies ?? "default";
  let { policy, document } = await load(source);
  let problems: readonly PolicyProblem[] = [];
  let rejected: string | null = null;
  let announced = false;

  const status = (): PolicyStatus => ({
    source,
    name: policy.name,
    digest: policy.digest,
    problems: problems.map(renderProblem),
    rejected,
  });
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
    let next: Loaded;
    try {
      next = await load(source);
    } catch (error) {
      return await reject(reportError(error).message);
    }
    const found = next.document === null
      ? []
      : errorsOf(compilePolicy(next.document, deps.tools()));
    if (found.length > 0) return await reject(found.map(renderProblem).join("\n"));
    const failed = runPolicyTests(next.policy, deps.tools()).failures;
    if (failed.length > 0) return await reject(failed.map((failure) => failure.message).join("\n"));
    rejected = null;
    if (next.policy.digest === policy.digest) return status();
    ({ policy, document } = next);
    problems = [];
    deps.log("info", "Activated a new policy", { source, digest: policy.digest });
    await deps.audit(activation(policy, source));
    return status();
  };
  const toolsChanged = () => {
    if (document === null) return;
    const found = compilePolicy(document, deps.tools()).problems;
    if (found.length > problems.length) {
      deps.log("warn", "The policy does not fit the catalog", {
        problems: found.map(renderProblem).slice(0, 20),
      });
    }
    problems = found;
  };
  const watch = document === null ? null : watchFiles(source, () => {
    reload().catch((error) => deps.log("error", "Cannot reload the policy", { cause: `${error}` }));
  });
  return {
    current: () => policy,
    status,
    reload,
    async check() {
      const next = await load(source);
      return next.document === null ? [] : compilePolicy(next.document, deps.tools()).problems;
    },
    async test() {
      return runPolicyTests((await load(source)).policy, deps.tools());
    },
    async announce() {
      if (announced) return;
      announced = true;
      await deps.audit(activation(policy, source));
    },
    toolsChanged,
    close: () => watch?.close(),
  };
}

async function load(source: string): Promise<Loaded> {
  if (source === "default") return { policy: defaultPolicy(), document: null };
  if (source === "open") return { policy: openPolicy(), document: null };
  const document = parsePolicy(await loadPolicyFiles(source));
  return { policy: compilePolicy(document, []).policy, document };
}

function errorsOf(compiled: CompiledPolicy): PolicyProblem[] {
  return compiled.problems.filter((problem) => problem.severity === "error");
}

function activation(policy: Policy, source: string): AuditEvent {
  return {
    kind: "policy.activate",
    decision: { effect: "allow", because: [policy.name], bundle: policy.digest },
    detail: { source },
  };
}

/** Calls back once the files have been quiet for a moment after a change. */
function watchFiles(path: string, onChange: () => void): { close(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watcher = Deno.watchFs(path);
  const follow = async () => {
    for await (const event of watcher) {
      if (event.kind === "access") continue;
      clearTimeout(timer);
      timer = setTimeout(onChange, WATCH_QUIET_MS);
    }
  };
  follow().catch(() => {}); // ends with close(); a folder that vanished is found at the next reload
  return {
    close() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}
