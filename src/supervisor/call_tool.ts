import type { AuditEvent } from "../model/event.ts";
import type { AuditLog } from "../audit/audit_log.ts";
import type { CatalogSnapshot } from "../model/catalog.ts";
import type { Decision, Effect } from "../model/decision.ts";
import { type ErrorCode, type ErrorReport, GateError, reportError } from "../model/errors.ts";
import type { Tool } from "../model/tool.ts";
import type { CallProgress, UpstreamAnswer } from "../model/upstream.ts";
import type { Policy } from "../policy/policy.ts";
import type { Upstreams } from "../upstream/upstreams.ts";
import { actorOf } from "./actor.ts";
import { progressListener } from "./call_progress.ts";
import { callEvent, errorOf, outputDetail, toolEvent } from "./call_events.ts";
import type { ExecutionContext } from "./execution_context.ts";
import { lookUp, lookUpQuarantined, toolNotFound, type ToolSpelling } from "./find_tool.ts";
import { checkArguments } from "./check_arguments.ts";
import { placeholderFor } from "./placeholder.ts";
import { recordOutcome, roundMs } from "./record_outcome.ts";
import { approvalRequired, policyDenied, toolUnavailable } from "./refusals.ts";
import type { OutputGate } from "./output_gate.ts";
import type { CallQuota, QuotaGate } from "./quota_gate.ts";
import { startCall } from "./tracing.ts";
import { toolErrorText, toolValue } from "./tool_value.ts";

/**
 * The one way to an upstream, for every path: programs, classic tools, skills, the command line.
 *
 * The order is the security model: look up → pin → validate → decide → reserve → intent (durable) →
 * call → check, redact, taint → settle → outcome (durable). A tool that the caller may not use answers
 * exactly like one that does not exist.
 */
export interface CallToolDeps {
  readonly now: () => number;
  readonly snapshot: () => CatalogSnapshot;
  readonly policy: () => Policy;
  readonly audit: Pick<AuditLog, "append">;
  readonly upstreams: Pick<Upstreams, "call">;
  readonly quotas: QuotaGate;
  readonly output: OutputGate;
  /** Tokens of a text; an estimate. */
  readonly countTokens: (text: string) => number;
  /** Hears the value of each good answer, to learn undeclared output types from. */
  readonly observeResult: (tool: Tool, value: unknown) => void;
}

export interface ToolCall extends ToolSpelling {
  /** 0-based position among the calls of its execution. */
  readonly index: number;
  /** Parsed JSON. */
  readonly args: unknown;
  readonly signal: AbortSignal;
  /** Hears what the upstream says of its progress. */
  readonly onProgress?: (progress: CallProgress) => void;
}

/** The outcome of one call. Expected failures are values, so that they are always audited. */
export type CallOutcome =
  & {
    /** `server.tool`, as the catalog spells it, or as the caller did if there is no such tool. */
    readonly tool: string;
    readonly effect: Effect;
    readonly ms: number;
    /** Size of the value handed to the program, as JSON. */
    readonly bytes: number;
  }
  & (
    | {
      readonly ok: true;
      readonly value: unknown;
      readonly json: string;
      readonly answer: UpstreamAnswer | null;
      /** No rule changes results: the answer may be handed on as it was received. */
      readonly isIntact: boolean;
    }
    | { readonly ok: false; readonly error: ErrorReport }
  );

/** Failures before anything was sent to the upstream. */
const NEVER_SENT: readonly ErrorCode[] = ["ERR_UPSTREAM_UNREACHABLE", "ERR_CREDENTIAL", "ERR_BUSY"];

/** What is known about a call on its way through the gate; each step adds to it. */
interface Passage {
  readonly context: ExecutionContext;
  readonly call: ToolCall;
  readonly policy: Policy;
  readonly startedAt: number;
  readonly base: AuditEvent;
}

export async function callTool(
  deps: CallToolDeps,
  context: ExecutionContext,
  call: ToolCall,
): Promise<CallOutcome> {
  const policy = deps.policy();
  const passage: Passage = {
    context,
    call,
    policy,
    startedAt: deps.now(),
    base: callEvent(context, call.index, actorOf(context.principal, policy)),
  };
  try {
    return await pass(deps, passage);
  } catch (error) {
    // Only the audit log and bugs get here; either way nothing may be claimed to have worked.
    return refusal(deps, passage, `${call.server}.${call.tool}`, "deny", reportError(error));
  }
}

