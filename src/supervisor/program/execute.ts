import { type ErrorCode, reportError } from "../../model/errors.ts";
import type { AuditEvent } from "../../model/event.ts";
import type {
  CallSummary,
  ExecutionResult,
  ExecutionStatus,
  PreflightFinding,
  ProgramError,
} from "../../model/execution.ts";
import type { Limits } from "../../model/limits.ts";
import type { Principal } from "../../model/principal.ts";
import { sha256Hex } from "../../model/sha256.ts";
import { startDeadline } from "../../model/time/deadline.ts";
import { parseJson } from "../../rpc/parse_json.ts";
import type { SandboxOutcome } from "../../sandbox/run/outcome.ts";
import { actorOf } from "../actor.ts";
import { type MeantTools, nameHint } from "../call/name_hint.ts";
import { roundMs } from "../call/record_outcome.ts";
import {
  afterCalls,
  confirm,
  describePending,
  notBegun,
  unknownCall,
} from "../call/record_state.ts";
import type { ExecutionContext } from "../execution_context.ts";
import { startExecution } from "../tracing.ts";
import { NOTHING_FOUND, type Preflight, type PreflightReport } from "./preflight.ts";
import { createTally, type ProgramRunDeps, runProgram, type Seed } from "./program_run.ts";

/**
 * Runs one program: preflight → sandbox, whose calls pass the gate → a bounded result.
 *
 * The supervisor never parses the program; it only hashes and hands it on.
 */
export interface ExecuteDeps extends ProgramRunDeps {
  readonly preflight: Preflight;
  readonly limits: Limits;
  readonly newId: () => string;
  /** Clock and randomness of one program, so that a replay sees the same. */
  readonly newSeed: () => Seed;
  /** Keeps a result that is too large to return; answers where it can be read by the same principal. */
  readonly keepResult: (
    principal: Principal,
    executionId: string,
    json: string,
  ) => Promise<{ readonly uri: string; readonly bytes: number }>;
  /** How long records of what has happened are waited for before the answer goes out without them. */
  readonly recordPatienceMs: number;
}

export interface ExecuteRequest {
  readonly principal: Principal;
  readonly space: string;
  readonly code: string;
  /** Lowers the wall time; never raises it above the configured limit. */
  readonly timeoutMs?: number;
  readonly dryRun?: boolean;
  readonly task: string | null;
  readonly traceparent: string | null;
  readonly signal: AbortSignal;
  /** Hears of each finished call, for progress notifications. */
  readonly onCall?: (call: CallSummary) => void;
}

/** Codes that mean the gate refused, not that the program failed. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "ERR_POLICY_DENIED",
  "ERR_APPROVAL_REQUIRED",
  "ERR_LIMIT_REACHED",
]);

/**
 * @returns the result in the shape of the `execute` tool, for failures too.
 * @throws {GateError} `ERR_BUSY`, `ERR_SANDBOX_UNAVAILABLE`, `ERR_AUDIT_UNAVAILABLE`: no tool was called.
 */
