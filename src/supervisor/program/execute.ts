import { reportError } from "../../model/errors.ts";
import type { ExecutionResult } from "../../model/execution.ts";
import type { SandboxOutcome } from "../../sandbox/run/outcome.ts";
import { beginExecution, type BeginExecutionDeps, type BegunExecution } from "./begin_execution.ts";
import { describeExecution, type DescribeExecutionDeps } from "./describe_execution.ts";
import { endExecution, type EndExecutionDeps, refuseExecution } from "./end_execution.ts";
import type { ExecuteRequest } from "./execution_request.ts";
import { NOTHING_FOUND, type Preflight, type PreflightReport } from "./preflight.ts";
import { preflightError } from "./program_check.ts";
import { createTally, type ProgramRunDeps, runProgram, type Tally } from "./program_run.ts";

export interface ExecuteDeps
  extends ProgramRunDeps, BeginExecutionDeps, DescribeExecutionDeps, EndExecutionDeps {
  readonly policy: ProgramRunDeps["policy"];
  readonly discovery: ProgramRunDeps["discovery"];
  readonly preflight: Preflight;
}

/**
 * Runs one program: begin → check → run in the sandbox (calls pass the gate) → describe → end.
 *
 * The supervisor never parses the program; it only hashes the text and passes it on.
 *
 * @returns the result in the shape of the `execute` tool, for failures too.
 * @throws {GateError} `ERR_BUSY`, `ERR_SANDBOX_UNAVAILABLE`, `ERR_AUDIT_UNAVAILABLE`: no tool was
 *   called.
 */
export async function execute(
  deps: ExecuteDeps,
  request: ExecuteRequest,
): Promise<ExecutionResult> {
  const begun = beginExecution(deps, request);
  const { start } = begun.context;
  const tally = createTally(deps, request.onCall);
  const check = startCheck(deps, begun);
  const run = await checkAndRun(deps, begun, check, tally);
  if (start.refused !== null) return await refuseExecution(deps, begun, start.refused);
  if ("refused" in run) return await refuseExecution(deps, begun, run.refused);
  const described = await describeExecution(deps, begun, { outcome: run, tally, check });
  return await endExecution(deps, begun, described);
}

/** Starts the check, except for a program over the size limit, which the sandbox refuses anyway. */
function startCheck(
  { preflight }: ExecuteDeps,
  { code, context, request }: BegunExecution,
): Promise<PreflightReport> {
  if (code.bytes > context.limits.codeBytesMax) return Promise.resolve(NOTHING_FOUND);
  return preflight.check(request.principal, request.space, request.code, code.sha256);
}

/** Runs a program during its check, or after the check in the mode where findings stop programs. */
async function checkAndRun(
  deps: ExecuteDeps,
  { context, refusal, request, seed }: BegunExecution,
  check: Promise<PreflightReport>,
  tally: Tally,
): Promise<SandboxOutcome | { readonly refused: unknown }> {
  const blocking = deps.preflight.mode === "block" ? (await check).findings : [];
  if (blocking.length > 0) return { ...NOT_RUN, error: preflightError(blocking) };
  try {
    return await runProgram(deps, context, { code: request.code, seed, refusal }, tally.hear);
  } catch (error) {
    return tally.sent === 0 && context.sent.size === 0 ? { refused: error } : brokenOutcome(error);
  }
}

/** The outcome when the sandbox fails after the program made calls; the answer still lists them. */
function brokenOutcome(error: unknown): SandboxOutcome {
  const { code, message, hint } = reportError(error);
  return { ...NOT_RUN, error: { code, name: "SandboxError", message, hint } };
}

const NOT_RUN: SandboxOutcome = {
  status: "error",
  resultJson: null,
  oversize: null,
  logs: [],
  error: null,
  callCount: 0,
  wallMs: 0,
  cpuMs: 0,
};