async function pass(deps: CallToolDeps, passage: Passage): Promise<CallOutcome> {
  const { context, call, policy } = passage;
  const snapshot = deps.snapshot();
  const tool = lookUp(snapshot, call);
  const isVisible = (candidate: Tool) =>
    policy.visibility(context.principal, context.space, candidate) !== null;
  if (tool === null || !isVisible(tool)) return refuseUnknown(deps, passage, tool, isVisible);

  const argsText = JSON.stringify(call.args ?? {});
  const argsBytes = new TextEncoder().encode(argsText).length;
  const args: unknown = call.args ?? {};
  const decidedFrom = deps.now();
  const problem = checkArguments(context, tool, args, argsBytes);
  if (problem !== null) return refuse(deps, passage, tool, null, problem, argsText);

  const decision = policy.decide({
    principal: context.principal,
    space: context.space,
    tool,
    args,
    execution: { tainted: context.taint.tainted, sources: [...context.taint.sources] },
  });
  if (decision.effect !== "allow") {
    const error = decision.effect === "hidden"
      ? toolNotFound(snapshot, call, isVisible)
      : decision.effect === "ask"
      ? approvalRequired(tool, decision)
      : policyDenied(tool, decision);
    return refuse(deps, passage, tool, decision, error, argsText);
  }
  if (context.dryRun && decision.access !== "read") {
    return plan(deps, passage, tool, decision, argsText);
  }
  const quota = await deps.quotas.reserve({
    principal: context.principal,
    space: context.space,
    execution: context.id,
    tool,
    args,
    policy,
  });
  if (!quota.ok) {
    await deps.audit.append({
      ...eventOf(passage, "limit.hit", tool, decision),
      detail: {
        limit: quota.limit,
        freesAt: quota.freesAt,
        ...(quota.error.code === "ERR_APPROVAL_REQUIRED" ? { over: "ask" } : {}),
      },
    });
    return refuse(deps, passage, tool, decision, quota.error, argsText, quota.limit);
  }
  const policyMs = deps.now() - decidedFrom;
  return await invoke(deps, passage, tool, decision, quota.quota, args, argsText, policyMs);
}

/** From the durable intent to the durable outcome. */
async function invoke(
  deps: CallToolDeps,
  passage: Passage,
  tool: Tool,
  decision: Decision,
  quota: CallQuota,
  args: unknown,
  argsText: string,
  policyMs: number,
): Promise<CallOutcome> {
  const { context, call, policy } = passage;
  const idempotencyKey = `${context.id}:${call.index}`;
  try {
    // Intent goes first: after a crash the log may name a call that never ran, but never misses one that did.
    await deps.audit.append({
      ...eventOf(passage, "call.intent", tool, decision),
      upstream: { idempotencyKey },
      ms: { policy: roundMs(policyMs) },
    }, { args: argsText });
  } catch (error) {
    await quota.refund();
    throw error;
  }
  const calledAt = deps.now();
  const span = startCall(context.span, context.traceparent, tool.server, tool.name);
  let answer: UpstreamAnswer;
  try {
    answer = await deps.upstreams.call({
      server: tool.server,
      name: tool.name,
      kind: tool.kind,
      args: args as { readonly [name: string]: unknown },
      principal: context.principal,
      idempotencyKey,
      traceparent: span.traceparent,
      resultBytesMax: context.limits.toolResultBytesMax,
      signal: AbortSignal.any([context.signal, call.signal]),
      ...progressListener(policy, call.onProgress),
    });
  } catch (error) {
    const { message, hint, ...cause } = reportError(error);
    const redact = (text: string) => deps.output.redactText(policy, text);
    const report = { ...cause, message: redact(message), hint: redact(hint), tool: tool.id };
    span.end(report.code);
    // What may have happened is paid for: only a call that never left is given back.
    if (NEVER_SENT.includes(report.code)) await quota.refund();
    else {
      // A refusal has words of the upstream, too.
      taint(context, policy, tool);
      await quota.settle({ bytes: 0, tokens: 0 });
    }
    recordOutcome(deps, context, {
      ...eventOf(passage, "call.outcome", tool, decision),
      result: { status: report.code },
      err: errorOf(report),
      ms: {
        total: deps.now() - passage.startedAt,
        policy: policyMs,
        upstream: deps.now() - calledAt,
      },
    });
    return refusal(deps, passage, tool.id, "allow", report);
  }
  const upstreamMs = deps.now() - calledAt;
  taint(context, policy, tool);
  const checked = answer.isError
    ? {
      error: new GateError(
        "ERR_UPSTREAM",
        toolErrorText(answer, (text) => deps.output.redactText(policy, text)),
        {
          hint: "The tool itself reported this; change the arguments or handle it in the program",
          tool: tool.id,
        },
      ),
    }
    : deps.output.check(policy, tool, toolValue(answer), answer.bytes);
  const cost = policy.price(tool);
  const bytes = "json" in checked ? byteLength(checked.json) : 0;
  await quota.settle({ bytes, tokens: "json" in checked ? deps.countTokens(checked.json) : 0 });
  const failure = "error" in checked ? reportError(checked.error) : null;
  span.end(failure?.code ?? null);
  recordOutcome(deps, context, {
    ...eventOf(passage, "call.outcome", tool, decision),
    result: { status: failure?.code ?? "ok", bytes },
    upstream: { idempotencyKey, credential: answer.credential },
    ...(cost > 0 ? { cost } : {}),
    ...(failure === null ? {} : { err: errorOf(failure) }),
    ...outputDetail(checked),
    ms: { total: deps.now() - passage.startedAt, policy: policyMs, upstream: upstreamMs },
  }, "json" in checked ? { result: checked.json } : {});
  if (!("json" in checked)) {
    return refusal(deps, passage, tool.id, "allow", {
      ...reportError(checked.error),
      tool: tool.id,
    });
  }
  deps.observeResult(tool, checked.value);
  return {
    ok: true,
    tool: tool.id,
    effect: "allow",
    ms: deps.now() - passage.startedAt,
    bytes,
    value: checked.value,
    json: checked.json,
    answer,
    isIntact: policy.output.redact.length === 0,
  };
}

