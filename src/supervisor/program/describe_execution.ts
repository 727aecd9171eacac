import type { ErrorCode } from "../../model/errors.ts";
import type {
  CallSummary,
  ExecutionResult,
  ExecutionStatus,
  ProgramError,
} from "../../model/execution.ts";
import type { Principal } from "../../model/principal.ts";
import { parseJson } from "../../rpc/parse_json.ts";
import type { SandboxOutcome } from "../../sandbox/run/outcome.ts";
import { type MeantTools, nameHint } from "../call/name_hint.ts";
import { roundMs } from "../call/record_outcome.ts";
import { afterCalls, confirm, unknownCall } from "../call/record_state.ts";
import type { BegunExecution } from "./begin_execution.ts";
import type { Preflight, PreflightReport } from "./preflight.ts";
import { finishedCheck, placed, warningsOf } from "./program_check.ts";
import type { ProgramDiscovery } from "./program_discovery.ts";
import type { Tally } from "./program_run.ts";

export interface DescribeExecutionDeps {
  readonly now: () => number;
  readonly countTokens: (text: string) => number;
  readonly preflight: Pick<Preflight, "mode">;
  readonly discovery: Pick<ProgramDiscovery, "meant">;
  /**
   * Keeps a result that is too large to return; gives the URI where the same principal reads it.
   */
  readonly keepResult: (
    principal: Principal,
    executionId: string,
    json: string,
  ) => Promise<KeptResult>;
  /** How long the answer waits for the audit records of the execution. */
  readonly recordPatienceMs: number;
  /** How long a program that has ended waits for its check; default `CHECK_PATIENCE_MS`. */
  readonly checkPatienceMs?: number;
}

interface KeptResult {
  readonly uri: string;
  readonly bytes: number;
}

/** A program that has ended, or that the check did not let start. */
export interface RanProgram {
  readonly outcome: SandboxOutcome;
  readonly tally: Tally;
  readonly check: Promise<PreflightReport>;
}

/** An ended execution, for its answer and for its record. */
export interface DescribedExecution {
  readonly outcome: SandboxOutcome;
  readonly result: ExecutionResult;
  readonly resultJson: string | null;
  readonly resultBytes: number;
}

/** Codes that mean the gate refused, not that the program failed. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_POLICY_DENIED",
  "ERR_APPROVAL_REQUIRED",
  "ERR_LIMIT_REACHED",
]);

/** Makes the answer of an execution, in the shape of the `execute` tool. */
export async function describeExecution(
  deps: DescribeExecutionDeps,
  begun: BegunExecution,
  { outcome: run, tally, check }: RanProgram,
): Promise<DescribedExecution> {
  const { context, request, startedAt } = begun;
  const unknown = [...context.sent.values()].map((call) => unknownCall(call, deps.now()));
  const calls = [...tally.calls, ...unknown];
  const sentCount = tally.sent + unknown.length;
  const [outcome, handle] = await keepOversize(deps, begun, run);
  const wallMs = roundMs(deps.now() - startedAt);
  const report = await finishedCheck(check, deps.checkPatienceMs);
  const error = outcome.error === null ? null : named(
    placed(afterCalls(outcome.error, sentCount), report),
    request.code,
    (name) => deps.discovery.meant(context, name),
  );
  const resultJson = outcome.status === "ok" ? outcome.resultJson : null;
  const resultBytes = resultJson === null ? 0 : new TextEncoder().encode(resultJson).length;
  const tokensReturned = deps.countTokens(resultJson ?? outcome.error?.message ?? "");
  const warnings = warningsOf(deps.preflight.mode, report);
  const result: ExecutionResult = {
    executionId: context.id,
    status: statusOf(outcome, calls),
    ...(resultJson === null ? {} : { result: await parseJson(resultJson) }),
    logs: outcome.logs,
    calls,
    ...(error === null ? {} : { error }),
    ...(handle === null ? {} : { handle }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(context.dryRun ? { planned: context.planned } : {}),
    usage: {
      wallMs,
      toolCalls: calls.length,
      bytesKeptOut: Math.max(0, tally.bytesIn - resultBytes),
      tokensReturned,
      tokensKeptOut: Math.max(0, tally.tokensIn - tokensReturned),
    },
  };
  return { outcome, result, resultJson, resultBytes };
}

/** Keeps a result that is too large to return. If that fails, the answer keeps everything else. */
async function keepOversize(
  deps: DescribeExecutionDeps,
  { context, request }: BegunExecution,
  outcome: SandboxOutcome,
): Promise<readonly [SandboxOutcome, KeptResult | null]> {
  const { oversize, error } = outcome;
  if (oversize === null || error === null) return [outcome, null];
  const keeping = deps.keepResult(request.principal, context.id, oversize.json);
  const unconfirmed = await confirm([keeping], deps.recordPatienceMs);
  if (unconfirmed === null) return [outcome, await keeping];
  const hint = `${error.hint} The whole result could not be kept: ${unconfirmed.reason}`;
  return [{ ...outcome, error: { ...error, hint } }, null];
}

/** Adds a hint to an unknown-name error: the name is often a tool in another host's spelling. */
function named(error: ProgramError, code: string, meant: MeantTools): ProgramError {
  const hint = nameHint(error, code, meant);
  return hint === null ? error : { ...error, hint };
}

function statusOf(outcome: SandboxOutcome, calls: readonly CallSummary[]): ExecutionStatus {
  const code = outcome.error?.code;
  // A program can throw any code; only a refusal that the gate really gave counts.
  if (code !== undefined && REFUSALS.has(code) && calls.some((call) => call.status === code)) {
    return "denied";
  }
  return outcome.status;
}
