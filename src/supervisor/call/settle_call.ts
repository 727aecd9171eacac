import { type ErrorCode, GateError, reportError } from "../../model/errors.ts";
import { giveWayAfter } from "../../model/time/yield_to_loop.ts";
import type { Tool } from "../../model/tool.ts";
import type { UpstreamAnswer } from "../../model/upstream.ts";
import { errorOf, eventOf, outputDetail } from "./call_events.ts";
import type { CheckedOutput } from "./output_gate.ts";
import type { SentCall } from "./passage.ts";
import { recordOutcome } from "./record_outcome.ts";
import { refusal } from "./refuse_call.ts";
import type { CallOutcome, CallToolDeps } from "./tool_call.ts";
import { toolErrorText, toolValue } from "../values/tool_value.ts";

type SettleCallDeps = Pick<
  CallToolDeps,
  "now" | "audit" | "output" | "countTokens" | "observeResult"
>;

/** Failures before anything was sent to the upstream. */
const NEVER_SENT: readonly ErrorCode[] = ["ERR_UPSTREAM_UNREACHABLE", "ERR_CREDENTIAL", "ERR_BUSY"];

/**
 * Makes the outcome of a sent call: checks and redacts the answer, settles the limits, and records.
 *
 * If a step here fails, the outcome is still recorded, and the answer does not deny the call.
 */
export async function settleCall(deps: SettleCallDeps, sent: SentCall): Promise<CallOutcome> {
  const { reply, span, tool } = sent;
  if ("failure" in reply) return await settleFailure(deps, sent, reply.failure);
  try {
    const outcome = await settleAnswer(deps, sent, reply.answer);
    span.end(outcome.ok ? null : outcome.error.code);
    return outcome;
  } catch (error) {
    return await settleFailure(deps, sent, unusable(tool), { defectAt: placeOf(error) });
  }
}

async function settleAnswer(
  deps: SettleCallDeps,
  sent: SentCall,
  answer: UpstreamAnswer,
): Promise<CallOutcome> {
  const { context, idempotencyKey, policy, quota, tool } = sent;
  taint(sent);
  const checked = await checkAnswer(deps, sent, answer);
  await giveWayAfter(answer.bytes);
  const cost = policy.price(tool);
  const bytes = "json" in checked ? byteLength(checked.json) : 0;
  const tokens = "json" in checked ? deps.countTokens(checked.json) : 0;
  const unsettled = await quota.settle({ bytes, tokens });
  const failure = "error" in checked ? reportError(checked.error) : null;
  if ("json" in checked) deps.observeResult(tool, checked.value);
  const { detail } = outputDetail(checked);
  recordOutcome(deps, context, {
    ...eventOf(sent, "call.outcome"),
    result: { status: failure?.code ?? "ok", bytes },
    upstream: { idempotencyKey, credential: answer.credential },
    ...(cost > 0 ? { cost } : {}),
    ...(failure === null ? {} : { err: errorOf(failure) }),
    ...detailOf(unsettled, detail),
    ms: msOf(deps, sent),
  }, "json" in checked ? { result: checked.json } : {});
  if (!("json" in checked)) {
    const error = { ...reportError(checked.error), tool: tool.id };
    return refusal(deps, sent, { tool: tool.id, effect: "allow", error, sent: true });
  }
  return {
    ok: true,
    tool: tool.id,
    effect: "allow",
    ms: deps.now() - sent.startedAt,
    bytes,
    sent: true,
    value: checked.value,
    json: checked.json,
    answer,
    isIntact: policy.output.redact.length === 0,
  };
}

/** The part of an answer that the program gets: its value, or the tool's own error text. */
async function checkAnswer(
  { output }: SettleCallDeps,
  { policy, tool }: SentCall,
  answer: UpstreamAnswer,
): Promise<CheckedOutput> {
  if (!answer.isError) return output.check(policy, tool, await toolValue(answer), answer.bytes);
  const text = toolErrorText(answer, (value) => output.redactValue(policy, value));
  return {
    error: new GateError("ERR_UPSTREAM", text, {
      hint: answer.hint ??
        "The tool itself reported this; change the arguments or handle it in the program",
      tool: tool.id,
      ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
    }),
  };
}

/** The upstream did not answer, or its answer cannot be used. */
async function settleFailure(
  deps: SettleCallDeps,
  sent: SentCall,
  error: unknown,
  detail: { readonly [name: string]: unknown } = {},
): Promise<CallOutcome> {
  const { context, policy, quota, reply, span, tool } = sent;
  const { message, hint, ...rest } = reportError(error);
  const redact = (text: string) => deps.output.redactText(policy, text);
  const report = { ...rest, message: redact(message), hint: redact(hint), tool: tool.id };
  span.end(report.code);
  const wasSent = "answer" in reply || !NEVER_SENT.includes(report.code);
  // A call that may have happened counts; only a call that was never sent is refunded.
  const unsettled = wasSent ? await quota.settle({ bytes: 0, tokens: 0 }) : await quota.refund();
  // An upstream's error text also reaches the program.
  if (wasSent) taint(sent);
  recordOutcome(deps, context, {
    ...eventOf(sent, "call.outcome"),
    result: { status: report.code },
    err: errorOf(report),
    ...detailOf(unsettled, detail),
    ms: msOf(deps, sent),
  });
  return refusal(deps, sent, { tool: tool.id, effect: "allow", error: report, sent: wasSent });
}

/** Notes that the program is about to see text of this tool. */
function taint({ context, policy, tool }: SentCall): void {
  if (policy.isUntrusted(tool)) context.taint.tainted = true;
  context.taint.sources.add(tool.server);
}

/** The error for an answer that the gate could not process. */
function unusable(tool: Tool): GateError {
  return new GateError("ERR_INTERNAL", `"${tool.id}" was called, but its answer cannot be used`, {
    hint: "Do not repeat the call unless it only reads; the operator finds the cause in the log",
  });
}

/** The source position of a defect. The message stays out: it may hold a tool's answer. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? error.stack ?? "" : "";
  return stack.split("\n").find((line) => line.startsWith("    at "))?.trim() ?? "unknown";
}

function msOf(deps: SettleCallDeps, { policyMs, startedAt, upstreamMs }: SentCall) {
  return { total: deps.now() - startedAt, policy: policyMs, upstream: upstreamMs };
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