/** The program is about to see something of this tool. */
function taint(context: ExecutionContext, policy: Policy, tool: Tool): void {
  if (policy.isUntrusted(tool)) context.taint.tainted = true;
  context.taint.sources.add(tool.server);
}

/** A write under `dryRun`: recorded, answered with a placeholder, never made. */
function plan(
  deps: CallToolDeps,
  passage: Passage,
  tool: Tool,
  decision: Decision,
  argsText: string,
): CallOutcome {
  passage.context.planned.push({ tool: tool.id, args: JSON.parse(argsText) });
  const value = placeholderFor(tool.outputSchema);
  const json = JSON.stringify(value);
  recordOutcome(deps, passage.context, {
    ...eventOf(passage, "call.outcome", tool, decision),
    result: { status: "planned" },
    ms: { total: deps.now() - passage.startedAt },
  }, { args: argsText, result: json });
  const ms = deps.now() - passage.startedAt;
  return {
    ok: true,
    tool: tool.id,
    effect: "allow",
    ms,
    bytes: 0,
    value,
    json,
    answer: null,
    isIntact: false,
  };
}

function refuseUnknown(
  deps: CallToolDeps,
  passage: Passage,
  hidden: Tool | null,
  isVisible: (tool: Tool) => boolean,
): CallOutcome {
  const { call, context, policy } = passage;
  const snapshot = deps.snapshot();
  const quarantined = lookUpQuarantined(snapshot, call);
  const error = quarantined !== null && context.principal.scopes.includes("admin")
    ? toolUnavailable(quarantined)
    : toolNotFound(snapshot, call, isVisible);
  recordOutcome(deps, context, {
    ...passage.base,
    kind: "call.outcome",
    tool: hidden === null ? { server: call.server.slice(0, 100), name: call.tool.slice(0, 200) } : {
      server: hidden.server,
      name: hidden.name,
      access: policy.classify(hidden),
      pin: hidden.pin,
    },
    decision: {
      effect: "hidden",
      because: [quarantined?.reason ?? (hidden === null ? "no-such-tool" : "hidden")],
      bundle: policy.digest,
    },
    result: { status: error.code },
    err: errorOf(error),
    ms: { total: deps.now() - passage.startedAt },
  });
  return refusal(deps, passage, `${call.server}.${call.tool}`, "deny", reportError(error));
}

/** Records a call that the gate stopped before the upstream heard of it. */
function refuse(
  deps: CallToolDeps,
  passage: Passage,
  tool: Tool,
  decision: Decision | null,
  error: GateError,
  argsText: string,
  /** The limit that stopped it. */
  limit: string | null = null,
): CallOutcome {
  recordOutcome(deps, passage.context, {
    ...eventOf(passage, "call.outcome", tool, decision),
    result: { status: error.code },
    err: errorOf(error),
    ...(limit === null ? {} : { detail: { limit } }),
    ms: { total: deps.now() - passage.startedAt },
  }, { args: argsText });
  const effect = decision?.effect === "ask" ? "ask" : "deny";
  return refusal(deps, passage, tool.id, effect, { ...reportError(error), tool: tool.id });
}

function refusal(
  deps: CallToolDeps,
  passage: Passage,
  tool: string,
  effect: Effect,
  error: ErrorReport,
): CallOutcome {
  const ms = deps.now() - passage.startedAt;
  return { ok: false, tool: tool.slice(0, 300), effect, ms, bytes: 0, error };
}

function eventOf(
  { base, policy }: Passage,
  kind: AuditEvent["kind"],
  tool: Tool,
  decision: Decision | null,
): AuditEvent {
  return toolEvent(base, policy, kind, tool, decision);
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
