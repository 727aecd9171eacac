import type { Config } from "../config/schema.ts";
import { GateError, reportError } from "../model/errors.ts";
import type { Tool } from "../model/tool.ts";
import { defaultPolicy, openPolicy } from "./builtin_policies.ts";
import { activateBundle, type ActivatedBundle } from "./bundle/activation.ts";
import { verifyBundle } from "./bundle/bundle.ts";
import { withPins } from "./bundle/pins.ts";
import { readTrustedKeys, trustedKeyFiles } from "./bundle/trusted_keys.ts";
import { blockingProblems } from "./check/check_policy.ts";
import { runPolicyTests } from "./check/policy_tests.ts";
import type { PolicyDocument, PolicyText } from "./file/document.ts";
import { loadPolicyFiles } from "./file/load_policy.ts";
import { parsePolicy } from "./file/parse_policy.ts";
import { renderProblem } from "./file/policy_error.ts";
import { type CompiledPolicy, compilePolicy, type Policy } from "./policy.ts";

export interface ProposeDeps {
  readonly config: Pick<Config, "policies" | "bundle">;
  readonly tools: () => readonly Tool[];
  /** False for a configured server whose tools are unknown: patterns for it are not judged. */
  readonly isListed: (server: string) => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly bundles: BundleMemory;
}

/** Remembers the last active bundle of this site across restarts. */
export interface BundleMemory {
  last(): Promise<ActivatedBundle | null>;
  remember(activated: ActivatedBundle): Promise<void>;
}

/** A policy that may be activated, or the reason why it may not. */
export type Candidate =
  | Usable
  | { readonly ok: false; readonly reason: string; readonly draft?: Draft };

export interface Usable {
  readonly ok: true;
  readonly policy: Policy;
  /** Null for the built-in policies: they have no files. */
  readonly document: PolicyDocument | null;
  readonly activated: ActivatedBundle | null;
  /** The bundle is past its `notAfter`: it denies everything, or it warns. */
  readonly isStale: boolean;
  /** When to read the bundle again although no file changed; null: never. */
  readonly staleAt: number | null;
  readonly warnings: readonly string[];
}

/** A policy that parses, but may not be activated. */
export interface Draft {
  readonly policy: Policy;
  readonly document: PolicyDocument;
}

/** Reads all sources of a policy: its files, or its bundle and the trusted keys. */
export async function readSources(
  { bundle, policies }: ProposeDeps["config"],
): Promise<readonly PolicyText[]> {
  if (bundle !== undefined) {
    const read = async (file: string) => ({ path: file, text: await Deno.readTextFile(file) });
    return await Promise.all([bundle.path, ...await trustedKeyFiles(bundle.trust)].map(read));
  }
  return policies === undefined || policies === "open" ? [] : await loadPolicyFiles(policies);
}

/**
 * Reads the configured policy and decides whether it may be activated.
 *
 * @param options.isFirst at start the catalog is still empty: check the files alone.
 */
export async function propose(
  deps: ProposeDeps,
  options: { readonly isFirst: boolean },
): Promise<Candidate> {
  const { config } = deps;
  if (config.bundle !== undefined) return await proposeBundle(deps, config.bundle, options);
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
  deps: ProposeDeps,
  bundle: NonNullable<Config["bundle"]>,
  options: { readonly isFirst: boolean },
): Promise<Candidate> {
  try {
    const trusted = await readTrustedKeys(bundle.trust);
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

/** Checks the current files or bundle against the catalog; null for a built-in policy. */
export async function readConfigured(deps: ProposeDeps): Promise<CompiledPolicy | null> {
  const { config } = deps;
  if (config.bundle !== undefined) {
    const candidate = await proposeBundle(deps, config.bundle, { isFirst: true });
    if (!candidate.ok) throw unusable(candidate.reason);
    const { document, policy: { digest } } = candidate;
    return document === null ? null : compilePolicy(document, deps.tools(), digest);
  }
  if (config.policies === undefined || config.policies === "open") return null;
  return compilePolicy(parsePolicy(await loadPolicyFiles(config.policies)), deps.tools());
}

export function builtIn(policy: Policy): Usable {
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

export function unusable(reason: string): GateError {
  return new GateError("ERR_CONFIG", reason, {
    hint: 'Correct the policy and start again; "toolgate policy check" holds it against the tools',
  });
}
