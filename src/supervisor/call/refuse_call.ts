import { unsentArguments } from "../../audit/payloads/payload_box.ts";
import type { Decision, Effect } from "../../model/decision.ts";
import { type ErrorReport, GateError, reportError } from "../../model/errors.ts";
import { errorOf, eventOf } from "./call_events.ts";
import type { EndedCall, FoundCall, Passage } from "./passage.ts";
import { recordOutcome } from "./record_outcome.ts";
import type { CallOutcome, CallToolDeps } from "./tool_call.ts";

type Refusal = CallOutcome & { readonly ok: false };

/** Records a call that the gate stops before the upstream hears of it. */
export function refuse(
  deps: Pick<CallToolDeps, "now" | "audit">,
  call: FoundCall & { readonly decision?: Decision },
  { error, argsText, limit }: {
    readonly error: GateError;
    readonly argsText: string;
    /** The limit that stopped the call. */
    readonly limit?: string;
  },
): EndedCall {
  const { decision, tool, context } = call;
  const isTainted = decision !== undefined && context.taint.tainted;
  const detail = {
    ...(isTainted ? { tainted: true } : {}),
    ...(limit === undefined ? {} : { limit }),
  };
  recordOutcome(deps, context, {
    ...eventOf(call, "call.outcome"),
    result: { status: error.code },
    err: errorOf(error),
    ...(Object.keys(detail).length === 0 ? {} : { detail }),
    ms: { total: deps.now() - call.startedAt },
  }, unsentArguments(argsText));
  return {
    ended: refusal(deps, call, {
      tool: tool.id,
      effect: decision?.effect === "ask" ? "ask" : "deny",
      error: { ...reportError(error), tool: tool.id },
    }),
  };
}

/** The outcome of a call that has failed. */
export function refusal(
  deps: Pick<CallToolDeps, "now">,
  { startedAt }: Pick<Passage, "startedAt">,
  { tool, effect, error, sent = false }: {
    readonly tool: string;
    readonly effect: Effect;
    readonly error: ErrorReport;
    /** Whether the upstream may have heard of the call. */
    readonly sent?: boolean;
  },
): Refusal {
  const ms = deps.now() - startedAt;
  return { ok: false, tool: tool.slice(0, 300), effect, ms, bytes: 0, sent, error };
}

/** The outcome of a call before which the gate itself failed; its text is about this call only. */
export function notMade(
  deps: Pick<CallToolDeps, "now">,
  passage: Pick<Passage, "startedAt">,
  tool: string,
  error: unknown,
): Refusal {
  const { code, message, hint, retryAfterMs } = reportError(error);
  const report = reportError(
    new GateError(code, `Cannot call "${tool.slice(0, 300)}": ${message}`, {
      hint: `This call was not made. ${hint}`,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }),
  );
  return refusal(deps, passage, { tool, effect: "deny", error: report });
}
