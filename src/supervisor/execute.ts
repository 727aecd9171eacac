import { bulkhead } from "cockatiel";
import type { AuditEvent } from "../model/event.ts";
import type {
  CallSummary,
  ExecutionResult,
  ExecutionStatus,
  PreflightFinding,
  ProgramError,
} from "../model/execution.ts";
import { type ErrorCode, reportError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import { type Principal, principalKey } from "../model/principal.ts";
import type { SandboxOutcome } from "../sandbox/outcome.ts";
import type { CallReply, SandboxCall } from "../sandbox/call_lane.ts";
import type { SandboxPool, SandboxProgram } from "../sandbox/sandbox_pool.ts";
import { actorOf } from "./actor.ts";
import { type CallOutcome, callTool, type CallToolDeps } from "./call_tool.ts";
import { callEvent, errorOf } from "./call_events.ts";
import type { ExecutionContext } from "./execution_context.ts";
import { NOTHING_FOUND, type Preflight, type PreflightReport } from "./preflight.ts";
import type { ProgramDiscovery } from "./program_discovery.ts";
import { recordOutcome, roundMs } from "./record_outcome.ts";
import { startExecution } from "./tracing.ts";

/**
 * Runs one program: preflight → sandbox, whose calls pass the gate → a bounded result.
 *
 * The supervisor never parses the program; it only hashes and hands it on.
 */
export interface ExecuteDeps extends CallToolDeps {
  readonly sandbox: Pick<SandboxPool, "run">;
  readonly preflight: Preflight;
  readonly discovery: ProgramDiscovery;
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
}

type Seed = NonNullable<SandboxProgram["seed"]>;

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
 * @throws {GateError} `ERR_BUSY`, `ERR_SANDBOX_UNAVAILABLE`, `ERR_AUDIT_UNAVAILABLE`: nothing has run.
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
  const code = { sha256: await sha256(codeBytes), bytes: codeBytes.length };
  // Not awaited here: the log keeps order, so this is durable before the first intent is.
  const started = deps.audit.append({ ...base, kind: "execution.start", code }, {
    code: JSON.stringify(request.code),
    // Not in the chain itself: what a program drew from it may be a secret.
    args: JSON.stringify({ seed, timeoutMs: request.timeoutMs, dryRun: request.dryRun }),
  }, "soon");
  started.catch(() => {}); // awaited below; until then a failure is not unhandled
  // A program over the limit is refused by the sandbox: to check it would only cost time.
  const preflight = code.bytes > limits.codeBytesMax ? Promise.resolve(NOTHING_FOUND) : deps
    .preflight.check(request.principal, request.space, request.code, code.sha256);
  const blocking = deps.preflight.mode === "block" ? (await preflight).findings : [];
  const calls: CallSummary[] = [];
  let bytesIn = 0;
  let tokensIn = 0;
  const refused = async (error: unknown): Promise<never> => {
    const { code, message } = reportError(error);
    span.end(code, {});
    const ended = deps.audit.append({
      ...base,
      kind: "execution.end",
      result: { status: "error" },
      err: { code, message },
      ms: { total: roundMs(deps.now() - startedAt) },
    });
    await Promise.all([started, ended]);
    throw error;
  };
  const outcome = blocking.length > 0
    ? preflightOutcome(blocking)
    : await runProgram(deps, request, context, seed, (call) => {
      calls.push({
        tool: call.tool,
        effect: call.effect,
        status: statusOf(call),
        ms: roundMs(call.ms),
      });
      bytesIn += call.bytes;
      if (call.ok) tokensIn += deps.countTokens(call.json);
      request.onCall?.(calls[calls.length - 1] as CallSummary);
    }).catch(refused);
  const handle = outcome.oversize === null
    ? undefined
    : await deps.keepResult(request.principal, context.id, outcome.oversize.json);
  const status = statusOfExecution(outcome, calls);
  const resultJson = outcome.status === "ok" ? outcome.resultJson : null;
  const resultBytes = resultJson === null ? 0 : new TextEncoder().encode(resultJson).length;
  const bytesKeptOut = Math.max(0, bytesIn - resultBytes);
  const tokensReturned = deps.countTokens(resultJson ?? outcome.error?.message ?? "");
  const warnings = await warningsOf(deps, preflight, status);
  const result: ExecutionResult = {
    executionId: context.id,
    status,
    ...(resultJson === null ? {} : { result: JSON.parse(resultJson) as unknown }),
    logs: outcome.logs,
    calls,
    ...(outcome.error === null ? {} : { error: outcome.error }),
    ...(handle === undefined ? {} : { handle }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(context.dryRun ? { planned: context.planned } : {}),
    usage: {
      wallMs: roundMs(deps.now() - startedAt),
      toolCalls: calls.length,
      bytesKeptOut,
      tokensReturned,
      tokensKeptOut: Math.max(0, tokensIn - tokensReturned),
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
      ...(context.dryRun ? { dryRun: true } : {}),
    },
  }, resultJson === null ? {} : { result: resultJson });
  await Promise.all([started, ...context.recorded, ended]);
  return result;
}