export async function execute(
  deps: ExecuteDeps,
  request: ExecuteRequest,
): Promise<ExecutionResult> {
  const startedAt = deps.now();
  const limits = limitsOf(deps.limits, request.timeoutMs);
  const id = deps.newId();
  const span = startExecution(id, request.space, request.traceparent);
  const context = contextOf(id, request, limits, span.context, startedAt);
  const seed = deps.newSeed();
  const base = baseEvent(deps, request, context);
  const codeBytes = new TextEncoder().encode(request.code);
  const code = { sha256: sha256Hex(codeBytes), bytes: codeBytes.length };
  // Not awaited here: the log keeps order, so this is durable before the first intent is.
  const started = deps.audit.append({ ...base, kind: "execution.start", code }, {
    // One over the limit never runs: its digest and size are enough.
    ...(code.bytes > limits.codeBytesMax ? {} : { code: JSON.stringify(request.code) }),
    // Not in the chain itself: what a program drew from it may be a secret.
    args: JSON.stringify({ seed, timeoutMs: request.timeoutMs, dryRun: request.dryRun }),
  }, "soon");
  const refusal = new AbortController();
  let isBegun = false;
  started.then(() => isBegun = true, (error) => {
    context.start.refused = notBegun(reportError(error).message, error);
    refusal.abort();
  });
  // A program over the limit is refused by the sandbox: to check it would only cost time.
  const preflight = code.bytes > limits.codeBytesMax ? Promise.resolve(NOTHING_FOUND) : deps
    .preflight.check(request.principal, request.space, request.code, code.sha256);
  const blocking = deps.preflight.mode === "block" ? (await preflight).findings : [];
  const tally = createTally(deps, request.onCall);
  const run: SandboxOutcome | { readonly refused: unknown } = blocking.length > 0
    ? preflightOutcome(blocking)
    : await runProgram(
      deps,
      context,
      { code: request.code, seed, refusal: refusal.signal },
      tally.hear,
    )
      .catch((error) =>
        tally.sent === 0 && context.sent.size === 0 ? { refused: error } : brokenOutcome(error)
      );
  if ("refused" in run || context.start.refused !== null) {
    const error = context.start.refused ?? ("refused" in run ? run.refused : null);
    return await refuse(deps, base, {
      startedAt,
      started: context.start.refused === null ? started : null,
      error,
      end: span.end,
    });
  }
  const calls = [
    ...tally.calls,
    ...[...context.sent.values()].map((call) => unknownCall(call, deps.now())),
  ];
  const sentCount = tally.sent + context.sent.size;
  const [outcome, handle] = await keepOversize(deps, request, context, run);
  const wallMs = roundMs(deps.now() - startedAt);
  const check = await checkOf(preflight);
  const error = outcome.error === null ? null : named(
    placed(afterCalls(outcome.error, sentCount), check),
    request.code,
    (name) => deps.discovery.meant(context, name),
  );
  const status = statusOfExecution(outcome, calls);
  const resultJson = outcome.status === "ok" ? outcome.resultJson : null;
  const resultBytes = resultJson === null ? 0 : new TextEncoder().encode(resultJson).length;
  const bytesKeptOut = Math.max(0, tally.bytesIn - resultBytes);
  const tokensReturned = deps.countTokens(resultJson ?? outcome.error?.message ?? "");
  const warnings = warningsOf(deps.preflight.mode, check);
  const result: ExecutionResult = {
    executionId: context.id,
    status,
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
      bytesKeptOut,
      tokensReturned,
      tokensKeptOut: Math.max(0, tally.tokensIn - tokensReturned),
    },
  };
  span.end(status, { "toolgate.calls": calls.length, "toolgate.wall_ms": result.usage.wallMs });
  const ended = deps.audit.append({
    ...base,
    kind: "execution.end",
    code,
    result: { status, bytes: resultBytes, tokensKeptOut: result.usage.tokensKeptOut },
    ...(outcome.error === null
      ? {}
      : { err: { code: outcome.error.code, message: outcome.error.message } }),
    ms: { total: result.usage.wallMs },
    detail: {
      calls: calls.length,
      cpuMs: roundMs(outcome.cpuMs),
      tokensReturned: result.usage.tokensReturned,
      codeTokens: deps.countTokens(request.code),
      ...(error?.line === undefined ? {} : { line: error.line }),
      ...(context.dryRun ? { dryRun: true } : {}),
      ...(outcome.oversize === null ? {} : {
        oversizeBytes: outcome.oversize.bytes,
        kept: handle !== null,
      }),
    },
  }, resultJson === null ? {} : { result: resultJson });
  const records = [started, ...context.recorded, ended];
  const unconfirmed = await confirm(records, deps.recordPatienceMs);
  if (unconfirmed === null) return result;
  // A start that is not durable has let no call pass, so that there is nothing to keep.
  if (!isBegun) throw context.start.refused ?? notBegun(unconfirmed.reason, null);
  return { ...result, recordPending: describePending(unconfirmed) };
}

/** Records the end of an execution that has called no tool, and fails with why. */
async function refuse(
  deps: ExecuteDeps,
  base: AuditEvent,
  { startedAt, started, error, end }: {
    readonly startedAt: number;
    /** Null if it could not be recorded: then there is nothing to end. */
    readonly started: Promise<unknown> | null;
    readonly error: unknown;
    readonly end: (status: string, attributes: { readonly [name: string]: number }) => void;
  },
): Promise<never> {
  const { code, message } = reportError(error);
  end(code, {});
  if (started === null) throw error;
  const ended = deps.audit.append({
    ...base,
    kind: "execution.end",
    result: { status: "error" },
    err: { code, message },
    ms: { total: roundMs(deps.now() - startedAt) },
  });
  await confirm([started, ended], deps.recordPatienceMs);
  throw error;
}

/** The sandbox failed after the program had made calls: what they did is still told. */
function brokenOutcome(error: unknown): SandboxOutcome {
  const { code, message, hint } = reportError(error);
  return { ...NOT_RUN, error: { code, name: "SandboxError", message, hint } };
}

