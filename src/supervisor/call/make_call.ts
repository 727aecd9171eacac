import type { Decision } from "../../model/decision.ts";
import { type ErrorCode, GateError, reportError } from "../../model/errors.ts";
import { giveWayAfter } from "../../model/time/yield_to_loop.ts";
import type { Tool } from "../../model/tool.ts";
import type { UpstreamAnswer } from "../../model/upstream.ts";
import type { Policy } from "../../policy/policy.ts";
import type { ExecutionContext } from "../execution_context.ts";
import { startCall } from "../tracing.ts";
import { errorOf, outputDetail } from "./call_events.ts";
import { progressListener } from "./call_progress.ts";
import { eventOf, notMade, type Passage, refusal } from "./passage.ts";
import type { CallQuota } from "./quota_gate.ts";
import { recordOutcome, roundMs } from "./record_outcome.ts";
import type { CallOutcome, CallToolDeps } from "./tool_call.ts";
import { toolErrorText, toolValue } from "./tool_value.ts";

/** A call that the gate allows, with all that was reserved for it. */
export interface AllowedCall {
  readonly tool: Tool;
  readonly decision: Decision;
  readonly quota: CallQuota;
  readonly args: unknown;
  readonly argsText: string;
  readonly policyMs: number;
}

/** Failures before anything was sent to the upstream. */
const NEVER_SENT: readonly ErrorCode[] = ["ERR_UPSTREAM_UNREACHABLE", "ERR_CREDENTIAL", "ERR_BUSY"];

/**
 * From the durable intent to the outcome's way into the log.
 *
 * Whatever fails after the call was sent, its outcome is recorded, and the answer never says that the
 * call was not made.
 */
export async function makeCall(
  deps: CallToolDeps,
  passage: Passage,
  allowed: AllowedCall,
): Promise<CallOutcome> {
  const { context, call } = passage;
  const { tool, decision, argsText, policyMs } = allowed;
  const idempotencyKey = `${context.id}:${call.index}`;
  try {
    if (context.start.refused !== null) throw context.start.refused;
    // Intent goes first: after a crash the log may name a call that never ran, but never misses one that did.
    await deps.audit.append({
      ...eventOf(passage, "call.intent", tool, decision),
      upstream: { idempotencyKey },
      ms: { policy: roundMs(policyMs) },
    }, { args: argsText });
  } catch (error) {
    await settled(allowed.quota.refund());
    return notMade(deps, passage, tool.id, error);
  }
  const withdrawn = withdrawal(passage);
  if (withdrawn !== null) return await withdraw(deps, passage, allowed, withdrawn);
  context.sent.set(call.index, { tool: tool.id, since: deps.now() });
  try {
    return await send(deps, passage, { ...allowed, quota: endOnce(allowed.quota) }, idempotencyKey);
  } finally {
    context.sent.delete(call.index);
  }
}

/** Why a call whose intent is durable is not sent after all; null if it is. */
function withdrawal({ context, call }: Passage): GateError | null {
  if (context.start.refused !== null) return context.start.refused;
  if (!context.signal.aborted && !call.signal.aborted) return null;
  return new GateError("ERR_CANCELLED", "its execution has ended", { hint: "" });
}

async function withdraw(
  deps: CallToolDeps,
  passage: Passage,
  { tool, decision, quota }: AllowedCall,
  why: GateError,
): Promise<CallOutcome> {
  await settled(quota.refund());
  const outcome = notMade(deps, passage, tool.id, why);
  recordOutcome(deps, passage.context, {
    ...eventOf(passage, "call.outcome", tool, decision),
    result: { status: "refused" },
    err: errorOf(outcome.error),
  });
  return outcome;
}

