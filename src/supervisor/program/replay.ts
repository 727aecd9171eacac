/**
 * Runs a recorded program again over the recorded answers: proof of what ran.
 *
 * No upstream is reached, no policy is asked, and nothing is written.
 */
import type { AuditLog } from "../../audit/audit_log.ts";
import { loadExecution, type RecordedExecution } from "../../audit/load_execution.ts";
import { GateError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import { type Principal, principalKey } from "../../model/principal.ts";
import type { SandboxPool } from "../../sandbox/pool/sandbox_pool.ts";
import type { SandboxProgram } from "../../sandbox/pool/waiting_program.ts";
import type { SandboxOutcome } from "../../sandbox/run/outcome.ts";
import { createReplayScript, type Divergence, excerpts } from "./replay_script.ts";

export interface ReplayDeps {
  readonly audit: Pick<AuditLog, "query" | "payloads">;
  readonly sandbox: Pick<SandboxPool, "run">;
  readonly limits: Limits;
  readonly now: () => number;
  /** The names that a program sees now when it lists tools. */
  readonly names: (principal: Principal, space: string, code: string) => SandboxProgram["names"];
}

export interface ReplayReport {
  readonly execution: string;
  readonly verdict: "identical" | "diverged";
  /** The first place where the replay left the record; null if it never did. */
  readonly divergence: Divergence | null;
  /** `sha256` is the digest of the program that was run again. */
  readonly code: { readonly sha256: string | null; readonly bytes: number };
  readonly calls: { readonly recorded: number; readonly matched: number };
  readonly status: { readonly recorded: string; readonly replayed: string };
  /** False: the program's clock and randomness were not recorded and may explain a difference. */
  readonly seeded: boolean;
  readonly ms: number;
}

/** Codes of executions that ended before anything ran. */
const NEVER_RAN: ReadonlySet<string> = new Set([
  "ERR_PREFLIGHT",
  "ERR_SANDBOX_CODE_SIZE",
  "ERR_BUSY",
  "ERR_SANDBOX_UNAVAILABLE",
  "ERR_AUDIT_UNAVAILABLE",
]);

/**
 * @throws {GateError} `ERR_NOT_FOUND` if the log lacks the execution or its payloads;
 * `ERR_BAD_REQUEST` if it has not ended or nothing ever ran.
 */
export async function replayExecution(
  deps: ReplayDeps,
  principal: Principal,
  id: string,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const recorded = await loadExecution(deps.audit, id);
  const { code, outcome } = requireReplayable(recorded);
  const startedAt = deps.now();
  const stop = new AbortController();
  const elapsedMs = () => deps.now() - startedAt;
  const script = createReplayScript({
    calls: recorded.calls,
    elapsedMs,
    onDivergence: () => stop.abort(),
  });
  // The cancellation came from outside the program, so the replay is cancelled after the same time.
  const cancel = outcome.status === "cancelled"
    ? setTimeout(() => stop.abort(), outcome.totalMs ?? 0)
    : null;
  let replayed: SandboxOutcome;
  try {
    replayed = await deps.sandbox.run(
      {
        principalKey: `replay ${principalKey(principal)}`,
        session: null,
        code,
        limits: limitsOf(deps.limits, recorded),
        names: deps.names(principal, recorded.space ?? "", code),
        seed: recorded.settings.seed,
      },
      script.answer,
      AbortSignal.any([signal, stop.signal]),
    );
  } finally {
    script.close();
    if (cancel !== null) clearTimeout(cancel);
  }
  if (signal.aborted) {
    throw new GateError("ERR_CANCELLED", `The replay of ${id} was cancelled`, {
      hint: "Start it again if it is still wanted",
    });
  }
  const wasStopped = outcome.status === "cancelled" || outcome.status === "timeout";
  const divergence = script.divergence() ?? (wasStopped ? null : script.missing()) ??
    compareOutcome(outcome, replayed);
  return {
    execution: id,
    verdict: divergence === null ? "identical" : "diverged",
    divergence,
    code: { sha256: recorded.codeSha256, bytes: new TextEncoder().encode(code).length },
    calls: { recorded: recorded.calls.length, matched: script.matched },
    status: { recorded: outcome.status, replayed: replayed.status },
    seeded: recorded.settings.seed !== null,
    ms: Math.round(elapsedMs()),
  };
}

function requireReplayable(
  recorded: RecordedExecution,
): { code: string; outcome: NonNullable<RecordedExecution["outcome"]> } {
  const { id, code, outcome, missing } = recorded;
  const refuse = (state: string, hint: string) =>
    new GateError("ERR_BAD_REQUEST", `Cannot replay ${id}: ${state}`, { hint });
  if (outcome === null) throw refuse("it has not ended", "Wait for its end");
  if (outcome.status === "unknown") {
    throw refuse("the service ended before it did", "There is no outcome to compare with");
  }
  if (NEVER_RAN.has(outcome.error?.code ?? "") && recorded.calls.length === 0) {
    throw refuse(`nothing ran (${outcome.error?.code})`, "There is nothing to compare with");
  }
  if (code !== null && missing.length === 0) return { code, outcome };
  const named = missing.slice(0, 3).join("; ");
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
  throw new GateError("ERR_NOT_FOUND", `Cannot replay ${id}: ${named}${more}`, {
    hint: "Payloads are kept with audit.payloads: encrypted, for audit.payloadRetentionDays, " +
      "and until somebody erases them",
  });
}

/** The program's wall time; all calls may be open at once, so only the recorded order decides. */
function limitsOf(limits: Limits, { settings, outcome }: RecordedExecution): Limits {
  const own = settings.timeoutMs === null
    ? limits.wallTimeMs
    : Math.min(limits.wallTimeMs, Math.max(50, settings.timeoutMs));
  // A machine that is slower today is not a divergence.
  const wallTimeMs = outcome?.status === "timeout" ? own : own * 2;
  return { ...limits, wallTimeMs, concurrentCallsMax: limits.toolCallsMax };
}

/** @returns null if both ended the same. */
function compareOutcome(
  recorded: NonNullable<RecordedExecution["outcome"]>,
  replayed: SandboxOutcome,
): Divergence | null {
  const [was, is] = [recorded.error, replayed.error];
  if (was?.code !== is?.code || !isSameStatus(recorded.status, replayed.status)) {
    return {
      call: null,
      what: "status",
      recorded: [recorded.status, was?.code, was?.message].filter(Boolean).join(" "),
      replayed: [replayed.status, is?.code, is?.message].filter(Boolean).join(" "),
    };
  }
  if (was !== null && is !== null && was.message !== is.message) {
    const [before, after] = excerpts(was.message, is.message);
    return { call: null, what: "error", recorded: before, replayed: after };
  }
  const result = replayed.status === "ok" ? replayed.resultJson : null;
  if (recorded.result === result) return null;
  const [before, after] = excerpts(recorded.result ?? "nothing", result ?? "nothing");
  return { call: null, what: "result", recorded: before, replayed: after };
}

/** Compares statuses; the sandbox reports a refusal as an error. */
function isSameStatus(recorded: string, replayed: SandboxOutcome["status"]): boolean {
  const ofSandbox = recorded === "denied" || recorded === "approval_required" ? "error" : recorded;
  return ofSandbox === replayed;
}