/** Keeps a result that is too large to return. That it cannot be kept is no reason to lose the rest. */
async function keepOversize(
  deps: ExecuteDeps,
  request: ExecuteRequest,
  context: ExecutionContext,
  outcome: SandboxOutcome,
): Promise<readonly [SandboxOutcome, { readonly uri: string; readonly bytes: number } | null]> {
  const { oversize, error } = outcome;
  if (oversize === null || error === null) return [outcome, null];
  const keeping = deps.keepResult(request.principal, context.id, oversize.json);
  const unconfirmed = await confirm([keeping], deps.recordPatienceMs);
  if (unconfirmed === null) return [outcome, await keeping];
  const hint = `${error.hint} The whole result could not be kept: ${unconfirmed.reason}`;
  return [{ ...outcome, error: { ...error, hint } }, null];
}

function limitsOf(limits: Limits, timeoutMs: number | undefined): Limits {
  if (timeoutMs === undefined) return limits;
  return { ...limits, wallTimeMs: Math.min(limits.wallTimeMs, Math.max(50, timeoutMs)) };
}

/** A new execution for a request. */
export function contextOf(
  id: string,
  request: Omit<ExecuteRequest, "code">,
  limits: Limits,
  span: ExecutionContext["span"],
  startedAt: number | null,
): ExecutionContext {
  return {
    id,
    principal: request.principal,
    space: request.space,
    task: request.task,
    traceparent: request.traceparent,
    program: startedAt === null ? null : { startedAt, heardAtMs: new Map() },
    span,
    limits,
    dryRun: request.dryRun ?? false,
    signal: request.signal,
    taint: { tainted: false, sources: new Set() },
    recorded: [],
    start: { refused: null },
    sent: new Map(),
    planned: [],
  };
}

function baseEvent(
  deps: ExecuteDeps,
  request: ExecuteRequest,
  context: ExecutionContext,
): AuditEvent {
  return {
    kind: "execution.start",
    space: request.space,
    actor: actorOf(request.principal, deps.policy()),
    ...(request.task === null ? {} : { task: request.task }),
    ...(request.traceparent === null ? {} : { trace: request.traceparent }),
    execution: context.id,
  };
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

function preflightOutcome(findings: readonly PreflightFinding[]): SandboxOutcome {
  const [first] = findings;
  const error: ProgramError = {
    code: "ERR_PREFLIGHT",
    name: "PreflightError",
    message: findings.map((finding) => `${finding.line}:${finding.column} ${finding.message}`).join(
      "\n",
    ),
    hint: "Nothing has run; mend these places and send the program again",
    ...(first === undefined ? {} : { line: first.line, column: first.column }),
  };
  return { ...NOT_RUN, error };
}

/** The check of a program that has ended; of a short one it may still be under way. */
async function checkOf(preflight: Promise<PreflightReport>): Promise<PreflightReport> {
  const { promise, resolve } = Promise.withResolvers<PreflightReport>();
  const { cancel } = startDeadline(CHECK_PATIENCE_MS, () => resolve(CHECK_UNFINISHED));
  const report = await Promise.race([preflight, promise]);
  cancel();
  return report;
}

/** The engine does not say where a program breaks its rules; the check of the same program does. */
function placed(error: ProgramError, { findings }: PreflightReport): ProgramError {
  const [first] = findings;
  if (error.code !== "ERR_SYNTAX" || error.line !== undefined || first === undefined) return error;
  return { ...error, line: first.line, column: first.column };
}

/** A name that does not exist is often a tool in the spelling of another host. */
function named(error: ProgramError, code: string, meant: MeantTools): ProgramError {
  const hint = nameHint(error, code, meant);
  return hint === null ? error : { ...error, hint };
}

function warningsOf(
  mode: ExecuteDeps["preflight"]["mode"],
  { findings, advice, unchecked }: PreflightReport,
): readonly PreflightFinding[] {
  const told = mode === "block" ? advice : [...findings, ...advice].sort(byPlace);
  if (unchecked === null) return told;
  return [...told, { line: 1, column: 1, message: `The program ran unchecked: ${unchecked}` }];
}

/**
 * How long a program that has ended waits for its check. A check takes some 15 ms; the first one starts a
 * process, which takes a second, and several on a busy machine.
 */
const CHECK_PATIENCE_MS = 10_000;
const CHECK_UNFINISHED: PreflightReport = {
  ...NOTHING_FOUND,
  unchecked: `the check was not finished ${CHECK_PATIENCE_MS / 1_000} s after the program`,
};

function byPlace(a: PreflightFinding, b: PreflightFinding): number {
  return a.line - b.line || a.column - b.column;
}

function statusOfExecution(
  outcome: SandboxOutcome,
  calls: readonly CallSummary[],
): ExecutionStatus {
  const code = outcome.error?.code;
  // A program can throw any code it likes; only a refusal that the gate really gave counts.
  if (code !== undefined && REFUSALS.has(code) && calls.some((call) => call.status === code)) {
    return "denied";
  }
  return outcome.status;
}