async function send(
  deps: CallToolDeps,
  passage: Passage,
  allowed: AllowedCall,
  idempotencyKey: string,
): Promise<CallOutcome> {
  const { context, call, policy } = passage;
  const { tool, decision } = allowed;
  const calledAt = deps.now();
  const span = startCall(context.span, context.traceparent, tool.server, tool.name);
  let answer: UpstreamAnswer | null = null;
  try {
    answer = await deps.upstreams.call({
      server: tool.server,
      name: tool.name,
      kind: tool.kind,
      args: allowed.args as { readonly [name: string]: unknown },
      principal: context.principal,
      idempotencyKey,
      traceparent: span.traceparent,
      resultBytesMax: context.limits.toolResultBytesMax,
      signal: AbortSignal.any([context.signal, call.signal]),
      ...progressListener(policy, call.onProgress),
    });
    const upstreamMs = deps.now() - calledAt;
    const outcome = await takeAnswer(deps, passage, allowed, answer, upstreamMs);
    span.end(outcome.ok ? null : outcome.error.code);
    return outcome;
  } catch (error) {
    const { message, hint, ...rest } = reportError(answer === null ? error : unusable(tool));
    const redact = (text: string) => deps.output.redactText(policy, text);
    const report = { ...rest, message: redact(message), hint: redact(hint), tool: tool.id };
    span.end(report.code);
    const sent = answer !== null || !NEVER_SENT.includes(report.code);
    // What may have happened is paid for: only a call that never left is given back.
    const unsettled = sent
      ? await settled(allowed.quota.settle({ bytes: 0, tokens: 0 }))
      : await settled(allowed.quota.refund());
    // A refusal has words of the upstream, too.
    if (sent) taint(context, policy, tool);
    recordOutcome(deps, context, {
      ...eventOf(passage, "call.outcome", tool, decision),
      result: { status: report.code },
      err: errorOf(report),
      ...detailOf(unsettled, answer === null ? {} : { defectAt: placeOf(error) }),
      ms: {
        total: deps.now() - passage.startedAt,
        policy: allowed.policyMs,
        upstream: deps.now() - calledAt,
      },
    });
    return refusal(deps, passage, tool.id, "allow", report, sent);
  }
}

/** Checks, redacts, settles and records what the upstream has answered. */
async function takeAnswer(
  deps: CallToolDeps,
  passage: Passage,
  { tool, decision, quota, policyMs }: AllowedCall,
  answer: UpstreamAnswer,
  upstreamMs: number,
): Promise<CallOutcome> {
  const { context, call, policy } = passage;
  taint(context, policy, tool);
  const checked = answer.isError
    ? {
      error: new GateError(
        "ERR_UPSTREAM",
        toolErrorText(answer, (value) => deps.output.redactValue(policy, value)),
        {
          hint: answer.hint ??
            "The tool itself reported this; change the arguments or handle it in the program",
          tool: tool.id,
          ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
        },
      ),
    }
    : deps.output.check(policy, tool, await toolValue(answer), answer.bytes);
  await giveWayAfter(answer.bytes);
  const cost = policy.price(tool);
  const bytes = "json" in checked ? byteLength(checked.json) : 0;
  const unsettled = await settled(
    quota.settle({ bytes, tokens: "json" in checked ? deps.countTokens(checked.json) : 0 }),
  );
  const failure = "error" in checked ? reportError(checked.error) : null;
  if ("json" in checked) deps.observeResult(tool, checked.value);
  const { detail } = outputDetail(checked);
  recordOutcome(deps, context, {
    ...eventOf(passage, "call.outcome", tool, decision),
    result: { status: failure?.code ?? "ok", bytes },
    upstream: { idempotencyKey: `${context.id}:${call.index}`, credential: answer.credential },
    ...(cost > 0 ? { cost } : {}),
    ...(failure === null ? {} : { err: errorOf(failure) }),
    ...detailOf(unsettled, detail),
    ms: { total: deps.now() - passage.startedAt, policy: policyMs, upstream: upstreamMs },
  }, "json" in checked ? { result: checked.json } : {});
  if (!("json" in checked)) {
    const report = { ...reportError(checked.error), tool: tool.id };
    return refusal(deps, passage, tool.id, "allow", report, true);
  }
  return {
    ok: true,
    tool: tool.id,
    effect: "allow",
    ms: deps.now() - passage.startedAt,
    bytes,
    sent: true,
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

/** The upstream has answered, and the answer broke something here. */
function unusable(tool: Tool): GateError {
  return new GateError("ERR_INTERNAL", `"${tool.id}" was called, but its answer cannot be used`, {
    hint: "Do not repeat the call unless it only reads; the operator finds the cause in the log",
  });
}

/**
 * Waits for a counter of a limit to be brought up to date. What was reserved stays reserved when that
 * fails; it is no reason to lose the outcome of a call.
 *
 * @returns null, or why it failed.
 */
async function settled(work: Promise<void>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A reservation that has been settled is not given back by whoever fails later. */
function endOnce(quota: CallQuota): CallQuota {
  let ended = false;
  const once = (end: () => Promise<void>) => {
    if (ended) return Promise.resolve();
    ended = true;
    return end();
  };
  return {
    settle: (actual) => once(() => quota.settle(actual)),
    refund: () => once(() => quota.refund()),
  };
}

/** Where a defect is; its message may hold what a tool has answered. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? error.stack ?? "" : "";
  return stack.split("\n").find((line) => line.startsWith("    at "))?.trim() ?? "unknown";
}

function detailOf(
  unsettled: string | null,
  detail: { readonly [name: string]: unknown } = {},
): { readonly detail?: { readonly [name: string]: unknown } } {
  const all = unsettled === null ? detail : { ...detail, limitNotSettled: unsettled.slice(0, 300) };
  return Object.keys(all).length === 0 ? {} : { detail: all };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