async function runProgram(
  deps: ExecuteDeps,
  request: ExecuteRequest,
  context: ExecutionContext,
  seed: Seed,
  onOutcome: (outcome: CallOutcome) => void,
): Promise<SandboxOutcome> {
  const gate = bulkhead(context.limits.concurrentCallsMax, context.limits.toolCallsMax);
  const onCall = (call: SandboxCall): Promise<CallReply> =>
    gate.execute(async () => {
      const reply = call.server === ""
        ? await discover(deps, context, call)
        : await answer(deps, context, call, onOutcome);
      const atMs = context.program?.heardAtMs.get(`${context.id}:${call.index}`);
      return atMs === undefined ? reply : { ...reply, atMs };
    });
  return await deps.sandbox.run(
    {
      principalKey: principalKey(request.principal),
      session: request.task,
      code: request.code,
      limits: context.limits,
      names: deps.discovery.names(request.principal, request.space),
      seed,
    },
    onCall,
    request.signal,
  );
}

async function answer(
  deps: ExecuteDeps,
  context: ExecutionContext,
  call: SandboxCall,
  onOutcome: (outcome: CallOutcome) => void,
): Promise<CallReply> {
  const outcome = await callTool(deps, context, call);
  onOutcome(outcome);
  return outcome.ok
    ? { ok: true, json: outcome.json }
    : { ok: false, error: { ...outcome.error, tool: outcome.tool } };
}

/** `tools.$search` and `tools.$describe`. */
async function discover(
  deps: ExecuteDeps,
  context: ExecutionContext,
  call: SandboxCall,
): Promise<CallReply> {
  const reply = await deps.discovery.answer(context, call);
  recordOutcome(deps, context, {
    ...callEvent(context, call.index, actorOf(context.principal, deps.policy())),
    kind: "search",
    result: { status: reply.ok ? "ok" : reply.error.code },
    ...(reply.ok ? {} : { err: errorOf(reply.error) }),
    detail: { tool: call.tool.slice(0, 100) },
  }, {
    args: JSON.stringify(call.args ?? null),
    ...(reply.ok ? { result: reply.json } : {}),
  });
  return reply;
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
  return {
    status: "error",
    resultJson: null,
    oversize: null,
    logs: [],
    error,
    callCount: 0,
    wallMs: 0,
    cpuMs: 0,
  };
}

/** Findings go along with a failure always, with a success only if they are there already. */
async function warningsOf(
  deps: ExecuteDeps,
  preflight: Promise<PreflightReport>,
  status: ExecutionStatus,
): Promise<readonly PreflightFinding[]> {
  if (deps.preflight.mode === "off") return [];
  const { findings, advice, unchecked } = status === "ok"
    ? await Promise.race([preflight, Promise.resolve(NOTHING_FOUND)])
    : await preflight;
  const told = deps.preflight.mode === "block" ? advice : [...findings, ...advice];
  if (unchecked === null) return told;
  return [...told, { line: 1, column: 1, message: `The program ran unchecked: ${unchecked}` }];
}

function statusOf(call: CallOutcome): string {
  return call.ok ? "ok" : call.error.code;
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

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
